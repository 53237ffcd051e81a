//! What was held, told as one: each alarm once.

use std::collections::BTreeMap;

use super::verdict::Why;
use crate::{
    Source,
    alarm::{Change, Severity},
};

/// A change that was held.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Its source.
    pub source: &'a Source,
    /// What people call that.
    pub place: &'a str,
    /// The change.
    pub change: &'a Change,
    /// What held it.
    pub why: Why,
}

/// An alarm in a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its source.
    pub source: Source,
    /// What people call that.
    pub place: String,
    /// What is told of it: its beginning, or what became of it since; with how much it matters by now.
    pub seen: Change,
    /// Its end, where that is not what is told.
    pub ended: Option<Change>,
}

/// What was held, by what became of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// What stands.
    pub standing: Vec<Line>,
    /// What stood when its source was last seen, of which nothing is known at present.
    pub unseen: Vec<Line>,
    /// What is over of what was told before.
    pub recovered: Vec<Line>,
    /// What came and went meanwhile.
    pub passed: Vec<Line>,
    /// What nothing watches for any more: nobody knows whether it is over.
    pub unwatched: Vec<Line>,
    /// What held it.
    pub reasons: Vec<Why>,
}

/// What was held of one alarm.
#[derive(Debug)]
struct Life<'a> {
    source: &'a Source,
    place: &'a str,
    raised: Option<&'a Change>,
    cleared: Option<&'a Change>,
    last: Option<&'a Change>,
}

impl Summary {
    /// Of what was held, in the order in which it happened. `is_active` tells which alarms stand by now.
    pub fn of<'a>(held: impl IntoIterator<Item = Held<'a>>, is_active: impl Fn(&str) -> bool) -> Self {
        let mut lives: BTreeMap<&str, Life<'_>> = BTreeMap::new();
        let mut reasons = Vec::new();
        for Held { source, place, change, why } in held {
            let unknown = Life { source, place, raised: None, cleared: None, last: None };
            let life = lives.entry(&change.alarm).or_insert(unknown);
            // What was told before, as what was put off or on the shelf, does not come and go in the dark.
            if change.begins() && why != Why::Snooze && !change.told_before {
                life.raised = Some(change);
            } else if change.ends() {
                life.cleared = Some(change);
            }
            life.last = life.last.filter(|last| last.at > change.at).or(Some(change));
            // It only follows from another.
            if why != Why::Order && !reasons.contains(&why) {
                reasons.push(why);
            }
        }
        // What held that is told elsewhere, and this waited for it.
        if reasons.is_empty() && !lives.is_empty() {
            reasons.push(Why::Order);
        }
        let mut summary = Self { reasons, ..Self::default() };
        for (alarm, life) in lives {
            summary.add(&life, is_active(alarm));
        }
        let Self { standing, recovered, passed, unwatched, .. } = &mut summary;
        for lines in [standing, recovered, passed, unwatched] {
            lines.sort_by_key(|line| std::cmp::Reverse(line.seen.severity));
        }
        summary
    }

    /// The same, where nothing is known of some sources at present: whether what stood there still does, nobody knows.
    #[must_use]
    pub fn unseen_where(mut self, is_unknown: impl Fn(&Source) -> bool) -> Self {
        (self.unseen, self.standing) = self.standing.into_iter().partition(|line| is_unknown(&line.source));
        self
    }

    fn add(&mut self, life: &Life<'_>, is_active: bool) {
        let Some(last) = life.last else { return };
        let (told, seen) = match (life.raised, life.cleared) {
            // Cleared without a word, as what is removed is: it came and went all the same.
            (Some(raised), None) if !is_active => (&mut self.passed, raised),
            (_, Some(ended)) if ended.is_unwatched() => (&mut self.unwatched, life.raised.unwrap_or(ended)),
            (Some(raised), Some(_)) => (&mut self.passed, raised),
            (None, Some(cleared)) => (&mut self.recovered, cleared),
            (_, None) if is_active => (&mut self.standing, last),
            // It came to matter more, and its end was told.
            (_, None) => return,
        };
        let ended = life.cleared.filter(|cleared| *cleared != seen).cloned();
        let seen = Change { severity: last.severity, ..seen.clone() };
        told.push(Line { source: life.source.clone(), place: life.place.to_owned(), seen, ended });
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// How much the worst of what stands, or stood when it was last seen, matters; of everything, where nothing does.
    pub fn severity(&self) -> Option<Severity> {
        let worst = |lines: &[Line]| lines.iter().map(|line| line.seen.severity).max();
        let over = [&self.recovered, &self.passed, &self.unwatched];
        worst(&self.standing)
            .max(worst(&self.unseen))
            .or_else(|| over.into_iter().filter_map(|lines| worst(lines)).max())
    }

    /// All of it: what stands, what is not seen, what is over, what came and went, what nothing watches for.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        [&self.standing, &self.unseen, &self.recovered, &self.passed, &self.unwatched].into_iter().flatten()
    }
}
