//! A rule, and a series without gaps that it watches.

use domain::alarm::Comparison;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// How far apart samples are, and how far apart looks, in seconds.
pub(super) const SAMPLE: i64 = 15;
pub(super) const LOOK: i64 = 5;
/// How many samples a series has: those of a file end together.
const SAMPLES: usize = 48;

/// A rule and its series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) is: Comparison,
    pub(super) to: f64,
    /// `for`, in seconds: whole looks.
    pub(super) held_for: u64,
    /// `keep_firing_for`, in seconds: whole looks.
    pub(super) kept_for: u64,
    /// One value each fifteen seconds.
    pub(super) samples: Vec<f64>,
}

/// Values near the limit, in runs: alarms that come, stay, and go again.
pub(super) fn case() -> impl Strategy<Value = Case> {
    let comparison = prop::sample::select(vec![
        Comparison::Greater,
        Comparison::AtLeast,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Equal,
        Comparison::Other,
    ]);
    let value = prop_oneof![6 => (-3_i32..=3).prop_map(f64::from), 1 => -1e6..1e6_f64, 1 => Just(0.1 + 0.2)];
    let run = (value, 1_usize..8).prop_map(|(value, length)| vec![value; length]);
    let samples =
        prop::collection::vec(run, 4..14).prop_map(|runs| runs.concat().into_iter().cycle().take(SAMPLES).collect());
    let delays = (prop_oneof![2 => Just(0_u64), 5 => 1_u64..20], prop_oneof![2 => Just(0_u64), 5 => 1_u64..20]);
    (comparison, -1_i32..=1, delays, samples).prop_map(|(is, to, (held, kept), samples)| Case {
        is,
        to: f64::from(to),
        held_for: held * LOOK.unsigned_abs(),
        kept_for: kept * LOOK.unsigned_abs(),
        samples,
    })
}
