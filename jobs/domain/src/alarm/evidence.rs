//! What the machine is told: facts about a source, each named and dated.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Act, Frames};
use crate::{
    Source, Timestamp,
    reading::{Datum, Quality, Reading, Value},
};

/// One fact about a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Names the fact: the same fact told twice has the same id.
    pub id: String,
    /// What it is about.
    pub source: Source,
    /// When it was so.
    pub at: Timestamp,
    /// What was seen.
    pub fact: Fact,
    /// Whether it came too late to say how the source is: it raises and ends nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// What came over the line, of a reading that a job just read. The machine does not look at it.
    #[serde(default, skip_serializing_if = "Frames::is_empty")]
    pub frames: Frames,
}

impl Evidence {
    /// A fact that came in time.
    pub fn new(id: impl Into<String>, source: Source, at: Timestamp, fact: Fact) -> Self {
        Self { id: id.into(), source, at, fact, late: false, frames: Frames::default() }
    }

    /// The same, which was read out of these frames.
    #[must_use]
    pub fn read_from(self, frames: Frames) -> Self {
        Self { frames, ..self }
    }

    /// Whether it is what a source measured.
    pub fn is_reading(&self) -> bool {
        matches!(self.fact, Fact::Values { .. })
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A device answered with these values. Also ends a run of misses.
    Values {
        /// The values, in the protocol's order.
        values: Vec<Observed>,
    },
    /// What is known of the source, and not said by itself: by its gateway, by its carrier. Whether it can be heard is another
    /// matter.
    Known {
        /// The values.
        values: Vec<Observed>,
    },
    /// A device missed its query, the `count`-th time in a row.
    Missed {
        /// Consecutive misses so far.
        count: u32,
    },
    /// The link to a terminal or node is gone.
    LinkLost {
        /// What was seen: `terminalOff`, `node lost`, …
        cause: String,
        /// How much longer than usual it may stay away, since there is a reason to expect it back.
        #[serde(default, skip_serializing_if = "Duration::is_zero")]
        grace: Duration,
    },
    /// The terminal or node was seen on its link.
    LinkSeen,
    /// What the source hangs on is lost: what was known of it is no longer.
    ParentLost {
        /// The parent.
        parent: Source,
    },
    /// What a part of the platform needs is away, and has been for long enough to tell.
    Away {
        /// What is away, since when, and what waits for it.
        why: String,
    },
    /// It is back.
    Back {
        /// For how long it was away, and what became of what waited.
        how: String,
    },
    /// Somebody did something about the source's alarms.
    Acted {
        /// Who did what, and why.
        act: Act,
    },
    /// Nothing but the passing of time: a timer of this source is due.
    Tick,
}

impl Fact {
    /// That a device answered with this reading.
    pub fn of_reading(reading: &Reading) -> Self {
        let observed = |value: &Value| Observed {
            name: value.name.clone(),
            value: value.value.clone(),
            display: value.display.clone(),
            unit: value.unit.clone(),
            quality: value.quality,
        };
        Self::Values { values: reading.values.iter().map(observed).collect() }
    }

    /// The values that it tells of.
    pub fn values(&self) -> &[Observed] {
        match self {
            Self::Values { values } | Self::Known { values } => values,
            _ => &[],
        }
    }

    /// The same, of its values with those of these names alone.
    #[must_use]
    pub fn of_names(&self, names: &BTreeSet<&str>) -> Self {
        let those =
            |values: &[Observed]| values.iter().filter(|it| names.contains(it.name.as_str())).cloned().collect();
        match self {
            Self::Values { values } => Self::Values { values: those(values) },
            Self::Known { values } => Self::Known { values: those(values) },
            _ => self.clone(),
        }
    }

    /// What kind of fact it is, by the name that it is stored under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Values { .. } => "values",
            Self::Known { .. } => "known",
            Self::Missed { .. } => "missed",
            Self::LinkLost { .. } => "link_lost",
            Self::LinkSeen => "link_seen",
            Self::ParentLost { .. } => "parent_lost",
            Self::Away { .. } => "away",
            Self::Back { .. } => "back",
            Self::Acted { .. } => "acted",
            Self::Tick => "tick",
        }
    }

    /// What it tells of; nothing but the time for a tick.
    pub fn aspect(&self) -> Option<Aspect> {
        match self {
            Self::Values { .. } => Some(Aspect::Values),
            Self::Known { .. } => Some(Aspect::Known),
            Self::Missed { .. } => Some(Aspect::Silence),
            Self::LinkLost { .. }
            | Self::LinkSeen
            | Self::ParentLost { .. }
            | Self::Away { .. }
            | Self::Back { .. } => Some(Aspect::Link),
            Self::Acted { .. } => Some(Aspect::Acts),
            Self::Tick => None,
        }
    }
}

/// One value as the rules see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The argument's name.
    pub name: String,
    /// The machine form.
    pub value: Datum,
    /// What a person is shown, for the notice.
    pub display: String,
    /// The unit, for the notice.
    pub unit: String,
    /// Only good values raise or clear.
    pub quality: Quality,
}

/// What a fact tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// What a device says.
    Values,
    /// What is known of it otherwise.
    Known,
    /// That it says nothing.
    Silence,
    /// Whether it, or what it hangs on, can be heard.
    Link,
    /// What people do about it: says nothing of how it is.
    Acts,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(name: &str) -> Observed {
        let value = Datum::Number(1.0);
        Observed { name: name.to_owned(), value, display: "1".to_owned(), unit: String::new(), quality: Quality::Good }
    }

    #[test]
    fn a_reading_is_the_fact_that_its_values_were_seen() {
        let Observed { name, value, display, unit, quality } = observed("a");
        let device = crate::DeviceId { mac: "98D863CC870D".parse().unwrap(), pid: 1 };
        let [asked, at, arrived] = [1, 2, 3].map(Timestamp);
        let values = vec![Value { name, value, display, unit, quality }];
        let reading = Reading { device, asked, at, arrived, late: false, values };
        assert_eq!(Fact::of_reading(&reading), Fact::Values { values: vec![observed("a")] });
    }

    #[test]
    fn evidence_names_the_frames_that_it_was_read_out_of() {
        let frames = Frames::of([super::super::Frame::new("0300000002", &[1, 3], None)]);
        let evidence = Evidence::new("e", Source::Node("n".to_owned()), Timestamp(0), Fact::Tick);
        assert_eq!(evidence.frames, Frames::default());
        assert_eq!(evidence.read_from(frames.clone()).frames, frames);
    }

    #[test]
    fn of_a_facts_values_those_of_some_names_can_be_had() {
        let (names, values) = (BTreeSet::from(["b"]), vec![observed("a"), observed("b")]);
        let those = vec![observed("b")];
        let of = |fact: Fact| fact.of_names(&names);
        assert_eq!(of(Fact::Values { values: values.clone() }), Fact::Values { values: those.clone() });
        assert_eq!(of(Fact::Known { values }), Fact::Known { values: those });
        assert_eq!(of(Fact::Tick), Fact::Tick);
    }

    #[test]
    fn a_facts_kind_is_the_name_that_it_is_stored_under() {
        let parent = Source::Node("n".to_owned());
        let deed = crate::alarm::Deed::Unshelve { rule: "r".to_owned() };
        let act = Act { by: "ann".to_owned(), why: None, deed };
        for fact in [
            Fact::Values { values: Vec::new() },
            Fact::Known { values: Vec::new() },
            Fact::Missed { count: 1 },
            Fact::LinkLost { cause: String::new(), grace: Duration::ZERO },
            Fact::LinkSeen,
            Fact::ParentLost { parent },
            Fact::Away { why: String::new() },
            Fact::Back { how: String::new() },
            Fact::Acted { act },
            Fact::Tick,
        ] {
            assert_eq!(serde_json::to_value(&fact).unwrap()["kind"], fact.kind());
        }
    }
}
