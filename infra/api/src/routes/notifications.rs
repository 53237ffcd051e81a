//! The inbox of the one who asks: what they are told in the application itself.

mod marking;
mod preferences;

use std::sync::Arc;

use domain::{alarm::Severity, routing::Category};
use engine_http::{
    Json, Query,
    axum::{self, extract::State},
};
use records::{
    Listed, TableError,
    inbox::{self, Entry},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    paging::{self, Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "notifications";
/// The least that is read at once: where much is filtered out, small reads would be many.
const LEAST_READ: usize = 50;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(unread_count))
        .routes(routes!(marking::read_all))
        .routes(routes!(marking::bulk))
        .routes(routes!(preferences::get, preferences::put))
        .routes(routes!(marking::read))
        .routes(routes!(marking::delete))
}

/// Something that you were told.
#[derive(Serialize, ToSchema)]
struct Notification {
    /// Its id.
    id: String,
    /// What it is about: `alarms`, `connections`, `recoveries`, `presence`, `platform`, `reports`; null for what was held
    /// back of several.
    #[serde(rename = "type")]
    #[schema(required, value_type = Option<String>)]
    category: Option<Category>,
    /// How much it matters: `info`, `warning`, `critical`.
    #[schema(value_type = String)]
    priority: Severity,
    /// One line.
    title: String,
    /// The text.
    content: String,
    /// About what, if it is about one thing: `device:<mac>/<pid>`, `terminal:<mac>`, `node:<name>`.
    #[schema(required)]
    source: Option<String>,
    /// About which transition, if it is about one.
    #[schema(required)]
    transition: Option<String>,
    /// The alarms that it names.
    alarms: Vec<String>,
    /// When you were told.
    created_at: Moment,
    /// Whether you read it.
    is_read: bool,
    /// When.
    #[schema(required)]
    read_at: Option<Moment>,
}

/// Which notifications are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those that you read, or those that you did not.
    #[serde(rename = "isRead")]
    is_read: Option<bool>,
    /// Those about this.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    category: Option<Category>,
    /// Those that matter so much.
    #[param(value_type = Option<String>)]
    priority: Option<Severity>,
}

/// Your notifications
///
/// Newest first. They are kept for 90 days.
#[utoipa::path(
    get, path = "/api/notifications", operation_id = "list_notifications", tag = "notifications", params(Wanted, Paging),
    responses((status = 200, description = "A page of notifications", body = Listing<Notification>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Notification>>, ApiError> {
    let page = find(&site, &user.user, &wanted, paging.limit()?, paging.after(LIST)?).await?;
    Ok(Listing::answer(LIST, page.items.into_iter().map(Notification::from).collect(), page.next))
}

async fn find(
    site: &Site,
    user: &str,
    wanted: &Wanted,
    limit: usize,
    mut after: Option<String>,
) -> Result<Listed<Entry>, TableError> {
    let is_wanted = |entry: &Entry| {
        wanted.is_read.is_none_or(|is_read| is_read == entry.read_at.is_some())
            && wanted.category.is_none_or(|category| Some(category) == entry.category)
            && wanted.priority.is_none_or(|priority| priority == entry.severity)
    };
    let mut found = Vec::new();
    // One more than the limit shows that more follows.
    while found.len() <= limit {
        let most = limit.max(LEAST_READ);
        let read = if wanted.is_read == Some(false) {
            inbox::list_unread(&*site.table, user, most, after).await?
        } else {
            inbox::list(&*site.table, user, most, after).await?
        };
        found.extend(read.items.into_iter().filter(is_wanted));
        after = read.next;
        if after.is_none() {
            break;
        }
    }
    let (items, next) = paging::cut(found, |entry| &entry.id, limit);
    Ok(Listed { items, next })
}

/// How many notifications are unread.
#[derive(Serialize, ToSchema)]
struct Unread {
    /// So many, at most 10,000.
    unread: usize,
}

/// How many of your notifications are unread
#[utoipa::path(
    get, path = "/api/notifications/unread-count", operation_id = "count_unread_notifications", tag = "notifications",
    responses((status = 200, description = "So many", body = Unread))
)]
async fn unread_count(State(site): State<Arc<Site>>, SignedIn(user): SignedIn) -> Result<Json<Unread>, ApiError> {
    Ok(Json(Unread { unread: inbox::unread(&*site.table, &user.user).await? }))
}

impl From<Entry> for Notification {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            category: entry.category,
            priority: entry.severity,
            title: entry.title,
            content: entry.content,
            source: entry.source.map(|source| source.to_string()),
            transition: entry.transition,
            alarms: entry.alarms,
            created_at: Moment(entry.at),
            is_read: entry.read_at.is_some(),
            read_at: entry.read_at.map(Moment),
        }
    }
}
