//! How much of a cause is kept.

use serde::Serialize;

/// So many bytes of JSON.
pub(super) struct Room {
    left: usize,
    is_overfull: bool,
}

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self { left: bytes, is_overfull: false }
    }

    /// Takes what has to be kept.
    pub(super) fn take(&mut self, what: &impl Serialize) {
        let bytes = bytes_of(what);
        self.is_overfull |= bytes > self.left;
        self.left = self.left.saturating_sub(bytes);
    }

    /// Takes what may be left out, if there is room for it.
    pub(super) fn takes(&mut self, what: &impl Serialize) -> bool {
        let bytes = bytes_of(what);
        let is_enough = bytes <= self.left;
        if is_enough {
            self.left -= bytes;
        }
        is_enough
    }

    /// Whether more had to be kept than there was room for.
    pub(super) fn is_overfull(&self) -> bool {
        self.is_overfull
    }
}

/// With the comma behind it. What cannot be written has no room.
fn bytes_of(what: &impl Serialize) -> usize {
    serde_json::to_vec(what).map_or(usize::MAX, |json| json.len() + 1)
}
