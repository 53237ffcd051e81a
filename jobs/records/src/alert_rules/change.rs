//! Changing rules: all of those that are changed at once, or none.

use domain::{Timestamp, alarm::RuleId};

use super::{AlertRule, HISTORY_RETENTION, PAGE, history_partition, key, marker, marker_key, rule_id, sortable};
use crate::{Condition, Key, MOST_IN_A_TRANSACTION, Outcome, Range, Table, TableError, Versioned, Write, record};
/// The most rules there may be.
pub const MOST: usize = 10_000;
/// The most of them that one person may have.
pub const MOST_OF_A_USER: usize = 200;
/// The most rules that can be changed at once: beside them there is the marker.
pub const MOST_AT_ONCE: usize = MOST_IN_A_TRANSACTION - 1;

/// How often a change is tried anew when another rule was changed meanwhile.
const TRIES: usize = 8;

/// A change of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    rule: RuleId,
    before: Option<AlertRule>,
    after: Option<AlertRule>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a change that was refused did nothing"]
pub enum Changed {
    /// It is done.
    Done,
    /// Nothing was done: one of the rules is no longer what it was when it was read.
    Conflict,
    /// Nothing was done: there would be more than [`MOST`] rules.
    TooMany,
    /// Nothing was done: a person would have more than [`MOST_OF_A_USER`].
    TooManyOfAUser,
}

/// Changes rules, each of them once and all of one owner, at most [`MOST_AT_ONCE`]: all or none. Keeps what they were.
pub async fn change(table: &dyn Table, changes: &[Change], now: Timestamp) -> Result<Changed, TableError> {
    let created = changes.iter().filter(|change| change.before.is_none()).count();
    let deleted = changes.iter().filter(|change| change.after.is_none()).count();
    // What a rule was is true whether or not it is changed in the end: this can be written before.
    let kept = changes.iter().filter_map(|change| change.keeps(now)).collect::<Result<Vec<_>, _>>()?;
    if !kept.is_empty() {
        record::commit(table, kept).await?;
    }
    for _ in 0..TRIES {
        let mut marker = marker(table).await?;
        if created > 0 && marker.value.rules + created > MOST + deleted {
            return Ok(Changed::TooMany);
        }
        if !have_room(table, changes).await? {
            return Ok(Changed::TooManyOfAUser);
        }
        marker.value.rules = (marker.value.rules + created).saturating_sub(deleted);
        let mut writes = changes.iter().map(Change::write).collect::<Result<Vec<_>, _>>()?;
        writes.push(marker.put_back(marker_key(), None)?);
        let refused = match table.transact(writes).await? {
            Outcome::Applied => return Ok(Changed::Done),
            Outcome::Refused { index, .. } => index,
        };
        // An earlier try of the same call may have been done, and its answer lost.
        if are_in_place(table, changes).await? {
            return Ok(Changed::Done);
        }
        if refused < changes.len() {
            return Ok(Changed::Conflict);
        }
    }
    Err(TableError::Away("the rules are changed by many at once".to_owned()))
}

/// Whether everybody who gets a rule may have one more.
async fn have_room(table: &dyn Table, changes: &[Change]) -> Result<bool, TableError> {
    let created = changes.iter().filter(|change| change.before.is_none()).filter_map(|change| change.after.as_ref());
    let owners = created.filter_map(|rule| rule.owner.as_deref());
    let owners: Vec<&str> = owners.collect();
    let Some(owner) = owners.first() else { return Ok(true) };
    let theirs: Vec<AlertRule> =
        record::all(table, Range::all("alert-rule", PAGE).prefix(&rule_id(Some(owner), ""))).await?;
    Ok(theirs.len() + owners.len() <= MOST_OF_A_USER)
}

async fn are_in_place(table: &dyn Table, changes: &[Change]) -> Result<bool, TableError> {
    for change in changes {
        let found = record::get::<AlertRule>(table, &change.key()).await?.map(|found| found.value);
        if found != change.after {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Change {
    /// A new rule; its version is 1.
    pub fn create(after: AlertRule) -> Self {
        Self { rule: after.rule.id.clone(), before: None, after: Some(after) }
    }

    /// A rule in place of what is there, whose version is one less.
    pub fn replace(before: AlertRule, after: AlertRule) -> Self {
        Self { rule: after.rule.id.clone(), before: Some(before), after: Some(after) }
    }

    /// The end of a rule.
    pub fn delete(before: AlertRule) -> Self {
        Self { rule: before.rule.id.clone(), before: Some(before), after: None }
    }

    fn key(&self) -> Key {
        key(&self.rule)
    }

    /// The write that keeps what the rule was.
    fn keeps(&self, now: Timestamp) -> Option<Result<Write, TableError>> {
        let before = self.before.as_ref()?;
        let place = Key::new(history_partition(&self.rule), sortable(before.version));
        Some(record::put_until(place, before, now.plus(HISTORY_RETENTION)))
    }

    fn write(&self) -> Result<Write, TableError> {
        let version = self.before.as_ref().map_or(0, |before| before.version);
        match &self.after {
            Some(after) => Versioned { value: after.clone(), version }.put_back(self.key(), None),
            None => Ok(Write::Delete(self.key(), Condition::Version(version))),
        }
    }
}
