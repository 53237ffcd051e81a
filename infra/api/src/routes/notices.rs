//! What the one who asks was told.

use std::sync::Arc;

use engine_http::{
    Json, Query,
    axum::{self, extract::State},
};
use records::{facts::Facts, notices};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    paging::{Listing, Paging},
    routes::alarms::Source,
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "notices";

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What you are told on one channel about an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Notice {
    /// Its id.
    id: String,
    /// On which channel: `email`, `sms`, `wechat`, `webhook`, or `webhook/` and the id of one of your webhooks.
    channel: String,
    /// About what.
    source: Source,
    /// About which transition: the last of `transitions`, or of what it repeats.
    transition: String,
    /// Every transition that it is the first notice of.
    transitions: Vec<String>,
    /// The incident that it tells of.
    incident: String,
    /// Which notice of the incident it is, 1 for the first.
    sequence: u32,
    /// The alarms that it names.
    alarms: Vec<String>,
    /// One line.
    subject: String,
    /// The text.
    text: String,
    /// When it was decided to tell you.
    at: Moment,
    /// How it stands.
    status: Status,
    /// Every attempt to tell you, oldest first.
    attempts: Vec<Attempt>,
    /// When it is tried again.
    next: Option<Moment>,
    /// The notice that was not taken, in whose place this one is.
    instead_of: Option<String>,
    /// The later notice that tells what this one was to tell.
    told_by: Option<String>,
}

/// How a notice stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeStatus)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Not taken by the other side yet.
    Waiting,
    /// Taken.
    Sent,
    /// Never to be taken: refused, or given up.
    Failed,
    /// Told in a later notice of the incident, since it was not taken before that came: see `told_by`.
    Joined,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attempt {
    /// When.
    at: Moment,
    /// What the other side said.
    outcome: String,
}

/// Your notices
///
/// Newest first, with every attempt to deliver them.
#[utoipa::path(
    get, path = "/api/notices", operation_id = "list_notices", tag = "notices", params(Paging),
    responses((status = 200, description = "A page of notices", body = Listing<Notice>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Notice>>, ApiError> {
    let page = notices::list(&*site.table, &user.user, paging.limit()?, paging.after(LIST)?).await?;
    Ok(Listing::answer(LIST, page.items.into_iter().map(Notice::from).collect(), page.next))
}

impl From<notices::Notice> for Notice {
    fn from(notice: notices::Notice) -> Self {
        let status = Status::from(&notice);
        Self {
            id: notice.id,
            channel: notice.channel,
            source: notice.source.into(),
            transition: notice.transition,
            transitions: notice.transitions,
            incident: notice.incident,
            sequence: notice.sequence,
            alarms: notice.facts.iter().flat_map(Facts::alarms).map(str::to_owned).collect(),
            subject: notice.subject,
            text: notice.text,
            at: Moment(notice.at),
            status,
            next: notice.way.next.filter(|_| notice.status == notices::NoticeStatus::Waiting).map(Moment),
            instead_of: notice.way.instead_of,
            told_by: notice.way.told_by,
            attempts: notice.attempts.into_iter().map(Attempt::from).collect(),
        }
    }
}

impl From<&notices::Notice> for Status {
    fn from(notice: &notices::Notice) -> Self {
        match notice.status {
            _ if notice.way.told_by.is_some() => Self::Joined,
            notices::NoticeStatus::Waiting => Self::Waiting,
            notices::NoticeStatus::Sent => Self::Sent,
            notices::NoticeStatus::Failed => Self::Failed,
        }
    }
}

impl From<notices::Attempt> for Attempt {
    fn from(attempt: notices::Attempt) -> Self {
        Self { at: Moment(attempt.at), outcome: attempt.outcome }
    }
}
