//! What a device did not answer, in whole or in part.

use domain::{Pid, Source, Timestamp, alarm::Fact, time::is_ahead};

use super::Line;
use crate::report::Report;

impl Line<'_> {
    /// Whether an answer to what a device was asked then, or later, is known.
    pub(super) fn has_answered(&self, pid: Pid, asked: Timestamp) -> bool {
        let known = self.latest.value.devices.get(&pid);
        known.is_some_and(|known| known.asked >= asked && !is_ahead(known.asked, self.now))
    }

    pub(super) fn missed(&mut self, report: &Report, pid: Pid, told: Option<u32>) {
        if self.terminal.device(pid).is_none() {
            return;
        }
        let known = self.standing.value.misses.get(&pid).copied().unwrap_or(0);
        let told = told.unwrap_or(0);
        // One that comes late is not counted again, and what its gateway counted still holds of that instant.
        let count = told.max(if self.is_news(report) { known.saturating_add(1) } else { known });
        if count == 0 {
            return;
        }
        if self.is_news(report) {
            self.standing.value.misses.insert(pid, count);
        } else {
            self.ran_before.insert(pid);
        }
        self.evidence(Source::Device(self.terminal.device_id(pid)), report, Fact::Missed { count });
    }

    pub(super) fn partly_missed(&mut self, report: &Report, pid: Pid, instructions: usize) {
        if self.is_news(report) && self.terminal.device(pid).is_some() {
            self.left_out(pid, u32::try_from(instructions).unwrap_or(u32::MAX));
        }
    }

    /// A device left so many instructions of its last query unanswered.
    pub(super) fn left_out(&mut self, pid: Pid, instructions: u32) {
        let unanswered = &mut self.standing.value.unanswered;
        if instructions == 0 {
            unanswered.remove(&pid);
        } else {
            unanswered.insert(pid, instructions);
        }
    }
}
