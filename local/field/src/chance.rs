//! Chance, all of it derived from the field's seed and the name of what it is for.

use std::{future::pending, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep_until};

use crate::hex::hex_of_bytes;

/// A number that belongs to `what` in the field of this seed.
pub(crate) fn number(seed: u64, what: &str) -> u64 {
    digest(seed, what).iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A stream of chance that belongs to `what` in the field of this seed.
pub(crate) fn stream(seed: u64, what: &str) -> SmallRng {
    SmallRng::seed_from_u64(number(seed, what))
}

/// The secret that `what` shows to the server: 32 hex digits.
pub(crate) fn token(seed: u64, what: &str) -> String {
    hex_of_bytes(&digest(seed, what)[..16])
}

/// When the next accident of a kind that happens so often comes, if it ever does.
pub(crate) fn accident(dice: &mut SmallRng, per_hour: f64) -> Option<Instant> {
    (per_hour > 0.0).then(|| Instant::now() + exponential(dice, Duration::from_hours(1).div_f64(per_hour)))
}

/// Waits for an accident; for ever when none comes.
pub(crate) async fn happens(accident: Option<Instant>) {
    match accident {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// A random duration: mostly short, sometimes long, `mean` on average.
pub(crate) fn exponential(dice: &mut SmallRng, mean: Duration) -> Duration {
    let unit: f64 = dice.random();
    mean.mul_f64(-(1.0 - unit).ln())
}

/// A duration between half and one and a half of `middle`.
pub(crate) fn around(dice: &mut SmallRng, middle: Duration) -> Duration {
    middle.mul_f64(dice.random_range(0.5..1.5))
}

fn digest(seed: u64, what: &str) -> [u8; 32] {
    Sha256::new().chain_update(seed.to_be_bytes()).chain_update(what).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_name_give_the_same_chance_and_others_give_another() {
        assert_eq!(number(1, "a"), number(1, "a"));
        assert_ne!(number(1, "a"), number(1, "b"));
        assert_ne!(number(1, "a"), number(2, "a"));
        assert_eq!(token(1, "a").len(), 32);
    }

    #[test]
    fn durations_are_the_mean_on_average() {
        let mut dice = stream(7, "durations");
        let mean = Duration::from_secs(10);
        let total: Duration = (0..2000).map(|_| exponential(&mut dice, mean)).sum();
        let average = total.as_secs_f64() / 2000.0;
        assert!((9.0..11.0).contains(&average), "{average}");
    }
}
