//! Taking an alarm on.

use std::{sync::Arc, time::Duration};

use domain::alarm::{Act, Deed};
use engine_http::{Json, Path, Problem, axum::extract::State};
use records::{
    Versioned,
    alarms::{self, Acknowledgement},
    users::User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Alarm, standing::shown_alone, visible};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

pub(super) const MOST_NOTE_CHARS: usize = 1000;
/// The longest time that somebody may name, in milliseconds: a year.
const LONGEST_MS: u64 = 366 * 24 * 3_600_000;
/// How often to try again when the alarm changes under our hands.
const TRIES: usize = 10;

/// What the one who does something about an alarm has to say.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Remark {
    /// For the others.
    #[schema(max_length = 1000)]
    pub note: Option<String>,
    /// For how long, in milliseconds: an acknowledgement holds as long as the rule says without, a shelf as long as it may.
    #[schema(minimum = 1)]
    pub for_ms: Option<u64>,
    /// Of a shelf: whether it ends as soon as the condition is over.
    #[serde(default)]
    pub once: bool,
}

impl Remark {
    /// That it is not too long, and of a time that can be.
    pub(super) fn checked(remark: Option<Json<Self>>) -> Result<Self, Problem> {
        let remark = remark.map(|Json(remark)| remark).unwrap_or_default();
        check_note(remark.note.as_deref())?;
        check_time(remark.for_ms)?;
        Ok(remark)
    }
}

pub(super) fn check_note(note: Option<&str>) -> Result<(), Problem> {
    if note.is_some_and(|note| note.chars().count() > MOST_NOTE_CHARS) {
        return Err(Problem::bad_request("bad-body", format!("note has at most {MOST_NOTE_CHARS} characters.")));
    }
    Ok(())
}

pub(super) fn check_time(for_ms: Option<u64>) -> Result<(), Problem> {
    if for_ms.is_some_and(|time| !(1..=LONGEST_MS).contains(&time)) {
        return Err(Problem::bad_request("bad-body", format!("for_ms is 1 to {LONGEST_MS}.")));
    }
    Ok(())
}

/// Take an alarm on
///
/// The first word stands: to acknowledge again changes nothing and answers with what is there. The body may be left
/// out. Of what matters more since then somebody may say it again. A word that holds for some time only (`for_ms`, or as the rule says) expires: then nobody has the alarm on, and people
/// are told so. When a latched alarm is raised again, nobody has it on either.
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
    let remark = Remark::checked(remark)?;
    Ok(Json(shown_alone(&site, take_on(&site, &user, &id, &remark).await?).await?))
}

/// Takes an alarm on in a user's name, unless somebody did; gives the alarm as it is then. Not found when they may not see it.
pub(crate) async fn take_on(site: &Site, user: &User, id: &str, remark: &Remark) -> Result<alarms::Alarm, ApiError> {
    let alarm = visible(site, user, id).await?;
    if !alarm.value.is_taken_on() && alarm.value.cleared_at.is_none() {
        let now = site.clock.now();
        let until = remark.for_ms.map(|time| now.plus(Duration::from_millis(time)));
        let void_up_to = site.terms.word_lasts().map(|lasts| now.minus(lasts));
        let deed = Deed::Acknowledge { alarm: id.to_owned(), until, void_up_to };
        let act = Act { by: user.user.clone(), why: remark.note.clone(), deed };
        alarms::act(&*site.table, &alarm.value.source, &act, site.clock.now()).await?;
    }
    Ok(noted(site, user, id, remark).await?.value)
}

/// The alarm with the word that stands. On one that is over, or of which the machine knows nothing, it is a note for good.
async fn noted(site: &Site, user: &User, id: &str, remark: &Remark) -> Result<Versioned<alarms::Alarm>, ApiError> {
    for _ in 0..TRIES {
        let mut alarm = visible(site, user, id).await?;
        if alarm.value.acknowledged.is_some() {
            return Ok(alarm);
        }
        let (by, at, note) = (user.user.clone(), site.clock.now(), remark.note.clone());
        alarm.value.acknowledged = Some(Acknowledgement { by, at, note, until: None, severity: None });
        if site.table.transact(alarms::put(&alarm)?).await?.applied() {
            tracing::info!(alarm.id = id, user.name = user.user, "Alarm acknowledged");
            return Ok(alarm);
        }
    }
    Err(Problem::unavailable("alarm-busy", "The alarm is changing just now. Try again in a moment.").into())
}
