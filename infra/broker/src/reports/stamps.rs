//! The instants of reports.

use std::{collections::HashSet, slice};

use domain::{Mac, Timestamp, time::is_ahead};
use jobs::report::Event;

/// Gives instants that go back only with a clock that was set back, and never the same one twice to reports about the same terminal. Reports about
/// different terminals may share one, so that a fast broker does not run ahead of the clock.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    instant: Timestamp,
    spent_on: HashSet<Mac>,
    spent_on_all: bool,
}

impl Stamps {
    /// The instant of an event that happens now.
    pub(super) fn next(&mut self, now: Timestamp, event: &Event) -> Timestamp {
        let macs = terminals_of(event);
        if now > self.instant || is_ahead(self.instant, now) {
            self.begin(now);
        } else if self.is_spent_on(macs) {
            self.begin(Timestamp(self.instant.0 + 1));
        }
        match macs {
            Some(macs) => self.spent_on.extend(macs.iter().cloned()),
            None => self.spent_on_all = true,
        }
        self.instant
    }

    fn begin(&mut self, instant: Timestamp) {
        self.instant = instant;
        self.spent_on.clear();
        self.spent_on_all = false;
    }

    fn is_spent_on(&self, macs: Option<&[Mac]>) -> bool {
        match macs {
            Some(macs) => self.spent_on_all || macs.iter().any(|mac| self.spent_on.contains(mac)),
            None => self.spent_on_all || !self.spent_on.is_empty(),
        }
    }
}

/// The terminals an event is about; none when it may concern all of the node's.
fn terminals_of(event: &Event) -> Option<&[Mac]> {
    match event {
        Event::Answered(answer) => Some(slice::from_ref(&answer.mac)),
        Event::Missed { mac, .. }
        | Event::PartlyMissed { mac, .. }
        | Event::TerminalOff { mac }
        | Event::DtuState { mac, .. }
        | Event::DtuAlert { mac, .. } => Some(slice::from_ref(mac)),
        Event::TerminalsOn { macs } => Some(macs),
        Event::Operated { about, .. } => about.mac().map(slice::from_ref),
        Event::NodeRegistered
        | Event::NodeReady
        | Event::NodeSettled
        | Event::NodeLost
        | Event::Terminal(_)
        | Event::PartAway { .. }
        | Event::PartBack { .. }
        | Event::PartCounted { .. }
        | Event::NodeInfo { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1000);

    fn off(mac: &str) -> Event {
        Event::TerminalOff { mac: mac.parse().unwrap() }
    }

    #[test]
    fn reports_about_one_terminal_never_share_an_instant() {
        let mut stamps = Stamps::default();
        let given: Vec<i64> = (0..5).map(|_| stamps.next(NOW, &off("98D863CC870D")).0).collect();
        assert_eq!(given, [1000, 1001, 1002, 1003, 1004]);
    }

    #[test]
    fn reports_about_many_terminals_do_not_run_ahead_of_the_clock() {
        let mut stamps = Stamps::default();
        for number in 0..10_000 {
            assert_eq!(stamps.next(NOW, &off(&format!("{number:012}"))), NOW);
        }
    }

    #[test]
    fn a_report_about_the_node_shares_its_instant_with_none_of_its_terminals() {
        let mut stamps = Stamps::default();
        let before = stamps.next(NOW, &off("98D863CC870D"));
        let lost = stamps.next(NOW, &Event::NodeLost);
        let after = stamps.next(NOW, &off("98D863CC870E"));
        assert!(before < lost && lost < after);
    }

    #[test]
    fn instants_follow_the_clock_and_go_back_with_it_only_when_it_was_set_back() {
        let mut stamps = Stamps::default();
        assert_eq!(stamps.next(Timestamp(5000), &Event::NodeReady), Timestamp(5000));
        assert_eq!(stamps.next(Timestamp(4000), &Event::NodeReady), Timestamp(5001));
        assert_eq!(stamps.next(Timestamp(6000), &Event::NodeReady), Timestamp(6000));
        assert_eq!(stamps.next(Timestamp(3_606_000), &Event::NodeReady), Timestamp(3_606_000));
        assert_eq!(stamps.next(Timestamp(7000), &Event::NodeReady), Timestamp(7000));
    }
}
