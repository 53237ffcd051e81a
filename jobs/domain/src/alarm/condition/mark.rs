//! What a memory is of: a rule may be written anew, and what was measured of one value says nothing of another.

use sha2::{Digest, Sha256};

use super::{Condition, judge::inside};

/// How much of a digest is kept, in bytes.
const KEPT: usize = 8;

impl Condition {
    /// Tells conditions apart: the same for those that say the same.
    pub(in crate::alarm) fn mark(&self) -> String {
        let said = serde_json::to_vec(self).unwrap_or_default();
        let number = Sha256::digest(said).iter().take(KEPT).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{number:016x}")
    }

    /// What this part measures; nothing where it remembers only what it was. A limit is no part of it.
    pub(super) fn measured(&self) -> Option<String> {
        match self {
            Self::Rate { name, .. } => Some(format!("rate {name}")),
            Self::Stuck { name, .. } => Some(format!("stuck {name}")),
            Self::Window { name, within, .. } => Some(format!("window {} {name}", within.as_millis())),
            Self::Count { of, .. } => Some(format!("count {}", of.mark())),
            Self::NoData { .. } => Some("silence".to_owned()),
            Self::Missed { .. } => Some("misses".to_owned()),
            _ => None,
        }
    }

    /// What the part of this condition at a place measures, if there is one.
    pub(super) fn measured_at(&self, place: &str, wanted: &str) -> Option<String> {
        if place == wanted {
            return self.measured();
        }
        let mut parts = self.parts().iter().enumerate();
        parts.find_map(|(number, part)| part.measured_at(&inside(place, number), wanted))
    }
}
