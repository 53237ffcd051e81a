//! How good the alarms of a time were, by the measures of ISA-18.2 (16.5, alarm system performance): what alarms most, what
//! chatters, what stands, when there was a flood.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use super::{RuleId, Severity};
use crate::{Source, Timestamp};

/// From so many raises in [`CHATTER_WITHIN`] on, an alarm chatters.
pub const CHATTER_RAISES: usize = 3;
/// The time that they are counted in.
pub const CHATTER_WITHIN: Duration = Duration::from_mins(1);
/// An alarm that is over sooner is fleeting.
pub const FLEETING: Duration = Duration::from_mins(1);
/// An alarm that stands for longer is stale.
pub const STALE: Duration = Duration::from_hours(24);
/// A flood begins with so many alarms in [`FLOOD_WITHIN`] …
pub const FLOOD_BEGINS: usize = 10;
/// … and is over when there are fewer than this.
pub const FLOOD_ENDS: usize = 5;
/// The time that they are counted in.
pub const FLOOD_WITHIN: Duration = Duration::from_mins(10);

/// What is known of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub source: Source,
    /// The rule that raised it.
    pub rule: RuleId,
    /// How much it matters.
    pub severity: Severity,
    /// When it was raised.
    pub at: Timestamp,
    /// When it ended; none while it stands.
    pub cleared: Option<Timestamp>,
}

impl Raised {
    fn lasted(&self, to: Timestamp) -> Duration {
        self.cleared.unwrap_or(to).since(self.at)
    }
}

/// How good the alarms of a time were.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// How many were raised.
    pub alarms: usize,
    /// How many of each severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// What alarmed, most first.
    pub actors: Vec<Actor>,
    /// Those that stand for longer than [`STALE`], longest first.
    pub stale: Vec<Raised>,
    /// The floods, oldest first.
    pub floods: Vec<Flood>,
}

/// A rule on a source, and what it raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// The source.
    pub source: Source,
    /// The rule.
    pub rule: RuleId,
    /// How many alarms.
    pub alarms: usize,
    /// How many of them belong to a run of [`CHATTER_RAISES`] in [`CHATTER_WITHIN`] or more.
    pub chattering: usize,
    /// How many were over within [`FLEETING`].
    pub fleeting: usize,
    /// For how long there was an alarm, all in all.
    pub active: Duration,
}

/// More alarms than a person can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// The first of its alarms.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// How many.
    pub alarms: usize,
}

impl Quality {
    /// That of alarms raised up to `to`, in any order, and of earlier ones that stand, which are counted as that alone.
    pub fn of(mut raised: Vec<Raised>, earlier: &[Raised], to: Timestamp) -> Self {
        raised.sort_by_key(|alarm| alarm.at);
        let mut by_severity = BTreeMap::new();
        let mut by_actor: BTreeMap<(Source, RuleId), Vec<&Raised>> = BTreeMap::new();
        for alarm in &raised {
            *by_severity.entry(alarm.severity).or_default() += 1;
            by_actor.entry((alarm.source.clone(), alarm.rule.clone())).or_default().push(alarm);
        }
        let mut actors: Vec<Actor> =
            by_actor.into_iter().map(|((source, rule), alarms)| actor(source, rule, &alarms, to)).collect();
        actors.sort_by_key(|actor| Reverse(actor.alarms));
        let is_stale = |alarm: &&Raised| alarm.cleared.is_none() && alarm.lasted(to) > STALE;
        let mut stale: Vec<Raised> = raised.iter().chain(earlier).filter(is_stale).cloned().collect();
        stale.sort_by_key(|alarm| alarm.at);
        let floods = floods(&raised.iter().map(|alarm| alarm.at).collect::<Vec<_>>());
        Self { alarms: raised.len(), by_severity, actors, stale, floods }
    }

    /// Which part of all alarms the first `most` actors raised, from 0 to 1.
    pub fn share_of_first(&self, most: usize) -> f64 {
        let first: usize = self.actors.iter().take(most).map(|actor| actor.alarms).sum();
        #[expect(clippy::cast_precision_loss, reason = "counts of alarms are small")]
        let share = first as f64 / self.alarms.max(1) as f64;
        share
    }

    /// For how long there was a flood.
    pub fn flooded(&self) -> Duration {
        self.floods.iter().map(|flood| flood.to.since(flood.from)).sum()
    }
}

fn actor(source: Source, rule: RuleId, alarms: &[&Raised], to: Timestamp) -> Actor {
    let times: Vec<Timestamp> = alarms.iter().map(|alarm| alarm.at).collect();
    let is_fleeting = |alarm: &&&Raised| alarm.cleared.is_some() && alarm.lasted(to) < FLEETING;
    Actor {
        source,
        rule,
        alarms: alarms.len(),
        chattering: chattering(&times),
        fleeting: alarms.iter().filter(is_fleeting).count(),
        active: alarms.iter().map(|alarm| alarm.lasted(to)).sum(),
    }
}

/// How many of these instants belong to a run that is as dense as chattering.
fn chattering(times: &[Timestamp]) -> usize {
    let mut belongs = vec![false; times.len()];
    for (first, run) in times.windows(CHATTER_RAISES).enumerate() {
        if let [begin, .., end] = run
            && end.since(*begin) <= CHATTER_WITHIN
        {
            belongs[first..first + CHATTER_RAISES].fill(true);
        }
    }
    belongs.into_iter().filter(|belongs| *belongs).count()
}

/// The floods among these instants.
fn floods(times: &[Timestamp]) -> Vec<Flood> {
    let mut floods: Vec<Flood> = Vec::new();
    let (mut first, mut is_flood) = (0, false);
    for (last, now) in times.iter().enumerate() {
        while now.since(times[first]) >= FLOOD_WITHIN {
            first += 1;
        }
        let lately = last - first + 1;
        match floods.last_mut() {
            Some(flood) if is_flood && lately >= FLOOD_ENDS => {
                flood.to = *now;
                flood.alarms += 1;
            }
            _ if lately >= FLOOD_BEGINS => {
                is_flood = true;
                floods.push(Flood { from: times[first], to: *now, alarms: lately });
            }
            _ => is_flood = false,
        }
    }
    floods
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1000;
    const HOUR: i64 = 3_600_000;

    fn raised(rule: &str, at: i64, lasted: Option<i64>) -> Raised {
        let source = Source::Node("node-1".to_owned());
        let cleared = lasted.map(|lasted| Timestamp(at + lasted));
        Raised {
            id: at.to_string(),
            source,
            rule: rule.to_owned(),
            severity: Severity::Warning,
            at: Timestamp(at),
            cleared,
        }
    }

    #[test]
    fn what_alarms_most_comes_first_with_what_is_wrong_with_it() {
        let hasty = (0..5).map(|at| raised("hasty", at * 20 * SECOND, Some(5 * SECOND)));
        let calm = (0..2).map(|at| raised("calm", at * HOUR, Some(HOUR / 2)));
        let quality = Quality::of(calm.chain(hasty).collect(), &[], Timestamp(2 * HOUR));
        let found: Vec<_> =
            quality.actors.iter().map(|it| (it.rule.as_str(), it.alarms, it.chattering, it.fleeting)).collect();
        assert_eq!(found, [("hasty", 5, 5, 5), ("calm", 2, 0, 0)]);
        assert_eq!(quality.actors[1].active, Duration::from_hours(1));
        assert!((quality.share_of_first(1) - 5.0 / 7.0).abs() < 1e-9);
    }

    #[test]
    fn three_in_a_minute_chatter_and_two_do_not() {
        let times = |seconds: &[i64]| seconds.iter().map(|second| Timestamp(second * SECOND)).collect::<Vec<_>>();
        assert_eq!(chattering(&times(&[0, 30, 60])), 3);
        assert_eq!(chattering(&times(&[0, 30, 61])), 0);
        assert_eq!(chattering(&times(&[0, 30, 60, 90, 400])), 4);
    }

    #[test]
    fn what_stands_for_a_day_is_stale_and_what_ended_is_not() {
        let alarms = vec![raised("old", 0, None), raised("over", 0, Some(30 * HOUR)), raised("young", 20 * HOUR, None)];
        let earlier = [raised("older", -900 * HOUR, None)];
        let quality = Quality::of(alarms, &earlier, Timestamp(25 * HOUR));
        assert_eq!(quality.stale.iter().map(|it| it.rule.as_str()).collect::<Vec<_>>(), ["older", "old"]);
        assert_eq!((quality.alarms, quality.actors.len()), (3, 3), "it was raised before");
    }

    #[test]
    fn a_flood_begins_with_ten_in_ten_minutes_and_ends_when_fewer_than_five_come() {
        let minute = 60 * SECOND;
        let dense = (0..12).map(|at| at * minute / 2);
        let sparse = (3..10).map(|at| at * 4 * minute);
        let times: Vec<Timestamp> = dense.chain(sparse).map(Timestamp).collect();
        let floods = floods(&times);
        assert_eq!(floods.len(), 1);
        assert_eq!(floods[0].from, Timestamp(0));
        assert!(floods[0].alarms >= 12 && floods[0].to < Timestamp(20 * minute), "{floods:?}");
        let calm: Vec<Timestamp> = (0..100).map(|at| Timestamp(at * 2 * minute)).collect();
        assert_eq!(super::floods(&calm), []);
    }

    #[test]
    fn no_alarms_are_good_alarms() {
        let none = Quality::of(Vec::new(), &[], Timestamp(0));
        assert_eq!((none.share_of_first(10).to_bits(), none.flooded()), (0.0_f64.to_bits(), Duration::ZERO));
        assert_eq!(none, Quality::default());
    }
}
