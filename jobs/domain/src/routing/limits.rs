//! How much one address is told a day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How many text messages a number gets a day, where nobody says otherwise.
pub const SMS_A_DAY: u32 = 50;

/// What one address was told on one channel on one day. A notice that is told again is counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    notices: BTreeSet<String>,
}

impl Tally {
    /// Whether there is room for a notice below `most`: it is counted then, or was before.
    pub fn has_room(&mut self, notice: &str, most: u32) -> bool {
        if self.notices.contains(notice) {
            return true;
        }
        let has_room = u32::try_from(self.notices.len()).is_ok_and(|told| told < most);
        has_room && self.notices.insert(notice.to_owned())
    }

    /// Forgets a notice that was not told.
    pub fn forget(&mut self, notice: &str) {
        self.notices.remove(notice);
    }
}
