//! Sending again what a webhook did not take.

use std::sync::Arc;

use domain::Timestamp;
use engine_http::{Json, Path, Problem, axum::extract::State};
use jobs::{DeliverNotice, Job};
use records::{
    ledger,
    notices::{self, Notice, NoticeStatus, channel},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::own;
use crate::{error::ApiError, moment, site::Site, visitor::SignedIn};

const PAGE: usize = 200;
/// The most notices that are sent again at a time.
const MOST: usize = 500;

/// What is to be sent again.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReplayForm)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// Since when: RFC 3339, or milliseconds since 1970.
    since: String,
}

/// What is sent again.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub(super) struct Replay {
    /// How many notices.
    replayed: usize,
    /// Whether there are more: ask again.
    more: bool,
}

/// Send again what failed at a webhook
///
/// Under the same `webhook-id`, newest first, 500 at a time; tried anew as if for the first time.
#[utoipa::path(
    post, path = "/api/channels/webhooks/{id}/replay", operation_id = "replay_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")), request_body = Form,
    responses((status = 200, description = "What is sent again", body = Replay))
)]
pub(super) async fn replay(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(form): Json<Form>,
) -> Result<Json<Replay>, ApiError> {
    let since = moment::parse("since", &form.since)?;
    let endpoint = own(&site, &user, &id).await?.value;
    if endpoint.disabled.is_some() {
        return Err(Problem::conflict("webhook-disabled", "Enable the webhook first: nothing is sent there.").into());
    }
    let channel = channel::endpoint(&endpoint.id);
    let mut failed = failed(&site, &user.user, &channel, since).await?;
    let more = failed.len() > MOST;
    failed.truncate(MOST);
    let mut replayed = 0;
    for notice in failed {
        replayed += usize::from(again(&site, &user.user, &notice.id).await?);
    }
    Ok(Json(Replay { replayed, more }))
}

/// What a channel did not take since then, newest first; one more than is sent again, if there are so many.
async fn failed(site: &Site, user: &str, channel: &str, since: Timestamp) -> Result<Vec<Notice>, ApiError> {
    let (mut failed, mut after) = (Vec::new(), None);
    loop {
        let page = notices::list(&*site.table, user, PAGE, after).await?;
        let is_past = page.items.last().is_none_or(|oldest| oldest.at < since);
        failed.extend(page.items.into_iter().filter(|notice| {
            let is_lost = notice.status == NoticeStatus::Failed && !notice.way.once && notice.way.told_by.is_none();
            notice.channel == channel && is_lost && notice.at >= since
        }));
        if is_past || failed.len() > MOST || page.next.is_none() {
            return Ok(failed);
        }
        after = page.next;
    }
}

/// Has a notice delivered once more, as if for the first time; false when it is being delivered by now.
async fn again(site: &Site, user: &str, id: &str) -> Result<bool, ApiError> {
    let found = notices::get(&*site.table, user, id).await?;
    let Some(mut notice) = found.filter(|notice| notice.value.status == NoticeStatus::Failed) else {
        return Ok(false);
    };
    notice.value.status = NoticeStatus::Waiting;
    notice.value.way.since = Some(site.clock.now());
    notice.value.way.next = None;
    // The person asked for it here.
    notice.value.way.passed_on = true;
    let writes = vec![notices::update(&notice)?, ledger::reopen(&DeliverNotice::claim(id))];
    if !site.table.transact(writes).await?.applied() {
        return Ok(false);
    }
    site.jobs.enqueue(vec![DeliverNotice { user: user.to_owned(), notice: id.to_owned() }.message()]).await?;
    Ok(true)
}
