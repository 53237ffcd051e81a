//! What the records say of the alarms of an incident.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Source, Timestamp,
    alarm::{ConditionState, Life, Severity, SourceState},
    routing::incident::{Known, News, Open},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm, Watch},
    incidents::{Audience, Incident},
    users,
};

use crate::{Context, comes_and_goes::latest};

/// Under this name all of a source is out of service.
const WHOLE_SOURCE: &str = "";

const GONE: Known =
    Known { over: None, acknowledged: None, acknowledged_as: None, quiet: false, unknown: false, gone: true };

/// What the records say of the alarms that are open, some of those that are remembered apart among them, or new.
pub(super) async fn known(
    cx: &Context,
    incident: &Incident,
    apart: &BTreeMap<String, Open>,
    news: &[News],
) -> Result<BTreeMap<String, Known>, TableError> {
    let table = cx.table.as_ref();
    let open = incident.state.open.keys().chain(apart.keys());
    let names: BTreeSet<&String> = open.chain(news.iter().map(|news| &news.change.alarm)).collect();
    let latest = latest(table, incident.state.open.iter().chain(apart)).await?;
    let id = |name: &String| latest.get(name).unwrap_or(name).clone();
    let ids = names.iter().map(|name| id(name)).collect();
    // Where nobody takes anything on nothing is said again, so nothing but the alarms themselves is asked for.
    let stand = as_recorded(cx, &ids, incident.audience != Audience::Topics).await?;
    let known = |name: &String| stand.get(&id(name)).copied().unwrap_or(GONE);
    Ok(names.into_iter().map(|name| (name.clone(), known(name))).collect())
}

/// What the records say of some alarms, and `by_source` what those of their sources say of them as well. One that is not there
/// is left out.
pub(crate) async fn as_recorded(
    cx: &Context,
    alarms: &BTreeSet<String>,
    by_source: bool,
) -> Result<BTreeMap<String, Known>, TableError> {
    let table = cx.table.as_ref();
    let alarms = alarms::get_many(table, alarms).await?;
    let sources = alarms.iter().filter(|_| by_source).map(|alarm| &alarm.source).collect();
    let mut watches = alarms::watches(table, &sources).await?;
    let parents: BTreeSet<Source> = watches.values().filter_map(|watch| watch.state.unknown.clone()).collect();
    let parents = parents.iter().filter(|parent| !watches.contains_key(*parent)).collect();
    let parents = alarms::watches(table, &parents).await?;
    watches.extend(parents);
    let now = cx.clock.now();
    Ok(alarms.iter().map(|alarm| (alarm.id.clone(), of(alarm, &watches, now))).collect())
}

fn of(alarm: &Alarm, watches: &BTreeMap<Source, Watch>, now: Timestamp) -> Known {
    let state = watches.get(&alarm.source).map(|watch| &watch.state);
    let word = alarm.acknowledged.as_ref().map(|word| (word.at, word.severity));
    let word = word.or_else(|| word_of_another(state?.lives.get(&alarm.rule)?, alarm, now));
    Known {
        over: alarm.cleared_at,
        acknowledged: word.map(|(at, _)| at),
        acknowledged_as: word.and_then(|(_, severity)| severity),
        quiet: state.is_some_and(|state| is_quiet(state, &alarm.rule)),
        unknown: state.and_then(|state| state.unknown.as_ref()).is_some_and(|parent| speaks(watches, parent)),
        gone: false,
    }
}

/// Who took on one of the alarms of what comes and goes has on those that come next.
fn word_of_another(life: &Life, alarm: &Alarm, now: Timestamp) -> Option<(Timestamp, Option<Severity>)> {
    life.told_as(alarm.raised_at)?;
    let word = life.flap.as_ref()?.word.as_ref()?;
    word.until.is_none_or(|until| until > now).then_some((word.at, word.severity))
}

/// Those of some alarms that are on the shelf or out of service.
pub(crate) async fn aside_of(table: &dyn Table, alarms: &BTreeSet<String>) -> Result<BTreeSet<String>, TableError> {
    let alarms = alarms::get_many(table, alarms).await?;
    let watches = alarms::watches(table, &alarms.iter().map(|alarm| &alarm.source).collect()).await?;
    let is_aside = |alarm: &Alarm| watches.get(&alarm.source).is_some_and(|watch| is_quiet(&watch.state, &alarm.rule));
    Ok(alarms.into_iter().filter(is_aside).map(|alarm| alarm.id).collect())
}

/// Whether it is on the shelf or out of service, or what ended that is not told yet. That its time is up does not count: the
/// machine ends it, and has it told.
fn is_quiet(state: &SourceState, rule: &str) -> bool {
    let life = state.lives.get(rule);
    let is_out = [rule, WHOLE_SOURCE].into_iter().any(|name| state.out_of_service.contains_key(name));
    is_out || life.is_some_and(|life| life.shelf.is_some() || life.owed.is_some())
}

/// Whether an alarm of a lost parent stands, or is about to.
fn speaks(watches: &BTreeMap<Source, Watch>, parent: &Source) -> bool {
    watches.get(parent).is_some_and(|watch| watch.state.conditions.values().any(ConditionState::is_seen))
}

/// Of what somebody may not see any more they hear nothing.
pub(super) async fn leave_out_what_is_out_of_sight(
    cx: &Context,
    (incident, apart): (&Incident, &BTreeMap<String, Open>),
    known: &mut BTreeMap<String, Known>,
) -> Result<(), TableError> {
    let Audience::User(name) = &incident.audience else { return Ok(()) };
    let table = cx.table.as_ref();
    let open = incident.state.open.iter().chain(apart);
    let seen = match users::get(table, name).await? {
        Some(user) => users::seen_among(table, &user, open.clone().map(|(_, open)| &open.source)).await?,
        None => BTreeSet::new(),
    };
    let hidden = open.filter(|(_, open)| !seen.contains(&open.source));
    known.extend(hidden.map(|(alarm, _)| (alarm.clone(), GONE)));
    Ok(())
}
