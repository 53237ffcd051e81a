//! How often links may be looked at.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::Timestamp;

const MINUTE_MS: i64 = 60_000;
/// How often each user's links are looked at in a minute, in this process.
const MOST: u32 = 60;
/// How many tokens that nobody signed are answered in a minute. They cost no read.
const MOST_OF_STRANGERS: u32 = 600;

/// Counts how often links are looked at. Only signed tokens name a user, so there are no more names in it than users.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<(i64, HashMap<String, u32>)>);

impl Pace {
    /// Whoever has no token that we signed. No user is called so.
    pub(super) const STRANGERS: &str = "\0";

    /// Whether there is room for one more look in this minute; it takes it.
    pub(super) fn has_room(&self, name: &str, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(MINUTE_MS);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute {
            *counted = (minute, HashMap::new());
        }
        let most = if name == Self::STRANGERS { MOST_OF_STRANGERS } else { MOST };
        let count = counted.1.entry(name.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_a_minutes_room_of_its_own() {
        let (pace, now) = (Pace::default(), Timestamp(1_795_424_466_000));
        assert!((0..MOST).all(|_| pace.has_room("ann", now)));
        assert!(!pace.has_room("ann", now));
        assert!(pace.has_room("bob", now) && pace.has_room(Pace::STRANGERS, now));
        assert!(pace.has_room("ann", Timestamp(now.0 + MINUTE_MS)));
    }
}
