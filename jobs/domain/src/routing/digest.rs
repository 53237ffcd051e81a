//! What was held, told as one: each alarm once.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::verdict::Why;
use crate::alarm::{Change, Severity};

/// A change that was held.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// What people call its source.
    pub place: &'a str,
    /// The change.
    pub change: &'a Change,
    /// What held it.
    pub why: Why,
}

/// An alarm in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The alarm.
    pub alarm: String,
    /// How much it matters.
    pub severity: Severity,
    /// What people call its source, and what was seen.
    pub text: String,
}

/// What was held, by what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// What stands.
    pub standing: Vec<Line>,
    /// What is over of what was told before.
    pub recovered: Vec<Line>,
    /// What came and went meanwhile.
    pub passed: Vec<Line>,
    /// What held it.
    pub reasons: Vec<Why>,
}

/// What was held of one alarm.
#[derive(Debug, Default)]
struct Life<'a> {
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
        for Held { place, change, why } in held {
            let life = lives.entry(&change.alarm).or_default();
            life.place = place;
            if change.begins() {
                life.raised = Some(change);
            } else if change.ends() {
                life.cleared = Some(change);
            }
            life.last = life.last.filter(|last| last.at > change.at).or(Some(change));
            if why != Why::Order && !reasons.contains(&why) {
                reasons.push(why);
            }
        }
        let mut summary = Self { reasons, ..Self::default() };
        for (alarm, life) in lives {
            summary.add(alarm, &life, is_active(alarm));
        }
        for lines in [&mut summary.standing, &mut summary.recovered, &mut summary.passed] {
            lines.sort_by_key(|line| std::cmp::Reverse(line.severity));
        }
        summary
    }

    fn add(&mut self, alarm: &str, life: &Life<'_>, is_active: bool) {
        let Some(last) = life.last else { return };
        let (told, seen) = match (life.raised, life.cleared) {
            // Cleared without a word, as what is removed is: it came and went all the same.
            (Some(raised), None) if !is_active => (&mut self.passed, raised),
            (Some(raised), Some(_)) => (&mut self.passed, raised),
            (None, Some(cleared)) => (&mut self.recovered, cleared),
            (_, None) if is_active => (&mut self.standing, last),
            // It came to matter more, and its end was told.
            (_, None) => return,
        };
        let mut text = format!("{}: {}, since {}", life.place, seen.detail, seen.since.rfc3339());
        if let Some(cleared) = life.cleared {
            let _ = write!(text, ", for {} s", cleared.at.since(cleared.since).as_secs());
        }
        told.push(Line { alarm: alarm.to_owned(), severity: last.severity, text });
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.parts().into_iter().all(|(_, lines)| lines.is_empty())
    }

    /// How much the worst of what stands matters; of everything, where nothing does.
    pub fn severity(&self) -> Option<Severity> {
        let worst = |lines: &[Line]| lines.iter().map(|line| line.severity).max();
        worst(&self.standing).or_else(|| worst(&self.recovered).max(worst(&self.passed)))
    }

    /// One line: `Held back by a silence: 2 alarms stand, 1 recovered, 3 came and went`.
    pub fn heading(&self) -> String {
        let parts = self.parts().into_iter().filter(|(_, lines)| !lines.is_empty());
        let told: Vec<String> = parts.map(|(name, lines)| format!("{} {name}", lines.len())).collect();
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        let by = if reasons.is_empty() { String::new() } else { format!(" by {}", reasons.join(" and ")) };
        format!("Held back{by}: {}", told.join(", "))
    }

    /// Each alarm on a line, at most so many; how many there are of each severity, and how many notices it stands for.
    pub fn text(&self, notices: usize, most: usize) -> String {
        let mut text = format!("{}\n{notices} notices were held back", self.heading());
        let all = || self.parts().into_iter().flat_map(|(_, lines)| lines);
        for severity in [Severity::Critical, Severity::Warning, Severity::Info] {
            let count = all().filter(|line| line.severity == severity).count();
            if count > 0 {
                let _ = write!(text, ", {count} {severity}");
            }
        }
        text.push('\n');
        let mut left = most;
        for (name, lines) in self.parts() {
            for line in lines.iter().take(left) {
                let _ = writeln!(text, "{name}: {} {}", line.severity, line.text);
            }
            left = left.saturating_sub(lines.len());
        }
        let untold = all().count().saturating_sub(most);
        if untold > 0 {
            let _ = writeln!(text, "and {untold} more");
        }
        text
    }

    fn parts(&self) -> [(&'static str, &[Line]); 3] {
        [("standing", &self.standing), ("recovered", &self.recovered), ("came and went", &self.passed)]
    }
}
