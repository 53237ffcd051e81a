//! Devices that say that they have a fault, and are asked which.

use domain::{
    protocol::{FaultWord, no_fault, unnamed_fault},
    reading::Reading,
};

use super::Line;
use crate::report::Report;

/// After so many queries a fault is one though the device does not say which: the first was asked before it was known, the
/// second may have been planned before.
const UNNAMED_AFTER: u32 = 3;

impl Line<'_> {
    /// Adds to a reading what it says of a fault; remembers that the device is to be asked which while it has one.
    pub(super) fn faulty(&mut self, report: &Report, reading: &mut Reading, told: Option<FaultWord>) {
        let Some(told) = told else { return };
        let pid = reading.device.pid;
        let before = self.standing.value.faults.get(&pid).copied();
        let (value, unnamed) = match told {
            FaultWord::None => (Some(no_fault()), None),
            // It is asked as long as it says that there is one: a second has another code.
            FaultWord::Said(value) => (Some(value), Some(0)),
            FaultWord::NotSaid => {
                let count = before.unwrap_or(0).saturating_add(1);
                ((count >= UNNAMED_AFTER).then(unnamed_fault), Some(count.min(UNNAMED_AFTER)))
            }
        };
        reading.values.extend(value);
        if self.is_news(report) && !reading.late {
            let faults = &mut self.standing.value.faults;
            match unnamed {
                Some(count) => faults.insert(pid, count),
                None => faults.remove(&pid),
            };
        }
    }
}
