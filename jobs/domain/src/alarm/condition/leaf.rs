//! Conditions that are made of no others.

use std::time::Duration;

use super::{
    Condition, Memory,
    judge::{Before, Look, Verdict},
    limits,
};
use crate::{
    alarm::{Fact, Observed, Severity},
    reading::{Datum, Quality},
};

impl Condition {
    pub(super) fn judge_leaf(&self, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
        match (self, look.fact) {
            (Self::NoData { after }, _) => no_data(*after, look, memory, place),
            (Self::Missed { more_than }, Fact::Missed { count }) => missed(*more_than, *count, look, memory, place),
            (Self::Missed { .. }, Fact::Values { .. }) if look.hears_silence => {
                memory.explain_misses(place, 0);
                Verdict::of(false, "answers again")
            }
            (Self::Lost, Fact::LinkLost { cause, .. }) => Verdict::of(true, format!("link lost: {cause}")),
            (Self::Lost, Fact::LinkSeen) => Verdict::of(false, "link seen again"),
            (Self::Away, Fact::Away { why }) => Verdict::of(true, why.clone()),
            (Self::Away, Fact::Back { how }) => Verdict::of(false, how.clone()),
            (Self::Missed { .. } | Self::Lost | Self::Away, _) => Verdict::Silent,
            (_, Fact::Values { values } | Fact::Known { values }) => {
                let wanted = self.names().first().copied().unwrap_or_default();
                match values.iter().find(|value| value.name == wanted) {
                    Some(value) if is_good(value) => self.judge_value(value, look, memory, place),
                    Some(_) => Verdict::Unknown,
                    None => Verdict::Silent,
                }
            }
            _ => Verdict::Silent,
        }
    }

    fn judge_value(&self, observed: &Observed, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
        match self {
            Self::In { states, .. } => state(observed, states, true),
            Self::NotIn { normal, .. } => state(observed, normal, false),
            Self::Stuck { after, .. } => stuck(observed, *after, look, memory, place),
            Self::Bit { bit, normal, .. } => match bit_of(&observed.value, *bit) {
                Some(set) => {
                    let told = |set: bool| if set { "on" } else { "off" };
                    let words = format!("{} bit {bit} {}, normal {}", observed.name, told(set), told(*normal));
                    Verdict::of(set != *normal, words)
                }
                None => Verdict::Unknown,
            },
            _ => match observed.value {
                Datum::Number(number) if number.is_finite() => self.judge_number(observed, number, look, memory, place),
                _ => Verdict::Unknown,
            },
        }
    }

    fn judge_number(
        &self,
        observed: &Observed,
        value: f64,
        look: Look<'_>,
        memory: &mut Memory,
        place: &str,
    ) -> Verdict {
        let held = |deadband: f64| if look.before.is_active() { deadband } else { 0.0 };
        match self {
            Self::Compare { is, to, deadband, .. } => limits::compare(observed, value, *is, *to, held(*deadband)),
            Self::Outside { min, max, deadband, .. } => limits::outside(observed, value, (*min, *max), held(*deadband)),
            Self::Between { min, max, .. } => limits::between(observed, value, *min, *max),
            Self::Levels { above, below, .. } => {
                // The level that was reached is remembered here, since a rule that is active does not say which, nor on which side.
                let [high, low] = [format!("{place}!>"), format!("{place}!<")];
                let most = (look.before == Before::Assumed { is_active: true }).then_some(Severity::Critical);
                let before = most.or(memory.mattered(&format!("{place}!")));
                let known = (memory.mattered(&high).or(before), memory.mattered(&low).or(before));
                let (verdict, reached) = limits::levels(observed, value, (above, below), known);
                memory.forget(&format!("{place}!"));
                memory.reaches(&high, reached.0);
                memory.reaches(&low, reached.1);
                verdict
            }
            Self::Rate { rising, falling, per, .. } => {
                let before = memory.last(place).and_then(|last| Some((last.value.parse::<f64>().ok()?, last.since)));
                memory.set_last(place, value.to_string(), look.at);
                let Some((before, at)) = before.filter(|(_, at)| *at < look.at) else { return Verdict::Silent };
                let speed = (value - before) * per.as_secs_f64() / look.at.since(at).as_secs_f64();
                let is_too_fast = rising.is_some_and(|most| speed > most) || falling.is_some_and(|most| -speed > most);
                let words = format!("{} {speed:+.3} {} in {}", observed.name, observed.unit, time(*per));
                Verdict::of(is_too_fast, words)
            }
            Self::Window { figure, within, is, to, .. } => {
                let figure = memory.window(place, look.at, *within, value).figure(*figure);
                let display = Datum::Number(figure).text();
                let over =
                    Observed { name: format!("{} over {}", observed.name, time(*within)), display, ..observed.clone() };
                limits::compare(&over, figure, *is, *to, 0.0)
            }
            _ => Verdict::Silent,
        }
    }
}

/// Only good values say anything.
fn is_good(value: &Observed) -> bool {
    value.quality == Quality::Good && value.value != Datum::None
}

fn state(observed: &Observed, listed: &[String], listed_is_abnormal: bool) -> Verdict {
    let raw = observed.value.text();
    let told = if observed.display == raw { raw.clone() } else { format!("{} ({raw})", observed.display) };
    let which = if listed_is_abnormal { "not" } else { "normal" };
    let words = format!("{} {told}, {which} {}", observed.name, listed.join(" or "));
    // A text line may write 1 as `01`: the same state, however the document writes it.
    let is_it = |listed: &String| *listed == raw || Datum::of_word(listed) == observed.value;
    Verdict::of(listed.iter().any(is_it) == listed_is_abnormal, words)
}

/// A bit of a whole number, one below zero as two's complement has it, or of a row of zeros and ones, whose last is the lowest.
fn bit_of(value: &Datum, bit: u8) -> Option<bool> {
    match value {
        // A status word is read as a signed one where its document does not say otherwise.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and in the range")]
        Datum::Number(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
            Some(*number as i64 >> bit & 1 == 1)
        }
        Datum::Text(text) if text.chars().all(|flag| matches!(flag, '0' | '1')) => {
            text.chars().rev().nth(usize::from(bit)).map(|flag| flag == '1')
        }
        _ => None,
    }
}

fn stuck(observed: &Observed, after: Duration, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
    match memory.same_since(place, observed.value.text(), look.at, after) {
        Some(since) => {
            let still = look.at.since(since);
            Verdict::of(still >= after, format!("{} has been {} for {}", observed.name, observed.display, time(still)))
        }
        None => Verdict::of(false, format!("{} moves: {}", observed.name, observed.display)),
    }
}

/// Misses say nothing of a source of which nothing is known, nor do they later.
fn missed(more_than: u32, count: u32, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
    if !look.hears_silence && !look.is_unknown {
        return Verdict::Silent;
    }
    let own = memory.own_misses(place, count, look.at, look.is_unknown);
    if own > more_than {
        Verdict::of(true, format!("{own} queries in a row without an answer"))
    } else {
        Verdict::Silent
    }
}

/// Nothing is missed before something was heard, nor while it is known why nothing comes.
fn no_data(after: Duration, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
    if matches!(look.fact, Fact::Values { .. }) {
        memory.hears(place, look.at, after);
        return Verdict::of(false, "data again");
    }
    memory.is_missed_after(place, after);
    match memory.silence_is_due(place).filter(|_| look.hears_silence) {
        Some(due) if due <= look.reached => {
            memory.set_due(place, None);
            Verdict::of(true, format!("no data for {}", time(after)))
        }
        _ => Verdict::Silent,
    }
}

/// A time as people say it: `90 s`, `10 min`, `2 h`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        _ if seconds.is_multiple_of(86_400) => format!("{} d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
