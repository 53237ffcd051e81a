//! How long to wait before another try of what an engine left undone.

use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const MOST_WAITS: u32 = 8;

/// The tries were not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("given up after {} tries", MOST_WAITS + 1)]
pub struct GaveUp;

/// The waits between the tries of one call: each up to twice as long as the one before, and random, so that those who
/// were turned away together do not come back together.
#[derive(Debug, Default)]
pub struct Backoff {
    waits: u32,
}

impl Backoff {
    /// Waits for a part of the next wait that `roll` chooses, if there is to be another try.
    pub async fn wait(&mut self, roll: u64) -> Result<(), GaveUp> {
        tokio::time::sleep(self.next(roll)?).await;
        Ok(())
    }

    fn next(&mut self, roll: u64) -> Result<Duration, GaveUp> {
        if self.waits == MOST_WAITS {
            return Err(GaveUp);
        }
        let longest = FIRST_WAIT.saturating_mul(1 << self.waits).min(LONGEST_WAIT);
        self.waits += 1;
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Ok(Duration::from_millis(roll % millis.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_to_a_limit_and_end() {
        let mut backoff = Backoff::default();
        let mut longest = Vec::new();
        for &millis in &[50, 100, 200, 400, 800, 1600, 2000, 2000] {
            longest.push(backoff.next(millis).unwrap());
        }
        let expected = [50, 100, 200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis);
        assert_eq!(longest, expected);
        assert_eq!(backoff.next(0), Err(GaveUp));
    }

    #[test]
    fn the_dice_choose_any_part_of_a_wait() {
        let waits = [0, 25, 50, 51].map(|roll| Backoff::default().next(roll).unwrap());
        assert_eq!(waits, [0, 25, 50, 0].map(Duration::from_millis));
    }
}
