//! What a rule that raises too much could be instead, each tried on the same readings.

use std::time::Duration;

use domain::{
    Pid, Source, Timestamp,
    alarm::{Episode, Replay, Rule, RuleSet, episodes},
};
use records::{Table, TableError, terminals::Terminal};

use super::{Trace, each_reading, evidence};

/// Parts of what a value ranged over, as deadbands.
const DEADBANDS: [f64; 4] = [0.02, 0.05, 0.1, 0.2];
const OFF_DELAYS: [Duration; 3] = [Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(15)];
const ON_DELAYS: [Duration; 4] =
    [Duration::from_secs(30), Duration::from_mins(1), Duration::from_mins(2), Duration::from_mins(5)];
/// An alarm that lasted so long was worth an alarm: what does not raise it is no remedy.
const WORTH_IT: Duration = Duration::from_mins(10);
/// A remedy leaves so many times fewer alarms.
const FEWER: usize = 5;

/// What is done about a rule that raises too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Remedy {
    /// Nothing: the rule as it is.
    Nothing,
    /// A value must come back behind the limit by so much.
    Deadband(f64),
    /// All must be well for so long before the alarm ends.
    OffDelay(Duration),
    /// It must be so for so long before the alarm is raised.
    OnDelay(Duration),
}

/// A rule with a remedy, and what it would have raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// What was done.
    pub remedy: Remedy,
    /// The rule with it.
    pub rule: Rule,
    /// How many alarms there would have been.
    pub alarms: usize,
    /// For how long, all in all.
    pub active: Duration,
    /// How many of the alarms that lasted ten minutes and more it would still have raised.
    pub kept: usize,
}

/// What was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Variants {
    /// How many readings each was tried on.
    pub readings: usize,
    /// Whether those are all of the time: else they are its beginning.
    pub is_whole: bool,
    /// The rule as it is, then each remedy, the gentlest of a kind first.
    pub tried: Vec<Variant>,
    /// The place of the one that does: the gentlest that raises all that was worth an alarm, and at most a fifth of the alarms.
    pub suggested: Option<usize>,
}

/// Tries remedies for a rule on one device.
///
/// # Errors
/// The table's.
pub async fn variants(
    table: &dyn Table,
    (terminal, pid): (&Terminal, Pid),
    rule: &Rule,
    (from, to): (Timestamp, Timestamp),
    most_readings: usize,
) -> Result<Variants, TableError> {
    let name = rule.condition.names().first().map(|name| (*name).to_owned());
    // The deadbands to try are known once all was read, and what was read may be too much to keep.
    let mut trace = Trace::new(name, from, to);
    each_reading(table, &terminal.mac, (from, to), most_readings, |reading| {
        if reading.device.pid == pid {
            trace.see(reading);
        }
    })
    .await?;
    let remedied: Vec<(Remedy, Rule)> = remedies(rule, trace.range());
    let source = Source::Device(terminal.device_id(pid));
    let mut replays: Vec<Replay> =
        remedied.iter().map(|(_, rule)| Replay::new(source.clone(), rules_of(rule))).collect();
    let mut readings = 0;
    let is_whole = each_reading(table, &terminal.mac, (from, to), most_readings, |reading| {
        if reading.device.pid == pid {
            readings += 1;
            let evidence = evidence(reading);
            for replay in &mut replays {
                replay.see(&evidence);
            }
        }
    })
    .await?;
    let found: Vec<Vec<Episode>> = replays.into_iter().map(|replay| episodes(&replay.end(to))).collect();
    let worth_it: Vec<Episode> = found.first().map_or(Vec::new(), |as_it_is| worth_it(as_it_is, to));
    let tried = remedied.into_iter().zip(found).map(|((remedy, rule), alarms)| Variant {
        remedy,
        rule,
        alarms: alarms.len(),
        active: alarms.iter().map(|alarm| alarm.lasted(to)).sum(),
        kept: worth_it.iter().filter(|worth| alarms.iter().any(|alarm| overlap(alarm, worth, to))).count(),
    });
    let tried: Vec<Variant> = tried.collect();
    let suggested = suggested(&tried, worth_it.len());
    Ok(Variants { readings, is_whole, tried, suggested })
}

/// As if somebody reset what is latched as soon as its condition is over.
fn rules_of(rule: &Rule) -> RuleSet {
    RuleSet::from_iter([Rule { latched: false, ..rule.clone() }])
}

fn remedies(rule: &Rule, range: Option<f64>) -> Vec<(Remedy, Rule)> {
    let deadbands = DEADBANDS.iter().filter_map(|part| {
        let deadband = round(range.filter(|range| *range > 0.0)? * part);
        let condition = rule.condition.with_deadband(deadband)?;
        Some((Remedy::Deadband(deadband), Rule { condition, ..rule.clone() }))
    });
    let off_delays = OFF_DELAYS.iter().filter(|delay| **delay > rule.off_delay);
    let off_delays = off_delays.map(|delay| (Remedy::OffDelay(*delay), Rule { off_delay: *delay, ..rule.clone() }));
    let on_delays = ON_DELAYS.iter().filter(|delay| **delay > rule.on_delay);
    let on_delays = on_delays.map(|delay| (Remedy::OnDelay(*delay), Rule { on_delay: *delay, ..rule.clone() }));
    [(Remedy::Nothing, rule.clone())].into_iter().chain(deadbands).chain(off_delays).chain(on_delays).collect()
}

/// To two digits, as a person would choose it.
fn round(deadband: f64) -> f64 {
    let unit = 10_f64.powf(deadband.abs().log10().floor() - 1.0);
    let rounded = (deadband / unit).round() * unit;
    // What is left of the division is no digit that anybody chose.
    (rounded * 1e9).round() / 1e9
}

fn suggested(tried: &[Variant], worth_it: usize) -> Option<usize> {
    let as_it_is = tried.first()?.alarms;
    let does = |variant: &Variant| variant.alarms * FEWER <= as_it_is && variant.kept == worth_it;
    (1..tried.len()).find(|place| does(&tried[*place]))
}

fn worth_it(alarms: &[Episode], to: Timestamp) -> Vec<Episode> {
    alarms.iter().filter(|alarm| alarm.lasted(to) >= WORTH_IT).cloned().collect()
}

fn overlap(one: &Episode, other: &Episode, to: Timestamp) -> bool {
    one.raised <= other.cleared.unwrap_or(to) && other.raised <= one.cleared.unwrap_or(to)
}
