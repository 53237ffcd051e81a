//! What rules would have raised over evidence of the past.

use std::time::Duration;

use super::{Change, ChangeKind, Evidence, Fact, RuleId, RuleSet, Severity, SourceState, step};
use crate::{Source, Timestamp};

/// Steps rules through a source's evidence of the past, oldest first, as if nothing had been known before. Time passes as it did:
/// what falls due between two facts is looked at when it is due.
#[derive(Debug)]
pub struct Replay {
    source: Source,
    rules: RuleSet,
    state: SourceState,
    changes: Vec<Change>,
}

impl Replay {
    /// Of a source of which nothing is known yet.
    pub fn new(source: Source, rules: RuleSet) -> Self {
        Self { source, rules, state: SourceState::default(), changes: Vec::new() }
    }

    /// What was seen next.
    pub fn see(&mut self, evidence: &Evidence) {
        self.pass(evidence.at, |due, at| due < at);
        self.take(evidence);
    }

    /// What all of it changed, up to that instant, oldest first.
    pub fn end(mut self, until: Timestamp) -> Vec<Change> {
        self.pass(until, |due, until| due <= until);
        self.changes
    }

    /// Looks at whatever falls due meanwhile.
    fn pass(&mut self, to: Timestamp, is_meanwhile: impl Fn(Timestamp, Timestamp) -> bool) {
        let mut last = None;
        while let Some(due) = self.state.timer().filter(|due| is_meanwhile(*due, to)) {
            // A look that settles nothing would be asked for again without end.
            if last.is_some_and(|last| due <= last) {
                return;
            }
            last = Some(due);
            let id = format!("due/{}", due.sortable());
            self.take(&Evidence::new(id, self.source.clone(), due, Fact::Tick));
        }
    }

    fn take(&mut self, evidence: &Evidence) {
        loop {
            let stepped = step(&self.state, &self.rules, evidence, evidence.at);
            self.state = stepped.state;
            let (is_whole, is_stuck) = (stepped.is_whole, stepped.changes.is_empty());
            self.changes.extend(stepped.changes);
            if is_whole || is_stuck {
                return;
            }
        }
    }
}

/// An alarm from its beginning to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// The alarm's id.
    pub alarm: String,
    /// The rule that raised it.
    pub rule: RuleId,
    /// When the condition began.
    pub since: Timestamp,
    /// When it was raised.
    pub raised: Timestamp,
    /// How much it mattered at most.
    pub severity: Severity,
    /// What was seen when it was raised.
    pub detail: String,
    /// When it ended; none while it stands.
    pub cleared: Option<Timestamp>,
    /// What was seen then.
    pub cleared_by: Option<String>,
}

impl Episode {
    /// For how long it stood, up to `until` where it still does.
    pub fn lasted(&self, until: Timestamp) -> Duration {
        self.cleared.unwrap_or(until).since(self.raised)
    }
}

/// The alarms of changes, oldest first.
pub fn episodes(changes: &[Change]) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    for change in changes {
        let known = episodes.iter_mut().rev().find(|episode| episode.alarm == change.alarm);
        match (change.kind, known) {
            (ChangeKind::Raised, None) => episodes.push(Episode {
                alarm: change.alarm.clone(),
                rule: change.rule.clone(),
                since: change.since,
                raised: change.at,
                severity: change.severity,
                detail: change.detail.clone(),
                cleared: None,
                cleared_by: None,
            }),
            (ChangeKind::SeverityChanged, Some(episode)) => episode.severity = episode.severity.max(change.severity),
            (ChangeKind::Cleared, Some(episode)) => {
                episode.cleared = Some(change.at);
                episode.cleared_by = Some(change.detail.clone());
            }
            _ => {}
        }
    }
    episodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DeviceId,
        alarm::{Comparison, Condition, Observed, Rule},
        reading::{Datum, Quality},
    };

    const MINUTE: i64 = 60_000;

    fn source() -> Source {
        Source::Device(DeviceId { mac: "AABBCCDDEE01".parse().unwrap(), pid: 1 })
    }

    fn reading(minute: i64, value: f64) -> Evidence {
        let value = Observed {
            name: "temperature".to_owned(),
            value: Datum::Number(value),
            display: value.to_string(),
            unit: String::new(),
            quality: Quality::Good,
        };
        let at = Timestamp(minute * MINUTE);
        Evidence::new(at.sortable(), source(), at, Fact::Values { values: vec![value] })
    }

    fn played(rule: Rule, readings: &[Evidence], until: i64) -> Vec<Episode> {
        let mut replay = Replay::new(source(), RuleSet::from_iter([rule]));
        for reading in readings {
            replay.see(reading);
        }
        episodes(&replay.end(Timestamp(until * MINUTE)))
    }

    fn hot() -> Rule {
        let name = "temperature".to_owned();
        let condition = Condition::Compare { name, is: Comparison::Greater, to: 30.0, deadband: 0.0 };
        Rule::new("hot", condition, Severity::Warning)
    }

    #[test]
    fn each_time_that_it_was_so_is_an_alarm_from_its_beginning_to_its_end() {
        let values = [20.0, 31.0, 32.0, 29.0, 35.0];
        let readings: Vec<Evidence> = (0..).zip(values).map(|(minute, value)| reading(minute, value)).collect();
        let spans: Vec<_> = played(hot(), &readings, 10).iter().map(|it| (it.raised, it.cleared)).collect();
        assert_eq!(spans, [(Timestamp(MINUTE), Some(Timestamp(3 * MINUTE))), (Timestamp(4 * MINUTE), None)]);
    }

    #[test]
    fn what_falls_due_in_a_gap_is_raised_when_it_is_due() {
        let rule = hot().held_for(Duration::from_mins(2));
        let alarms = played(rule, &[reading(0, 31.0), reading(60, 20.0)], 60);
        assert_eq!((alarms[0].since, alarms[0].raised), (Timestamp(0), Timestamp(2 * MINUTE)));
        assert_eq!((alarms.len(), alarms[0].cleared), (1, Some(Timestamp(60 * MINUTE))));
    }

    #[test]
    fn silence_after_the_last_reading_is_looked_at_up_to_the_end() {
        let rule = Rule::new("silent", Condition::NoData { after: Duration::from_mins(10) }, Severity::Critical);
        let alarms = |until| played(rule.clone(), &[reading(0, 20.0)], until);
        assert_eq!(alarms(9), []);
        assert_eq!(alarms(10)[0].raised, Timestamp(10 * MINUTE));
    }
}
