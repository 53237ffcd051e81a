//! Signals that move as real ones do: slowly, smoothly, the same for the same seed.

use std::{f64::consts::PI, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

/// A fixed number between 0 and 1 that belongs to the seed and `which`.
pub(super) fn unit(seed: u64, which: u64) -> f64 {
    SmallRng::seed_from_u64(seed.rotate_left(17) ^ which.wrapping_mul(0x9E37_79B9_7F4A_7C15)).random()
}

/// A fixed number between `low` and `high` that belongs to the seed and `which`.
pub(super) fn between(seed: u64, which: u64, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(seed, which)
}

/// A smooth random curve between -1 and 1 that heads for a new height every `cell`.
pub(super) fn drift(seed: u64, cell: Duration, at: Duration) -> f64 {
    let (index, part) = cell_of(cell, at);
    let [from, to] = [index, index + 1].map(|index| between(seed, index, -1.0, 1.0));
    from + (to - from) * (1.0 - (PI * part).cos()) / 2.0
}

/// A smooth bump from 0 up to 1 and back, in that share of all cells. Each seed's cells begin at another time.
pub(super) fn spell(seed: u64, cell: Duration, share: f64, at: Duration) -> f64 {
    let (index, part) = cell_of(cell, at + cell.mul_f64(unit(!seed, 0)));
    if unit(seed, index) < share { (PI * part).sin().powi(2) } else { 0.0 }
}

/// A sine between -1 and 1 with a phase of its own.
pub(super) fn wave(seed: u64, period: Duration, at: Duration) -> f64 {
    (2.0 * PI * (at.as_secs_f64() / period.as_secs_f64() + unit(seed, 0))).sin()
}

/// Which cell it is, and how far into it. Cells are whole seconds long.
fn cell_of(cell: Duration, at: Duration) -> (u64, f64) {
    (at.as_secs() / cell.as_secs(), (at.as_secs_f64() / cell.as_secs_f64()).fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Duration = Duration::from_mins(1);

    #[test]
    fn a_drift_stays_in_its_bounds_and_never_jumps() {
        let mut last = drift(3, CELL, Duration::ZERO);
        for second in 1..3600 {
            let now = drift(3, CELL, Duration::from_secs(second));
            assert!((-1.0..=1.0).contains(&now));
            assert!((now - last).abs() < 0.1, "from {last} to {now} at {second} s");
            last = now;
        }
    }

    #[test]
    fn spells_come_in_their_share_of_the_cells() {
        let seconds = (0..60_000).map(Duration::from_secs);
        let in_spell = seconds.filter(|&at| spell(3, CELL, 0.1, at) > 0.0).count();
        assert!((3600..8400).contains(&in_spell), "{in_spell} of 60000 seconds");
    }
}
