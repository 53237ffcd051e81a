//! What comes and goes is told, and open, under the name of the alarm that showed it: under which it stands by now.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Source,
    alarm::Life,
    routing::incident::{Open, Telling},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm},
    incidents::Incident,
};

/// The latest alarms of what comes and goes, by the names under which it is open.
pub async fn latest<'a>(
    table: &dyn Table,
    open: impl IntoIterator<Item = (&'a String, &'a Open)>,
) -> Result<BTreeMap<String, String>, TableError> {
    let flaps: Vec<(&String, &Open)> = open.into_iter().filter(|(_, open)| open.flaps).collect();
    let watches = alarms::watches(table, &flaps.iter().map(|(_, open)| &open.source).collect()).await?;
    let latest = flaps.into_iter().filter_map(|(name, open)| {
        let life = watches.get(&open.source)?.state.lives.get(&open.rule)?;
        Some((name.clone(), life.alarm.clone()))
    });
    Ok(latest.collect())
}

/// An incident and what is told of it, with what comes and goes under the names of its latest alarms; none where nothing does.
pub(crate) async fn under_latest(
    table: &dyn Table,
    incident: &Incident,
    telling: &Telling,
) -> Result<Option<(Incident, Telling)>, TableError> {
    let latest = latest(table, &incident.state.open).await?;
    if latest.is_empty() {
        return Ok(None);
    }
    let name = |name: String| latest.get(&name).cloned().unwrap_or(name);
    let (mut incident, mut telling) = (incident.clone(), telling.clone());
    let open = std::mem::take(&mut incident.state.open);
    incident.state.open = open.into_iter().map(|(alarm, open)| (name(alarm), open)).collect();
    telling.alarms = telling.alarms.into_iter().map(name).collect();
    Ok(Some((incident, telling)))
}

/// Under which names people were told of those of some alarms that come and go, by their own.
pub(crate) async fn told_as(table: &dyn Table, alarms: &[&Alarm]) -> Result<BTreeMap<String, String>, TableError> {
    let flapping = flapping(table, alarms.iter().copied()).await?;
    Ok(flapping.into_iter().map(|(alarm, name, _)| (alarm.id.clone(), name)).collect())
}

/// Of some alarms those whose rules come and go, each under which name people were told of that, and the rule's life.
async fn flapping<'a>(
    table: &dyn Table,
    alarms: impl IntoIterator<Item = &'a Alarm> + Clone,
) -> Result<Vec<(&'a Alarm, String, Life)>, TableError> {
    let sources: BTreeSet<&Source> = alarms.clone().into_iter().map(|alarm| &alarm.source).collect();
    let watches = alarms::watches(table, &sources).await?;
    let flapping = alarms.into_iter().filter_map(|alarm| {
        let life = watches.get(&alarm.source)?.state.lives.get(&alarm.rule)?;
        Some((alarm, life.told_as(alarm.raised_at)?.to_owned(), life.clone()))
    });
    Ok(flapping.collect())
}

/// Of some alarms those that are over and whose rule comes and goes still, and whether it stands at present.
pub(crate) async fn going_on(table: &dyn Table, over: &BTreeSet<&str>) -> Result<BTreeMap<String, bool>, TableError> {
    let over: BTreeSet<String> = over.iter().map(|id| (*id).to_owned()).collect();
    let alarms = alarms::get_many(table, &over).await?;
    let flapping = flapping(table, &alarms).await?;
    Ok(flapping.into_iter().map(|(alarm, _, life)| (alarm.id.clone(), life.stands)).collect())
}

/// Alarms that people were told of by their names, each that showed that it comes and goes as the latest of them.
pub async fn as_latest(table: &dyn Table, alarms: Vec<Alarm>) -> Result<Vec<Alarm>, TableError> {
    let flapping = flapping(table, alarms.iter().filter(|alarm| alarm.cleared_at.is_some())).await?;
    let shown = flapping.into_iter().filter(|(alarm, name, _)| alarm.id == *name);
    let shown: BTreeMap<String, String> = shown.map(|(_, name, life)| (name, life.alarm)).collect();
    let latest = |alarm: &Alarm| shown.get(&alarm.id).cloned();
    let ids: BTreeSet<String> = alarms.iter().map(|alarm| latest(alarm).unwrap_or_else(|| alarm.id.clone())).collect();
    if alarms.iter().all(|alarm| ids.contains(&alarm.id)) {
        return Ok(alarms);
    }
    alarms::get_many(table, &ids).await
}
