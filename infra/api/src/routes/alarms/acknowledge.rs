//! Taking an alarm on.

use std::sync::Arc;

use engine_http::{Json, Path, Problem, axum::extract::State};
use records::{
    alarms::{self, Acknowledgement},
    users::User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Alarm, visible};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

const MOST_NOTE_CHARS: usize = 1000;
/// How often to try again when the alarm changes under our hands.
const TRIES: usize = 10;

/// What the one who takes an alarm on has to say.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Remark {
    /// For the others.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// Take an alarm on
///
/// The first word stands: to acknowledge again changes nothing and answers with what is there. The body may be left
/// out.
#[utoipa::path(
    post, path = "/api/alarms/{id}/acknowledge", operation_id = "acknowledge_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")), request_body = Option<Remark>,
    responses((status = 200, description = "The alarm with the word that stands", body = Alarm))
)]
pub(super) async fn acknowledge(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    remark: Option<Json<Remark>>,
) -> Result<Json<Alarm>, ApiError> {
    let Remark { note } = remark.map(|Json(remark)| remark).unwrap_or_default();
    if note.as_ref().is_some_and(|note| note.chars().count() > MOST_NOTE_CHARS) {
        let most = format!("note has at most {MOST_NOTE_CHARS} characters.");
        return Err(Problem::bad_request("bad-body", most).into());
    }
    Ok(Json(take_on(&site, &user, &id, note).await?.into()))
}

/// Takes an alarm on in a user's name, unless somebody did; gives the alarm as it is then. Not found when they may not see it.
pub(crate) async fn take_on(
    site: &Site,
    user: &User,
    id: &str,
    note: Option<String>,
) -> Result<alarms::Alarm, ApiError> {
    for _ in 0..TRIES {
        let mut alarm = visible(site, user, id).await?;
        if alarm.value.acknowledged.is_some() {
            return Ok(alarm.value);
        }
        let word = Acknowledgement { by: user.user.clone(), at: site.clock.now(), note: note.clone() };
        alarm.value.acknowledged = Some(word);
        if site.table.transact(alarms::put(&alarm)?).await?.applied() {
            tracing::info!(alarm.id = id, user.name = user.user, "Alarm acknowledged");
            return Ok(alarm.value);
        }
    }
    Err(Problem::unavailable("alarm-busy", "The alarm is changing just now. Try again in a moment.").into())
}
