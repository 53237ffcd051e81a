//! Of which alarms an audience that no binding names heard the beginning: it hears of the rest, whatever becomes of its policy or
//! its rule's recipients meanwhile.

use std::{collections::BTreeSet, time::Duration};

use domain::{Timestamp, alarm::RuleId};
use serde::{Deserialize, Serialize};

use super::{Audience, Incident};
use crate::{Key, Range, Table, TableError, Write, record};

/// So long it is remembered: longer than alarms stand.
const RETENTION: Duration = Duration::from_hours(400 * 24);

/// More audiences than would ever hear of one alarm.
const MOST: usize = 100;

/// Who heard of the beginning of an alarm, and in which group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Begun {
    /// Who.
    pub audience: Audience,
    /// What it belongs to.
    pub group: String,
    /// What people call the group.
    pub place: String,
}

/// The writes that say that an incident heard of the beginning of these alarms.
pub fn put_begun<'a>(
    incident: &Incident,
    alarms: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> Result<Vec<Write>, TableError> {
    let Incident { audience, group, place, .. } = incident;
    let begun = Begun { audience: audience.clone(), group: group.clone(), place: place.clone() };
    let key = |alarm: &str| Key::new(partition(alarm), format!("{audience}#{group}"));
    let alarms: BTreeSet<&str> = alarms.into_iter().collect();
    alarms.into_iter().map(|alarm| record::put_until(key(alarm), &begun, now.plus(RETENTION))).collect()
}

/// Who heard of the beginning of an alarm.
pub async fn begun(table: &dyn Table, alarm: &str) -> Result<Vec<Begun>, TableError> {
    Ok(record::page(table, &Range::all(partition(alarm), MOST)).await?.items)
}

/// The group in which an alarm began, what people call that, and the common rule in whose place its rule stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    group: String,
    place: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stood_in_for: Option<RuleId>,
}

/// The group in which an alarm began, where that is remembered.
pub async fn group_of(table: &dyn Table, alarm: &str) -> Result<Option<(String, String)>, TableError> {
    let kept = record::get::<Kept>(table, &group_key(alarm)).await?;
    Ok(kept.map(|kept| (kept.value.group, kept.value.place)))
}

/// The common rule in whose place that of an alarm stood when it began, where that is remembered.
pub async fn stood_in_for(table: &dyn Table, alarm: &str) -> Result<Option<RuleId>, TableError> {
    let kept = record::get::<Kept>(table, &group_key(alarm)).await?;
    Ok(kept.and_then(|kept| kept.value.stood_in_for))
}

/// Remembers the group in which an alarm begins, and the common rule in whose place its rule stands; gives the one that it is in, which is another where that was said before.
pub async fn keep_group(
    table: &dyn Table,
    alarm: &str,
    ((group, place), stood_in_for): ((String, String), Option<&RuleId>),
    now: Timestamp,
) -> Result<(String, String), TableError> {
    let kept = Kept { group: group.clone(), place: place.clone(), stood_in_for: stood_in_for.cloned() };
    let write = record::put_new(group_key(alarm), &kept, Some(now.plus(RETENTION)))?;
    if table.write(write).await?.applied() {
        return Ok((group, place));
    }
    Ok(group_of(table, alarm).await?.unwrap_or((group, place)))
}

fn group_key(alarm: &str) -> Key {
    Key::new(format!("incident-group#{alarm}"), "group")
}

fn partition(alarm: &str) -> String {
    format!("incident-alarm#{alarm}")
}
