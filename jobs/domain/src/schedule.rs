//! When a device is asked. Stateless: whether a device is due is a function of its interval, its phase and the window.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{DeviceId, Timestamp};

/// No device is asked more often than this, unless the operator says otherwise.
pub const LEAST_INTERVAL: Duration = Duration::from_secs(5);
/// A device that missed more queries in a row than this is asked at most once in [`BACKED_OFF`].
const MOST_MISSES: u32 = 10;
const BACKED_OFF: Duration = Duration::from_mins(1);
/// Before that, a device that shares its line is asked less with each miss, down to once in this time: its gateway waits
/// ten seconds for it, and its neighbours wait as well.
const PROBED: Duration = Duration::from_secs(30);
/// What one timed-out instruction adds to an interval.
const PER_TIMED_OUT: Duration = Duration::from_millis(500);
/// What one instruction takes on a wired line, unless the operator says otherwise. Over a SIM it is twice as much.
pub const PER_INSTRUCTION: Duration = Duration::from_secs(1);
/// The small data plans that must be spared, and from how many KB on a plan is not small.
const SPARED_PLAN: &str = "ali_1";
const AMPLE_KB: u64 = 524_288;

/// What a terminal's line has to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineLoad {
    /// Instructions in use, summed over the devices of the terminal; 0 counts as 1.
    pub instructions: usize,
    /// How the terminal reaches us.
    pub uplink: Uplink,
    /// The shortest interval that the device asked about allows; zero when it does not say.
    pub device_minimum: Duration,
    /// The shortest interval of any device: [`LEAST_INTERVAL`], or what the operator says.
    pub least: Duration,
    /// What one instruction takes on a wired line: [`PER_INSTRUCTION`], or what the operator says.
    pub per_instruction: Duration,
}

impl Default for LineLoad {
    fn default() -> Self {
        Self {
            instructions: 0,
            uplink: Uplink::Wired,
            device_minimum: Duration::ZERO,
            least: LEAST_INTERVAL,
            per_instruction: PER_INSTRUCTION,
        }
    }
}

/// How a terminal reaches us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Uplink {
    /// Over a wire: it has no ICCID.
    #[default]
    Wired,
    /// Over a SIM, with its data plan when that is known.
    Sim(Option<DataPlan>),
}

/// A SIM's data plan, as the carrier tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataPlan {
    /// `resName`: the plan's name.
    pub name: String,
    /// `version`: its kind.
    pub version: String,
    /// `flowResource`: what it allows, in KB.
    pub flow_kb: u64,
    /// `flowUsed`: what is used of it, in KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_kb: Option<u64>,
    /// `restOfFlow`: what is left of it, in KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_kb: Option<u64>,
    /// `expireDate`: when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// `IsAutoRecharge`: whether it goes on by itself then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renews_itself: bool,
    /// `uptime`: when the carrier told this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
}

impl DataPlan {
    /// What is left of it, in hundredths of what it allows; none where that is not known.
    pub fn left(&self) -> Option<f64> {
        let left = self.left_kb.or_else(|| Some(self.flow_kb.saturating_sub(self.used_kb?)))?;
        #[expect(clippy::cast_precision_loss, reason = "a plan of 2^53 KB is none")]
        (self.flow_kb > 0).then(|| left as f64 * 100.0 / self.flow_kb as f64)
    }

    /// The days until it ends, negative afterwards; none for one that does not.
    pub fn days_left(&self, now: Timestamp) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a date is less than 2^53 ms away")]
        self.expires.map(|expires| expires.0.saturating_sub(now.0) as f64 / 86_400_000.0)
    }

    fn must_be_spared(&self) -> bool {
        (self.name == SPARED_PLAN || self.version == SPARED_PLAN) && (1..AMPLE_KB).contains(&self.flow_kb)
    }
}

/// How often each device of a line is asked.
pub fn interval(load: &LineLoad) -> Duration {
    let wired = load.per_instruction.as_millis().saturating_mul(load.instructions.max(1) as u128);
    let sim = wired.saturating_mul(2);
    let millis = match &load.uplink {
        Uplink::Wired => wired,
        Uplink::Sim(Some(plan)) if plan.must_be_spared() => {
            sim.saturating_mul(2 * u128::from(AMPLE_KB)) / u128::from(plan.flow_kb)
        }
        Uplink::Sim(_) => sim,
    };
    let needed = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    needed.max(load.least).max(load.device_minimum)
}

/// Where in its interval a device's instants lie, so that devices of one interval do not all come at once.
///
/// It is the first eight bytes of the SHA-256 of the device's text form `mac/pid`, as a big-endian number, modulo the
/// interval in milliseconds. That may never change: processes of two versions must agree on who is due.
pub fn phase(device: &DeviceId, interval: Duration) -> Duration {
    phase_of(&device.to_string(), interval)
}

/// The same, of anything that has a name.
pub fn phase_of(name: &str, interval: Duration) -> Duration {
    let digest = Sha256::digest(name);
    let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
    let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(hash.checked_rem(interval).unwrap_or(0))
}

/// Every instant from `from` on and before `until` that is `phase` past a multiple of `interval`; none when the interval
/// is shorter than a millisecond. Windows that follow each other neither miss nor double an instant.
pub fn due(interval: Duration, phase: Duration, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    let millis = |duration: Duration| i128::try_from(duration.as_millis()).unwrap_or(i128::MAX);
    let (interval, phase) = (millis(interval), millis(phase));
    let from = i128::from(from.0);
    let first = (interval > 0).then(|| from + (phase - from).rem_euclid(interval));
    std::iter::successors(first, move |instant| Some(instant + interval))
        .map_while(|instant| i64::try_from(instant).ok().map(Timestamp))
        .take_while(move |&instant| instant < until)
}

/// The interval of a device that missed this many queries in a row, with this many neighbours on its line.
pub fn backed_off(interval: Duration, misses: u32, neighbours: usize) -> Duration {
    match misses {
        0 | 1 => interval,
        2..=MOST_MISSES if neighbours == 0 => interval,
        2..=MOST_MISSES => interval.saturating_mul(1 << (misses - 1)).min(PROBED).max(interval),
        _ => interval.max(BACKED_OFF),
    }
}

/// The interval of a device that left this many instructions of its last query unanswered.
pub fn slowed(interval: Duration, timed_out: u32) -> Duration {
    interval.saturating_add(PER_TIMED_OUT.saturating_mul(timed_out))
}

#[cfg(test)]
mod tests;
