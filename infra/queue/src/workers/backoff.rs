//! How long to wait before a job is tried again.

use std::time::Duration;

/// The wait after the first run, before the dice.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(5);

/// How long to wait after run number `attempt` (1 for the first) has failed: a second, doubled with every run, five
/// minutes at most; `roll`, a uniform random number, takes away up to half of it, so that jobs which failed together do
/// not come back together.
pub fn backoff(attempt: u32, roll: u64) -> Duration {
    let doublings = attempt.saturating_sub(1);
    let factor = 1_u32.checked_shl(doublings).filter(|factor| *factor > 0).unwrap_or(u32::MAX);
    let half = FIRST.saturating_mul(factor).min(LONGEST) / 2;
    let half_millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(roll % half_millis.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_from_half_a_second_to_a_second_up_to_five_minutes() {
        assert_eq!(backoff(1, 0), Duration::from_millis(500));
        assert_eq!(backoff(1, 500), Duration::from_secs(1));
        assert_eq!(backoff(2, 0), Duration::from_secs(1));
        assert_eq!(backoff(5, 0), Duration::from_secs(8));
        assert_eq!(backoff(40, 0), Duration::from_secs(150));
        assert_eq!(backoff(u32::MAX, 150_000), Duration::from_mins(5));
    }

    #[test]
    fn the_dice_never_leave_the_upper_half() {
        for attempt in 0..80 {
            let (least, most) = (backoff(attempt, 0), backoff(attempt, 0) * 2);
            for roll in [1, 77, u64::MAX / 3, u64::MAX] {
                let wait = backoff(attempt, roll);
                assert!(least <= wait && wait <= most, "{attempt} {roll}: {wait:?}");
            }
        }
    }
}
