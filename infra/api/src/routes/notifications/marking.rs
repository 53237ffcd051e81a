//! Reading and deleting notifications. All browsers of the one who does it are told.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use futures::{StreamExt, TryStreamExt, stream};
use jobs::{inbox_events, ports::Push};
use records::{TableError, inbox};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error::ApiError, site::Site, visitor::SignedIn};

const AT_A_TIME: usize = 16;

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Marked {
    /// How many it changed: none that were so before.
    changed: usize,
    /// How many of yours are unread now, at most 10,000.
    unread: usize,
}

/// What is to be done with some.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Bulk {
    /// What.
    action: Action,
    /// With which: at most 200. What is not yours, or not there any more, is left out.
    #[schema(max_items = 200)]
    ids: Vec<String>,
}

/// What is to be done with notifications.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = NotificationAction)]
#[serde(rename_all = "snake_case")]
enum Action {
    Read,
    Delete,
}

/// Mark a notification as read
///
/// To mark it again changes nothing.
#[utoipa::path(
    put, path = "/api/notifications/{id}/read", operation_id = "read_notification", tag = "notifications",
    params(("id" = String, Path, description = "The notification")),
    responses((status = 200, description = "It is read", body = Marked))
)]
pub(super) async fn read(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Marked>, ApiError> {
    there(&site, &user.user, &id).await?;
    let changed = each(&site, &user.user, Action::Read, vec![id]).await?;
    tell(&site, &user.user, changed, inbox_events::read).await
}

/// Mark all notifications as read
#[utoipa::path(
    put, path = "/api/notifications/read-all", operation_id = "read_all_notifications", tag = "notifications",
    responses((status = 200, description = "All that were there are read", body = Marked))
)]
pub(super) async fn read_all(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
) -> Result<Json<Marked>, ApiError> {
    let (mut changed, mut after) = (Vec::new(), None);
    loop {
        let page = inbox::unread_ids(&*site.table, &user.user, inbox::MOST_AT_ONCE, after).await?;
        changed.extend(each(&site, &user.user, Action::Read, page.items).await?);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // Not all of their ids: there may be thousands.
    tell(&site, &user.user, changed, |user, _, unread| inbox_events::read_all(user, unread)).await
}

/// Delete a notification
#[utoipa::path(
    delete, path = "/api/notifications/{id}", operation_id = "delete_notification", tag = "notifications",
    params(("id" = String, Path, description = "The notification")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    there(&site, &user.user, &id).await?;
    let changed = each(&site, &user.user, Action::Delete, vec![id]).await?;
    tell(&site, &user.user, changed, inbox_events::deleted).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mark or delete some notifications
#[utoipa::path(
    post, path = "/api/notifications/bulk", operation_id = "change_notifications", tag = "notifications",
    request_body = Bulk, responses((status = 200, description = "It is done", body = Marked))
)]
pub(super) async fn bulk(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(Bulk { action, mut ids }): Json<Bulk>,
) -> Result<Json<Marked>, ApiError> {
    if ids.len() > inbox::MOST_AT_ONCE {
        let most = format!("At most {} at a time.", inbox::MOST_AT_ONCE);
        return Err(Problem::bad_request("too-many-ids", most).into());
    }
    ids.retain(|id| is_id(id));
    ids.sort_unstable();
    ids.dedup();
    let changed = each(&site, &user.user, action, ids).await?;
    let event = match action {
        Action::Read => inbox_events::read,
        Action::Delete => inbox_events::deleted,
    };
    tell(&site, &user.user, changed, event).await
}

fn is_id(id: &str) -> bool {
    ulid::Ulid::from_string(id).is_ok()
}

async fn there(site: &Site, user: &str, id: &str) -> Result<(), ApiError> {
    let found = if is_id(id) { inbox::get(&*site.table, user, id).await? } else { None };
    found.map(|_| ()).ok_or_else(|| Problem::not_found("There is no such notification among yours.").into())
}

/// Does it with each; those that it changed.
async fn each(site: &Site, user: &str, action: Action, ids: Vec<String>) -> Result<Vec<String>, TableError> {
    let (table, now) = (&*site.table, site.clock.now());
    let each = ids.into_iter().map(async |id| {
        let changed = match action {
            Action::Read => inbox::mark_read(table, user, &id, now).await?,
            Action::Delete => inbox::delete(table, user, &id).await?,
        };
        Ok(changed.then_some(id))
    });
    let changed: Vec<Option<String>> = stream::iter(each.collect::<Vec<_>>()).buffered(AT_A_TIME).try_collect().await?;
    Ok(changed.into_iter().flatten().collect())
}

/// Tells the user's browsers, if anything changed. Nobody waits for one that misses it: it counts anew.
async fn tell(
    site: &Site,
    user: &str,
    changed: Vec<String>,
    event: impl FnOnce(&str, &[String], usize) -> Push,
) -> Result<Json<Marked>, ApiError> {
    let unread = inbox::unread(&*site.table, user).await?;
    if !changed.is_empty()
        && let Err(error) = site.link.publish(vec![event(user, &changed, unread)]).await
    {
        tracing::warn!(%error, "browsers were not told of their inbox");
    }
    Ok(Json(Marked { changed: changed.len(), unread }))
}
