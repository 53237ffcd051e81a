//! Temperatures that move by chance.

use std::collections::BTreeMap;

use domain::DeviceId;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// The seed of every signal.
const SEED: u64 = 20_261_126;

/// Of each device a temperature, in tenths of a degree.
pub(crate) struct Signal {
    dice: SmallRng,
    moves: f64,
    tenths: BTreeMap<DeviceId, i32>,
}

impl Signal {
    /// The chance that a reading differs from the one before is `moves`.
    pub(crate) fn new(moves: f64) -> Self {
        Self { dice: SmallRng::seed_from_u64(SEED), moves, tenths: BTreeMap::new() }
    }

    /// The next temperature of a sensor, and whether it differs.
    pub(crate) fn next(&mut self, device: &DeviceId) -> (f64, bool) {
        let tenths = self.tenths.entry(device.clone()).or_insert(200);
        let is_new = self.dice.random_bool(self.moves);
        if is_new {
            let up = self.dice.random_bool(0.5);
            // Far from every limit.
            *tenths += if (up || *tenths <= 180) && *tenths < 220 { 1 } else { -1 };
        }
        (f64::from(*tenths) / 10.0, is_new)
    }
}
