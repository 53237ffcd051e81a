//! Whether a condition makes sense, and where it does not.

use std::time::Duration;

use super::{Comparison, Condition, Level};
use crate::alarm::rule::{BadRule, LONGEST, Wrong};

/// How many conditions one may be made of in all, and how deep.
const MOST_PARTS: usize = 32;
const DEEPEST: usize = 4;

/// The most that one condition may remember, so that nobody's rules leave no room for others' on the same source: an instant for each
/// time that is counted, sixty figures for a window.
const MOST_REMEMBERED: usize = 300;
const MOST_TIMES: u16 = 100;
const OF_A_WINDOW: usize = 60;

/// The highest bit of a whole number that a double holds exactly.
const HIGHEST_BIT: u8 = 52;

impl Condition {
    /// Refuses a condition that could never hold, or never end.
    pub(in crate::alarm) fn check(&self, place: &str) -> Result<(), BadRule> {
        if self.size() > MOST_PARTS || self.depth() > DEEPEST {
            return Err(Wrong::TooMuch.at(place));
        }
        self.check_part(place)?;
        if self.remembers() > MOST_REMEMBERED {
            return Err(Wrong::TooMuchRemembered.at(place));
        }
        Ok(())
    }

    fn remembers(&self) -> usize {
        let own = match self {
            Self::Count { at_least, .. } => usize::from(*at_least),
            Self::Window { .. } => OF_A_WINDOW,
            _ => 0,
        };
        own + self.parts().iter().map(Self::remembers).sum::<usize>()
    }

    fn size(&self) -> usize {
        1 + self.parts().iter().map(Self::size).sum::<usize>()
    }

    fn depth(&self) -> usize {
        1 + self.parts().iter().map(Self::depth).max().unwrap_or(0)
    }

    fn check_part(&self, place: &str) -> Result<(), BadRule> {
        if self.names().iter().any(|name| name.trim().is_empty()) && self.parts().is_empty() {
            return Err(Wrong::NoName.at(format!("{place}.name")));
        }
        let at = |field: &str, wrong: Option<Wrong>| match wrong {
            Some(wrong) if field.is_empty() => Err(wrong.at(place)),
            Some(wrong) => Err(wrong.at(format!("{place}.{field}"))),
            None => Ok(()),
        };
        match self {
            Self::All { of } | Self::Any { of } if of.is_empty() => return at("of", Some(Wrong::Empty)),
            Self::All { of } | Self::Any { of } => {
                for (number, part) in of.iter().enumerate() {
                    part.check_part(&format!("{place}.of[{number}]"))?;
                }
            }
            Self::Not { of } => of.check_part(&format!("{place}.of"))?,
            Self::Count { of, at_least, within } => {
                at("at_least", (*at_least == 0).then_some(Wrong::NoCount))?;
                at("at_least", (*at_least > MOST_TIMES).then_some(Wrong::TooManyTimes))?;
                at("within_ms", bad_time(*within))?;
                of.check_part(&format!("{place}.of"))?;
            }
            Self::Compare { is, to, deadband, .. } => {
                at("to", bad_number(*to))?;
                let has_order = !matches!(is, Comparison::Equal | Comparison::Other);
                let most = if has_order { f64::INFINITY } else { f64::MIN_POSITIVE };
                at("deadband", (!(*deadband >= 0.0 && *deadband < most)).then_some(Wrong::Deadband))?;
            }
            Self::Outside { min, max, deadband, .. } => at("", bad_limits(*min, *max, *deadband))?,
            Self::Between { min, max, .. } => at("", bad_limits(Some(*min), Some(*max), 0.0))?,
            Self::Levels { above, below, .. } => at("", bad_levels(above, below))?,
            Self::In { states, .. } => at("states", states.is_empty().then_some(Wrong::NoState))?,
            Self::NotIn { normal, .. } => at("normal", normal.is_empty().then_some(Wrong::NoState))?,
            Self::Bit { bit, .. } => at("bit", (*bit > HIGHEST_BIT).then_some(Wrong::NoBit))?,
            Self::Rate { rising, falling, per, .. } => {
                at("per_ms", bad_time(*per))?;
                let is_wrong = |most: &f64| !(*most > 0.0 && most.is_finite());
                at("rising", rising.filter(is_wrong).map(|_| Wrong::NotANumber))?;
                at("falling", falling.filter(is_wrong).map(|_| Wrong::NotANumber))?;
                at("", (rising.is_none() && falling.is_none()).then_some(Wrong::NoLimit))?;
            }
            Self::Window { within, to, .. } => {
                at("within_ms", bad_time(*within))?;
                at("to", bad_number(*to))?;
            }
            Self::Stuck { after, .. } | Self::NoData { after } => at("after_ms", bad_time(*after))?,
            Self::Missed { .. } | Self::Lost | Self::Away => {}
        }
        Ok(())
    }
}

fn bad_time(time: Duration) -> Option<Wrong> {
    (time.is_zero() || time > LONGEST).then_some(Wrong::TooLong)
}

fn bad_number(number: f64) -> Option<Wrong> {
    (!number.is_finite()).then_some(Wrong::NotANumber)
}

fn bad_limits(min: Option<f64>, max: Option<f64>, deadband: f64) -> Option<Wrong> {
    let is_wrong = |limit: Option<f64>| limit.is_some_and(|limit| bad_number(limit).is_some());
    let between = match (min, max) {
        (None, None) => return Some(Wrong::NoLimit),
        _ if is_wrong(min) || is_wrong(max) => return Some(Wrong::NoLimit),
        (Some(min), Some(max)) if min >= max => return Some(Wrong::NothingInside),
        (Some(min), Some(max)) => max - min,
        _ => f64::INFINITY,
    };
    (!(deadband >= 0.0 && deadband < between / 2.0)).then_some(Wrong::Deadband)
}

/// The further out a limit is, the more it matters; the two sides leave something between them, deadbands and all.
fn bad_levels(above: &[Level], below: &[Level]) -> Option<Wrong> {
    if above.is_empty() && below.is_empty() {
        return Some(Wrong::NoLimit);
    }
    if above.iter().chain(below).any(|level| bad_number(level.limit).is_some()) {
        return Some(Wrong::NotANumber);
    }
    if above.iter().chain(below).any(|level| !(level.deadband >= 0.0 && level.deadband.is_finite())) {
        return Some(Wrong::Deadband);
    }
    let rises = |levels: &[Level], outward: f64| {
        let mut levels: Vec<&Level> = levels.iter().collect();
        levels.sort_by(|a, b| (a.limit * outward).total_cmp(&(b.limit * outward)));
        levels.windows(2).all(|pair| {
            (pair[0].limit * outward).total_cmp(&(pair[1].limit * outward)).is_lt()
                && pair[0].severity < pair[1].severity
        })
    };
    if !rises(above, 1.0) || !rises(below, -1.0) {
        return Some(Wrong::Levels);
    }
    let lowest = above.iter().map(|level| level.limit - level.deadband).fold(f64::INFINITY, f64::min);
    let highest = below.iter().map(|level| level.limit + level.deadband).fold(f64::NEG_INFINITY, f64::max);
    (lowest < highest).then_some(Wrong::NothingInside)
}
