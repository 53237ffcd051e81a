//! What a link does.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Source, Timestamp,
    identity::derived_id,
    routing::{Silence, Window},
};
use engine_http::Problem;
use futures::{StreamExt, stream};
use jobs::{links::Action, snooze};
use records::{
    Versioned,
    alarms::Alarm,
    silences::{self, Kept},
    users::User,
};

use crate::{
    error::ApiError,
    routes::alarms::{Remark, take_on},
    site::Site,
};

/// What is said of something that was done by a link.
const BY_LINK: &str = "by link";

/// So many alarms are taken on by one request at most, so many at a time, and for so long: it is answered before a gateway gives it up.
const MOST_AT_ONCE: usize = 1000;
const AT_A_TIME: usize = 16;
const LONGEST: Duration = Duration::from_secs(8);

/// For how long nobody is told by a link.
const SILENT_FOR: Duration = Duration::from_hours(8);

/// What a link is about.
pub(super) struct Target {
    /// The alarms that its user may see, one at least.
    pub alarms: Vec<Alarm>,
    /// The notice that it came with.
    pub notice: String,
    /// What that tells of.
    pub transition: String,
}

/// Does what the link is for, in its user's name; says for how many alarms that is left to be done. To do it twice changes nothing.
pub(super) async fn act(site: &Site, action: Action, user: &User, target: &Target) -> Result<usize, ApiError> {
    let own = || Some(user.user.clone());
    match action {
        Action::Acknowledge => return take_all_on(site, user, &target.alarms).await,
        Action::SnoozeHour => silence(site, (user, own()), target, Duration::from_hours(1)).await?,
        Action::SnoozeShift => silence(site, (user, own()), target, Duration::from_hours(8)).await?,
        Action::Silence => silence(site, (user, None), target, SILENT_FOR).await?,
    }
    Ok(0)
}

/// Takes on what nobody has on yet, as far as one request goes; says how many are left.
async fn take_all_on(site: &Site, user: &User, alarms: &[Alarm]) -> Result<usize, ApiError> {
    let remark = Remark { note: Some(BY_LINK.to_owned()), ..Remark::default() };
    let begun = site.clock.now();
    let open: Vec<&Alarm> = alarms.iter().filter(|alarm| !alarm.is_taken_on()).collect();
    // Two acts on one source would be in each other's way.
    let mut by_source: BTreeMap<&Source, Vec<&Alarm>> = BTreeMap::new();
    for alarm in open.iter().take(MOST_AT_ONCE) {
        by_source.entry(&alarm.source).or_default().push(alarm);
    }
    let mut taking = Vec::new();
    for alarms in by_source.into_values() {
        taking.push(take_on_until(site, (user, &remark), alarms, begun.plus(LONGEST)));
    }
    let taken: Vec<Result<usize, ApiError>> = stream::iter(taking).buffer_unordered(AT_A_TIME).collect().await;
    let taken: usize = taken.into_iter().sum::<Result<usize, ApiError>>()?;
    Ok(open.len().saturating_sub(taken))
}

/// Takes a source's alarms on until then; says how many.
async fn take_on_until(
    site: &Site,
    (user, remark): (&User, &Remark),
    alarms: Vec<&Alarm>,
    until: Timestamp,
) -> Result<usize, ApiError> {
    let mut taken = 0;
    for alarm in alarms {
        if site.clock.now() > until {
            break;
        }
        take_on(site, user, &alarm.id, remark).await?;
        taken += 1;
    }
    Ok(taken)
}

/// Keeps one user, or everybody, from being told of the rules that raised the alarms, on the sources that they are of.
async fn silence(
    site: &Site,
    (user, owner): (&User, Option<String>),
    target: &Target,
    time: Duration,
) -> Result<(), ApiError> {
    let at = site.clock.now();
    let there = silences::count(&*site.table, owner.as_deref(), at).await?;
    if there + target.alarms.len() > silences::MOST {
        let why = format!("There may be at most {} silences: delete one first.", silences::MOST);
        return Err(Problem::conflict("too-many-silences", why).into());
    }
    for alarm in &target.alarms {
        let window = Window::Once { from: at, until: at.plus(time) };
        // By the notice: one who dies half way and whose link is used again makes the same.
        let for_whom = owner.as_deref().unwrap_or_default();
        let seconds = time.as_secs().to_string();
        let id = derived_id(alarm.raised_at, &["link", &target.notice, &alarm.id, for_whom, &seconds]);
        let silence = Silence { matcher: snooze::what(alarm), window };
        let kept = Kept { id, owner: owner.clone(), silence, why: BY_LINK.to_owned(), by: user.user.clone(), at };
        // Refused where it is there.
        let _ = silences::put(&*site.table, &Versioned { value: kept, version: 0 }).await?;
        if owner.is_some() {
            let letter = (target.notice.as_str(), target.transition.as_str());
            snooze::ring_again(&*site.table, user, letter, alarm, (at, at.plus(time))).await?;
        }
    }
    Ok(())
}
