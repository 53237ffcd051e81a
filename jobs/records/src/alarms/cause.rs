//! Why a transition came about: what was seen, what came over the line, and what the rules were then.

mod began;
mod room;

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    alarm::{Change, Evidence, Fact, Frames, Rule, RuleSet},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::began::remembered;
use self::room::Room;
use crate::fingerprint::sha256_hex;

/// The most bytes of JSON that a cause takes, about: an item has a most size, and what is written is paid for.
const MOST_BYTES: usize = 16 * 1024;
/// How much of a rule's fingerprint is kept, in characters.
const FINGERPRINT: usize = 12;

/// What a step was taken by.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// What is watched on the source; none where somebody acts.
    pub rules: &'a RuleSet,
    /// The fact that was looked at.
    pub evidence: &'a Evidence,
    /// Newer ones that were known already, and were looked at in the same step, in order.
    pub newer: &'a [Evidence],
}

impl<'a> Grounds<'a> {
    /// All that was looked at, in order.
    fn seen(self) -> impl Iterator<Item = &'a Evidence> {
        [self.evidence].into_iter().chain(self.newer)
    }
}

/// Why a transition came about. What of it is too much is left out: frames first, then rules, then values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What was seen, oldest first: what began the conditions, where they had to hold for some time, and what was looked at.
    pub facts: Vec<CausingFact>,
    /// The rules whose alarms changed, as they were. Of one that is gone, and of what somebody did, there is none.
    #[serde(default)]
    pub rules: Vec<CausingRule>,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausingFact {
    /// The evidence's id.
    pub evidence: String,
    /// When it was so.
    pub at: Timestamp,
    /// Whether it was before: it began a condition that had to hold for some time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub began: bool,
    /// What was seen; of its values those that the rules watch.
    pub fact: Fact,
    /// How many of these values are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub values_left_out: u32,
    /// What came over the line, where it was read there.
    #[serde(default, skip_serializing_if = "Frames::is_empty")]
    pub frames: Frames,
}

/// A rule as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausingRule {
    /// Its id.
    pub id: String,
    /// Which writing of it, where people made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The beginning of the SHA-256 of its definition, where it has no version: it tells one writing from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What it says, as it is stored; none where there was no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Whether that is what began a change that had to be so for some time: an alarm, or its end.
fn is_begun_by(change: &Change, fact: &CausingFact) -> bool {
    let over = change.lasted().map(|lasted| change.since.plus(lasted));
    change.since == fact.at || over == Some(fact.at)
}

impl Cause {
    /// Why these changes came about, given what is remembered of what began them.
    pub(super) fn of(grounds: Grounds<'_>, changes: &[Change], began: &[CausingFact]) -> Self {
        let ids: BTreeSet<&str> = changes.iter().map(|change| change.rule.as_str()).collect();
        let rules: Vec<&Rule> = ids.iter().filter_map(|id| grounds.rules.get(id).map(AsRef::as_ref)).collect();
        let names = rules.iter().flat_map(|rule| rule.condition.names()).collect();
        let is_beginning = |fact: &&CausingFact| {
            fact.evidence != grounds.evidence.id && changes.iter().any(|change| is_begun_by(change, fact))
        };
        let seen = grounds.seen().map(|evidence| CausingFact::of(evidence, &names));
        let facts: Vec<CausingFact> = began.iter().filter(is_beginning).cloned().chain(seen).collect();
        let mut room = Room::of(MOST_BYTES);
        let bare = rules.iter().map(|rule| CausingRule::of(rule));
        let mut rules_then: Vec<CausingRule> = bare.inspect(|rule| room.take(rule)).collect();
        let facts: Vec<(CausingFact, Frames)> = facts.into_iter().map(|fact| fact.with_values_for(&mut room)).collect();
        for (then, rule) in rules_then.iter_mut().zip(rules) {
            then.definition = serde_json::to_value(rule).ok().filter(|rule| room.takes(&("definition", rule)));
        }
        let facts = facts.into_iter().map(|(fact, frames)| fact.with_frames_for(frames, &mut room)).collect();
        Self { facts, rules: rules_then }
    }

    /// What of it is about these changes, which are of one rule.
    pub(crate) fn about(mut self, changes: &[Change]) -> Self {
        self.facts.retain(|fact| !fact.began || changes.iter().any(|change| is_begun_by(change, fact)));
        match changes.first() {
            Some(change) => self.of_rule(&change.rule),
            None => self,
        }
    }

    fn of_rule(self, id: &str) -> Self {
        let rules: Vec<CausingRule> = self.rules.into_iter().filter(|rule| rule.id == id).collect();
        // A rule that this program cannot read any more says nothing of its values: then all are shown.
        let rule = rules.first().and_then(|rule| serde_json::from_value::<Rule>(rule.definition.clone()?).ok());
        let facts = match rule {
            Some(rule) => {
                let names = rule.condition.names().into_iter().collect();
                let of_names = |fact: CausingFact| CausingFact { fact: fact.fact.of_names(&names), ..fact };
                self.facts.into_iter().map(of_names).collect()
            }
            None => self.facts,
        };
        Self { facts, rules }
    }
}

impl CausingFact {
    /// What was seen beside values, in words; none where that is nothing.
    pub fn words(&self) -> Option<String> {
        match &self.fact {
            Fact::Values { .. } | Fact::Known { .. } => None,
            Fact::Missed { count } => Some(format!("{count} queries in a row without an answer")),
            Fact::LinkLost { cause, .. } => Some(format!("link lost: {cause}")),
            Fact::LinkSeen => Some("seen on its link".to_owned()),
            Fact::ParentLost { parent } => Some(format!("{parent} is lost, and it hangs on that")),
            Fact::Away { why } => Some(why.clone()),
            Fact::Back { how } => Some(how.clone()),
            Fact::Acted { act } => Some(format!("{} did something", act.by)),
            Fact::Tick => Some("time passed".to_owned()),
        }
    }

    fn of(evidence: &Evidence, names: &BTreeSet<&str>) -> Self {
        Self {
            evidence: evidence.id.clone(),
            at: evidence.at,
            began: false,
            fact: evidence.fact.of_names(names),
            values_left_out: 0,
            frames: evidence.frames.clone(),
        }
    }

    /// The same with those of its values that there is room for and none of its frames, and these.
    fn with_values_for(mut self, room: &mut Room) -> (Self, Frames) {
        let frames = std::mem::take(&mut self.frames);
        self.frames = frames.counted();
        let mut values = match &mut self.fact {
            Fact::Values { values } | Fact::Known { values } => std::mem::take(values),
            _ => Vec::new(),
        };
        self.values_left_out = u32::try_from(values.len()).unwrap_or(u32::MAX);
        room.take(&self);
        values.retain(|value| room.takes(value));
        self.values_left_out -= u32::try_from(values.len()).unwrap_or(u32::MAX);
        if let Fact::Values { values: kept } | Fact::Known { values: kept } = &mut self.fact {
            *kept = values;
        }
        (self, frames)
    }

    /// The same with these frames, if there is room for them.
    fn with_frames_for(self, frames: Frames, room: &mut Room) -> Self {
        if room.takes(&frames) { Self { frames, ..self } } else { self }
    }
}

impl CausingRule {
    /// Without its definition.
    fn of(rule: &Rule) -> Self {
        let fingerprint = || {
            let mut digest = sha256_hex(&serde_json::to_vec(rule).ok()?);
            digest.truncate(FINGERPRINT);
            Some(digest)
        };
        let fingerprint = if rule.version.is_some() { None } else { fingerprint() };
        Self { id: rule.id.clone(), version: rule.version, fingerprint, definition: None }
    }
}

#[cfg(test)]
mod tests;
