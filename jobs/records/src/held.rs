//! What is held: notices that are told later, as one.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Held`] | `held#` channel `#` user | `notice#` id |
//! | [`Held`] that was told | `held#` channel `#` user | `told#` id |
//! | [`Seal`] | `held#` channel `#` user | `seal` |
//! | who is to be looked at when | `held-timer` | due, `#`, channel, `#`, user |
//!
//! A held notice and its timer are one write. What is told together is sealed together with the notice that tells it, so that
//! a crash neither tells it twice nor loses it.

use std::time::Duration;

use domain::{Source, Timestamp, alarm::Change, routing::Why};
use serde::{Deserialize, Serialize};

use crate::{Key, MOST_IN_A_TRANSACTION, Outcome, Range, Table, TableError, Versioned, Write, record};

/// How long what is held is kept beyond when it is to be told, if nobody ever tells it.
pub const RETENTION: Duration = Duration::from_hours(90 * 24);
/// What is held may be held again, by what somebody says meanwhile: a silence may last 366 days.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// How long it is known that something was held and told: longer than what held it is run again.
const TOLD_RETENTION: Duration = Duration::from_hours(24);
/// The most that is told at once; the rest is told next.
pub const MOST_AT_ONCE: usize = 1000;

/// A notice that is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// A ULID, derived from transition, user and channel.
    pub id: String,
    /// Who is to be told: a user's name, or everybody.
    pub user: String,
    /// On which channel.
    pub channel: String,
    /// About what.
    pub source: Source,
    /// The node that it hangs on.
    pub node: Option<String>,
    /// What people call it.
    pub place: String,
    /// About which transition.
    pub transition: String,
    /// Every transition that it tells of, where they are more than that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// What holds it.
    pub why: Why,
    /// When it was to be told.
    pub at: Timestamp,
    /// Whether a policy or a rule names them, so that they hear of it whatever they see.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_by_name: bool,
}

impl Held {
    /// Every transition that it tells of.
    pub fn all_transitions(&self) -> impl Iterator<Item = &String> {
        let others = self.transitions.iter().filter(|other| **other != self.transition);
        others.chain([&self.transition])
    }
}

/// What is told together, while it is being told. Its version grows with each time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seal {
    /// The notice that tells it; none when nothing is being told.
    pub notice: Option<String>,
    /// The held notices that it tells.
    pub held: Vec<String>,
}

/// Whose held notices are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// A user's name, or everybody.
    pub user: String,
    /// The channel.
    pub channel: String,
    /// Since when.
    pub at: Timestamp,
}

/// Holds a notice until then. The same one again changes nothing.
pub async fn hold(table: &dyn Table, held: &Held, until: Timestamp) -> Result<(), TableError> {
    let due = Due { user: held.user.clone(), channel: held.channel.clone(), at: until };
    let key = Key::new(partition(&held.channel, &held.user), notice_key(&held.id));
    let notice = record::put_new(key, held, Some(held.at.max(until).plus(LONGEST + RETENTION)))?;
    match table.transact(vec![notice, record::put(timer_key(&due), &due)?]).await? {
        // It was held by an earlier run, together with its timer.
        Outcome::Applied | Outcome::Refused { .. } => Ok(()),
    }
}

/// What is held for a user on a channel, oldest first, at most [`MOST_AT_ONCE`].
pub async fn list(table: &dyn Table, channel: &str, user: &str) -> Result<Vec<Held>, TableError> {
    let range = |after| Range::all(partition(channel, user), MOST_AT_ONCE).prefix("notice#").after(after);
    let (mut held, mut after) = (Vec::new(), None);
    loop {
        let page = record::page(table, &range(after)).await?;
        held.extend(page.items);
        after = page.next;
        if after.is_none() || held.len() >= MOST_AT_ONCE {
            held.truncate(MOST_AT_ONCE);
            return Ok(held);
        }
    }
}

/// How far telling what is held for a user on a channel has come.
pub async fn seal(table: &dyn Table, channel: &str, user: &str) -> Result<Versioned<Seal>, TableError> {
    record::get_or_default(table, &Key::new(partition(channel, user), "seal")).await
}

/// The write that stores how far it has come.
pub fn put_seal(channel: &str, user: &str, seal: &Versioned<Seal>) -> Result<Write, TableError> {
    seal.put_back(Key::new(partition(channel, user), "seal"), None)
}

/// A notice of that id that is held, or that was and is told by now.
pub async fn find(table: &dyn Table, channel: &str, user: &str, id: &str) -> Result<Option<Held>, TableError> {
    let keys = [notice_key(id), told_key(id)].map(|key| Key::new(partition(channel, user), key));
    let items = table.get_many(&keys).await?;
    items.first().map(|item| record::decode(item).map(|held| held.value)).transpose()
}

/// No longer holds what was told, or what nobody is to be told of any more.
pub async fn let_go(table: &dyn Table, held: &[Held], now: Timestamp) -> Result<(), TableError> {
    for some in held.chunks(MOST_IN_A_TRANSACTION / 2) {
        let mut writes = Vec::new();
        for one in some {
            let key = |key| Key::new(partition(&one.channel, &one.user), key);
            writes.push(record::delete(key(notice_key(&one.id))));
            writes.push(record::put_until(key(told_key(&one.id)), one, now.plus(TOLD_RETENTION))?);
        }
        record::commit(table, writes).await?;
    }
    Ok(())
}

/// Those of a seal that are held still.
pub async fn sealed(table: &dyn Table, channel: &str, user: &str, seal: &Seal) -> Result<Vec<Held>, TableError> {
    let keys: Vec<Key> = seal.held.iter().map(|id| Key::new(partition(channel, user), notice_key(id))).collect();
    table.get_many(&keys).await?.iter().map(|item| record::decode(item).map(|held| held.value)).collect()
}

/// The timers that are due by then, earliest first.
pub async fn due(table: &dyn Table, until: Timestamp, limit: usize) -> Result<Vec<Due>, TableError> {
    let range = Range::all("held-timer", limit).between("", format!("{}#{}", until.sortable(), char::MAX));
    Ok(record::page(table, &range).await?.items)
}

/// Sets a timer.
pub async fn wake(table: &dyn Table, due: &Due) -> Result<(), TableError> {
    record::commit(table, vec![record::put(timer_key(due), due)?]).await
}

/// Has all that is held, or all that is held for a user, looked at now: what held it may be over. Its timers are moved.
pub async fn wake_all(table: &dyn Table, user: Option<&str>, now: Timestamp) -> Result<(), TableError> {
    let all: Vec<Due> = record::all(table, Range::all("held-timer", MOST_AT_ONCE)).await?;
    let is_wanted = |due: &Due| user.is_none_or(|user| user == due.user) && due.at > now;
    let wanted: Vec<Due> = all.into_iter().filter(is_wanted).collect();
    // Each is removed and set anew.
    for some in wanted.chunks(MOST_IN_A_TRANSACTION / 2) {
        let mut wakes: Vec<Due> = some.iter().map(|due| Due { at: now, ..due.clone() }).collect();
        wakes.sort_by(|a, b| (&a.channel, &a.user).cmp(&(&b.channel, &b.user)));
        wakes.dedup();
        let removed = some.iter().map(|due| Ok(record::delete(timer_key(due))));
        let set = wakes.iter().map(|due| record::put(timer_key(due), due));
        record::commit(table, removed.chain(set).collect::<Result<_, _>>()?).await?;
    }
    Ok(())
}

/// Removes a timer.
pub async fn unset(table: &dyn Table, due: &Due) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(timer_key(due))]).await
}

fn partition(channel: &str, user: &str) -> String {
    format!("held#{channel}#{user}")
}

fn notice_key(id: &str) -> String {
    format!("notice#{id}")
}

fn told_key(id: &str) -> String {
    format!("told#{id}")
}

fn timer_key(due: &Due) -> Key {
    Key::new("held-timer", format!("{}#{}#{}", due.at.sortable(), due.channel, due.user))
}
