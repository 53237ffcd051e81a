//! The whole chain of an alarm.

mod shown;

use std::sync::Arc;

use engine_http::{Json, Path, axum::extract::State};
use records::{explanation, users::Role};

pub(crate) use self::shown::Explained;
use super::visible;
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// Why an alarm is
///
/// What came over the line, what was read out of it, by which writing of which rule that changed the alarm, who was told, and
/// what the other side said, step by step. Of the notices you see yours; an administrator sees everybody's, and those of the topics
/// (whose user is `*`). At most 100 steps; transitions and notices are kept for 90 days. Steps that were taken before causes were
/// kept have none.
#[utoipa::path(
    get, path = "/api/alarms/{id}/explain", operation_id = "explain_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")),
    responses((status = 200, description = "The alarm and what changed it, oldest first", body = Explained))
)]
pub(super) async fn explain(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Explained>, ApiError> {
    let alarm = visible(&site, &user, &id).await?.value;
    let people = match user.role {
        Role::Admin => explanation::could_hear(&*site.table, &alarm).await?,
        Role::User => vec![user.user],
    };
    let explained = explanation::explain(&*site.table, alarm, &people).await?;
    Ok(Json(Explained::of(explained, site.clock.now())))
}
