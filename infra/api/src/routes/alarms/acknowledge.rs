//! Taking an alarm on.

use std::{sync::Arc, time::Duration};

use engine_http::{Json, Path, Problem, axum::extract::State};
use records::alarms::{self, Acknowledgement};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Alarm, visible};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

const MOST_NOTE_CHARS: usize = 1000;
/// For so long a word is not taken again: a button that is pressed twice is one word.
const STANDS: Duration = Duration::from_mins(10);
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
/// To acknowledge again within ten minutes changes nothing and answers with what is there. Later the new word takes its place:
/// words end (`notices.acknowledgement_ms`). The body may be left out.
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
    for _ in 0..TRIES {
        let mut alarm = visible(&site, &user, &id).await?;
        let is_fresh = |word: &Acknowledgement| site.clock.now().since(word.at) < STANDS;
        if alarm.value.acknowledged.as_ref().is_some_and(is_fresh) {
            return Ok(Json(alarm.value.into()));
        }
        let word = Acknowledgement { by: user.user.clone(), at: site.clock.now(), note: note.clone() };
        alarm.value.acknowledged = Some(word);
        if site.table.transact(alarms::put(&alarm)?).await?.applied() {
            tracing::info!(alarm.id = id, user.name = user.user, "Alarm acknowledged");
            return Ok(Json(alarm.value.into()));
        }
    }
    Err(Problem::unavailable("alarm-busy", "The alarm is changing just now. Try again in a moment.").into())
}
