//! Alarms: what the machine remembers of each source, the alarms themselves, and what changed.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Watch`] | `watch#` source | `watch` |
//! | [`Alarm`] | `alarm` | id |
//! | the alarms that are active | `alarm-active` | id |
//! | the alarms of a terminal | `terminal-alarms#` mac | id |
//! | the alarms of a node | `node-alarms#` node | id |
//! | [`Transition`] | `transition#` source | id |
//! | when a source is to be looked at again | `timer` | due, `#`, source |
//!
//! A step of the machine is one transaction over all of them, so that no reader sees half of it. What is to be told
//! stays in the watch's `outbox` until it was handed on: a crash between the two tells it again, under the same name.

mod cause;
mod end;
mod life;
mod stepping;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    Mac, Source, Timestamp,
    alarm::{Change, Severity, SourceState},
    identity::least_id_of,
};
use serde::{Deserialize, Serialize};

pub use cause::{Cause, CausingFact, CausingRule, Grounds};
pub use end::end;
pub use life::{AlarmEvent, AlarmLife, Shelved};
pub use stepping::{act, put_step};

use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, record};

/// How long a transition is kept after it was told.
pub const TRANSITION_RETENTION: Duration = Duration::from_hours(90 * 24);

/// How often it is tried anew when somebody steps the same source meanwhile.
const TRIES: usize = 8;

/// What is remembered of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// The machine's memory.
    pub state: SourceState,
    /// When it is to be looked at if nothing arrives.
    pub timer: Option<Timestamp>,
    /// Transitions that may not have been handed on yet.
    pub outbox: Vec<String>,
    /// What began the conditions whose delay runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub began: Vec<CausingFact>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// A ULID, derived from what raised it.
    pub id: String,
    /// What it is about.
    pub source: Source,
    /// The rule that raised it.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen when it was raised.
    pub detail: String,
    /// When the condition began.
    pub raised_at: Timestamp,
    /// When the condition was seen to be over.
    pub cleared_at: Option<Timestamp>,
    /// What was seen then.
    pub cleared_by: Option<String>,
    /// Who took it on, and when.
    pub acknowledged: Option<Acknowledgement>,
    /// How much it came to matter since it was raised, oldest first: the first of it, and the latest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<SeverityChange>,
    /// Whether its rule is only tried out: nobody was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// What became of it beside.
    #[serde(default)]
    pub life: AlarmLife,
}

/// That an alarm came to matter more, or less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityChange {
    /// When.
    pub at: Timestamp,
    /// How much since then.
    pub severity: Severity,
    /// What was seen then.
    pub detail: String,
}

impl Alarm {
    /// For how long its condition held, or holds at that instant.
    pub fn lasted(&self, now: Timestamp) -> Duration {
        self.life.over_at.or(self.cleared_at).unwrap_or(now).since(self.raised_at)
    }

    /// Whether somebody has it on who knew how much it matters: their word is not for what came to matter more since.
    pub fn is_taken_on(&self) -> bool {
        self.acknowledged.as_ref().is_some_and(|word| self.severity.is_covered(word.severity))
    }

    /// Whose it is: a rule of theirs raised it. None for everybody's.
    pub fn owner(&self) -> Option<String> {
        domain::alarm::owner(&self.rule)
    }
}

/// Somebody's word that they take an alarm on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The user.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub note: Option<String>,
    /// Until when it holds; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How much it mattered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl Acknowledgement {
    /// Whether it still holds, where words without an end hold for `lasts` (for good without).
    pub fn holds(&self, now: Timestamp, lasts: Option<Duration>) -> bool {
        let end = self.until.or_else(|| lasts.map(|lasts| self.at.plus(lasts)));
        end.is_none_or(|end| now < end)
    }
}

/// What one piece of evidence changed on one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Derived from the source and the evidence.
    pub id: String,
    /// The source.
    pub source: Source,
    /// When it was decided.
    pub at: Timestamp,
    /// What changed.
    pub changes: Vec<Change>,
    /// Why nothing was known of the source then, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Source>,
    /// Why. None of those that were stored before that was kept, and of a source that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// What is remembered of a source; the default when nothing is.
pub async fn watch(table: &dyn Table, source: &Source) -> Result<Versioned<Watch>, TableError> {
    record::get_or_default(table, &watch_key(source)).await
}

/// What is remembered of several sources, of those that there is anything of.
pub async fn watches(table: &dyn Table, sources: &BTreeSet<&Source>) -> Result<BTreeMap<Source, Watch>, TableError> {
    let keys: BTreeMap<Key, &Source> = sources.iter().map(|source| (watch_key(source), *source)).collect();
    let wanted: Vec<Key> = keys.keys().cloned().collect();
    let items = if wanted.is_empty() { Vec::new() } else { table.get_many(&wanted).await? };
    let found = items.iter().filter_map(|item| keys.get(&item.key).map(|source| (*source, item)));
    found.map(|(source, item)| Ok((source.clone(), record::decode(item)?.value))).collect()
}

/// The writes that move a source's timer and store its watch. Refused when somebody else stepped it meanwhile.
pub fn put_watch(
    source: &Source,
    watch: &Versioned<Watch>,
    old_timer: Option<Timestamp>,
) -> Result<Vec<Write>, TableError> {
    let mut writes = vec![watch.put_back(watch_key(source), forgotten_at(source, &watch.value))?];
    if watch.value.timer != old_timer {
        writes.extend(old_timer.map(|due| record::delete(timer_key(due, source))));
        if let Some(due) = watch.value.timer {
            writes.push(record::put(timer_key(due, source), source)?);
        }
    }
    Ok(writes)
}

/// Has a source looked at by the next sweep: what is known of it changed, and not by evidence.
pub async fn look_soon(table: &dyn Table, source: &Source, now: Timestamp) -> Result<(), TableError> {
    for _ in 0..TRIES {
        let mut watch = watch(table, source).await?;
        let before = watch.value.timer;
        if before.is_some_and(|due| due <= now) {
            return Ok(());
        }
        watch.value.timer = Some(now);
        if table.transact(put_watch(source, &watch, before)?).await?.applied() {
            return Ok(());
        }
    }
    Err(TableError::Away(format!("{source} is stepped by many at once")))
}

/// Parts of the platform come and go under new names, and nobody removes them: one of which nothing is wrong is forgotten
/// when nothing of it can be under way any more.
fn forgotten_at(source: &Source, watch: &Watch) -> Option<Timestamp> {
    let is_of_platform = matches!(source, Source::Platform(_));
    let state = &watch.state;
    let is_well = state.conditions.is_empty() && state.out_of_service.is_empty() && watch.outbox.is_empty();
    let newest = watch.state.newest.values().map(|seen| seen.at).max();
    newest.filter(|_| is_of_platform && is_well).map(|newest| newest.plus(TRANSITION_RETENTION))
}

/// The writes that store a transition.
pub fn put_transition(transition: &Transition) -> Result<Write, TableError> {
    let key = Key::new(format!("transition#{}", transition.source), &transition.id);
    record::put_new(key, transition, Some(transition.at.plus(TRANSITION_RETENTION)))
}

/// A source's transition.
pub async fn transition(table: &dyn Table, source: &Source, id: &str) -> Result<Option<Transition>, TableError> {
    let key = Key::new(format!("transition#{source}"), id);
    Ok(record::get(table, &key).await?.map(|transition| transition.value))
}

/// A page of a source's transitions, oldest first, of facts of `since` or later.
pub async fn transitions(
    table: &dyn Table,
    source: &Source,
    since: Timestamp,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Transition>, TableError> {
    let range = Range { from: least_id_of(since), ..Range::all(format!("transition#{source}"), limit) };
    record::page(table, &range.after(after)).await
}

/// The writes that store an alarm as it is now, and list it where it belongs.
pub fn put(alarm: &Versioned<Alarm>) -> Result<Vec<Write>, TableError> {
    let id = &alarm.value.id;
    let active = Key::new("alarm-active", id);
    let listed = match alarm.value.cleared_at {
        None => record::put(active, id)?,
        Some(_) => record::delete(active),
    };
    let mut writes = vec![alarm.put_back(key(id), None)?, listed];
    let listed_with = match &alarm.value.source {
        Source::Node(node) => Some(of_node(node)),
        source => source.mac().map(of_terminal),
    };
    if let Some(listed_with) = listed_with {
        writes.push(record::put(Key::new(listed_with, id), id)?);
    }
    Ok(writes)
}

/// An alarm, to be changed.
pub async fn get(table: &dyn Table, id: &str) -> Result<Option<Versioned<Alarm>>, TableError> {
    record::get(table, &key(id)).await
}

/// Those of the alarms that are active.
pub async fn active_of<'a>(
    table: &dyn Table,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<String>, TableError> {
    let keys: Vec<Key> = ids.into_iter().map(|id| Key::new("alarm-active", id)).collect();
    Ok(table.get_many(&keys).await?.into_iter().map(|item| item.key.sk).collect())
}

/// The alarms of those ids that are there, in no particular order.
pub async fn get_many(table: &dyn Table, ids: impl IntoIterator<Item = &String>) -> Result<Vec<Alarm>, TableError> {
    let keys: Vec<Key> = ids.into_iter().map(|id| key(id)).collect();
    let items = if keys.is_empty() { Vec::new() } else { table.get_many(&keys).await? };
    items.iter().map(|item| record::decode(item).map(|alarm| alarm.value)).collect()
}

/// Which alarms are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All that ever were.
    All,
    /// Those that are active.
    Active,
    /// All of one terminal and its devices.
    OfTerminal(&'a Mac),
    /// All of one node itself.
    OfNode(&'a str),
    /// Those of these ids.
    These(&'a BTreeSet<String>),
}

/// A page of alarms, newest first.
pub async fn list(
    table: &dyn Table,
    which: Which<'_>,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Alarm>, TableError> {
    let range = |pk: String| Range::all(pk, limit).newest_first().after(after.clone());
    let ids: Listed<String> = match which {
        Which::All => return record::page(table, &range("alarm".to_owned())).await,
        Which::Active => record::page(table, &range("alarm-active".to_owned())).await?,
        Which::OfTerminal(mac) => record::page(table, &range(of_terminal(mac))).await?,
        Which::OfNode(node) => record::page(table, &range(of_node(node))).await?,
        Which::These(ids) => part_of(ids, limit, after.as_deref()),
    };
    record::named(table, ids, key).await
}

/// A page of ids, newest first.
fn part_of(ids: &BTreeSet<String>, limit: usize, after: Option<&str>) -> Listed<String> {
    let mut left = ids.iter().rev().filter(|id| after.is_none_or(|after| id.as_str() < after)).cloned();
    let items: Vec<String> = left.by_ref().take(limit).collect();
    let next = items.last().filter(|_| left.next().is_some()).cloned();
    Listed { items, next }
}

/// The sources whose timers are due, earliest first.
pub async fn due(table: &dyn Table, now: Timestamp, limit: usize) -> Result<Vec<(Timestamp, Source)>, TableError> {
    let range = Range::all("timer", limit).between("", format!("{}#~", now.sortable()));
    let page = table.query(&range).await?;
    page.items
        .iter()
        .map(|item| {
            let source = record::decode(item)?.value;
            let due = item.key.sk.split('#').next().and_then(|due| due.parse().ok());
            due.map(|due| (Timestamp(due), source)).ok_or_else(|| TableError::Damaged(format!("timer {}", item.key.sk)))
        })
        .collect()
}

fn key(id: &str) -> Key {
    Key::new("alarm", id)
}

pub(crate) fn watch_key(source: &Source) -> Key {
    Key::new(format!("watch#{source}"), "watch")
}

fn of_terminal(mac: &Mac) -> String {
    format!("terminal-alarms#{mac}")
}

fn of_node(node: &str) -> String {
    format!("node-alarms#{node}")
}

fn timer_key(due: Timestamp, source: &Source) -> Key {
    Key::new("timer", format!("{}#{source}", due.sortable()))
}
