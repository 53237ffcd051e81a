//! Reading a detail back: sentences with commas or `and` between them.

use std::{collections::BTreeSet, time::Duration};

use super::{Against, RULE_REMOVED, STANDS, STOOD, Sight, platform};

/// What stands between sentences, and within some.
const BETWEEN: [&str; 2] = [", ", " and "];
/// A detail in which they stand more often is none that a condition makes.
const MOST_BETWEEN: usize = 200;
/// Why a link is lost, as far as that is said in our words.
const CAUSES: [&str; 4] = [
    "its connection to us is gone",
    "it did not come back with its node",
    "it left its node",
    "its node reboots it, since nothing on its line answers",
];

/// What a detail says; none where it is not made of our sentences.
pub(super) fn sights(detail: &str) -> Option<Vec<Sight>> {
    let between =
        BETWEEN.into_iter().flat_map(|sign| detail.match_indices(sign).map(|(at, sign)| (at, at + sign.len())));
    let mut cuts: Vec<(usize, usize)> = between.collect();
    if cuts.len() > MOST_BETWEEN {
        return None;
    }
    cuts.push((detail.len(), detail.len()));
    cuts.sort_unstable();
    Reading { detail, cuts, unreadable: BTreeSet::new() }.from(0)
}

/// A detail, and where a sentence of it may end and the next begin.
struct Reading<'a> {
    detail: &'a str,
    cuts: Vec<(usize, usize)>,
    /// From where on it was tried in vain.
    unreadable: BTreeSet<usize>,
}

impl Reading<'_> {
    /// What it says from there on: the shortest sentence that goes on with others to the end.
    fn from(&mut self, start: usize) -> Option<Vec<Sight>> {
        let rest = self.detail.get(start..).filter(|_| !self.unreadable.contains(&start))?;
        // All that follows is what happened so often.
        if let Some(times) = times(rest) {
            return Some(vec![times]);
        }
        for (end, next) in self.cuts.clone().into_iter().filter(|(end, _)| *end >= start) {
            let Some(sight) = self.detail.get(start..end).and_then(sentence) else { continue };
            if end == self.detail.len() {
                return Some(vec![sight]);
            }
            if let Some(others) = self.from(next) {
                return Some([vec![sight], others].concat());
            }
        }
        // Words of somebody else, in which anything may be.
        let lost = rest.strip_prefix("link lost: ").map(|cause| vec![Sight::Lost { cause: cause.to_owned() }]);
        if lost.is_none() {
            self.unreadable.insert(start);
        }
        lost
    }
}

/// `3 times within 10 min: temperature 35.2 ℃, at most 30`.
fn times(text: &str) -> Option<Sight> {
    let (count, rest) = text.split_once(" times within ")?;
    let (within, of) = rest.split_once(": ")?;
    Some(Sight::Times { count: count.parse().ok()?, within: time(within)?, of: Sight::read(of) })
}

fn sentence(text: &str) -> Option<Sight> {
    let said = match text {
        "answers again" => Sight::Answers,
        "link seen again" => Sight::Seen,
        "data again" => Sight::Data,
        RULE_REMOVED => Sight::RuleRemoved,
        STANDS => Sight::Stands,
        STOOD => Sight::Stood,
        "it is over" => Sight::Over,
        "reset" => Sight::Reset,
        "its time out of service is up" => Sight::ServiceEnded,
        "until it is over" => Sight::UntilOver,
        _ => {
            return of_silence(text)
                .or_else(|| of_a_life(text))
                .or_else(|| platform::read(text))
                .or_else(|| of_a_value(text));
        }
    };
    Some(said)
}

fn of_silence(text: &str) -> Option<Sight> {
    if let Some(cause) = text.strip_prefix("link lost: ") {
        return CAUSES.contains(&cause).then(|| Sight::Lost { cause: cause.to_owned() });
    }
    if let Some(after) = text.strip_prefix("no data for ") {
        return Some(Sight::NoData { after: time(after)? });
    }
    let count = text.strip_suffix(" queries in a row without an answer")?;
    Some(Sight::Missed { count: count.parse().ok()? })
}

/// What the machine says of an alarm beside what was seen.
fn of_a_life(text: &str) -> Option<Sight> {
    if let Some(by) = text.strip_prefix("the word of ").and_then(|rest| rest.strip_suffix(" held until now")) {
        return Some(Sight::WordEnded { by: by.to_owned() });
    }
    let text = text.strip_prefix("raised ")?;
    let changed = text.strip_prefix("or changed ");
    let (swings, (count, rest)) = (changed.is_some(), changed.unwrap_or(text).split_once(" times")?);
    let count = count.parse().ok()?;
    if let Some((since, calm)) = rest.split_once(": told no more until it is calm for ") {
        let since = if since.is_empty() { None } else { Some(since.strip_prefix(" since ")?.to_owned()) };
        return Some(Sight::Flaps { count, swings, since, calm: time(calm)? });
    }
    let (since, ended) = rest.strip_prefix(" since ")?.split_once(", now calm: ")?;
    let over = match ended {
        "it stands" => false,
        "it is over" => true,
        _ => return None,
    };
    Some(Sight::Calm { count, swings, since: since.to_owned(), over })
}

fn of_a_value(text: &str) -> Option<Sight> {
    // A name, or a state, may hold a comma.
    let limits = text.rmatch_indices(", ").find_map(|(at, sign)| value(&text[..at], &text[at + sign.len()..]));
    limits.or_else(|| rate(text)).or_else(|| moving(text))
}

fn value(what: &str, limits: &str) -> Option<Sight> {
    let owned = str::to_owned;
    let against = match limits {
        "back inside its limits" => Against::Inside,
        "no limits" => Against::Nothing,
        _ => {
            let of = |prefix: &str| limits.strip_prefix(prefix).map(owned);
            let range = || of("limits ").map(|range| Against::Limits { range });
            let least = || of("at least ").map(|limit| Against::AtLeast { limit });
            let most = || of("at most ").map(|limit| Against::AtMost { limit });
            let when = || of("alarm if ").map(|what| Against::When { what });
            let not = || of("not ").map(|what| Against::Not { what });
            let normal = || of("normal ").map(|what| Against::Normal { what });
            range().or_else(least).or_else(most).or_else(when).or_else(not).or_else(normal)?
        }
    };
    if let (Against::Normal { what: normal }, Some((name, told))) = (&against, what.rsplit_once(" bit ")) {
        let bit = told.split_once(' ').and_then(|(bit, on)| Some((bit.parse().ok()?, is_on(on)?, is_on(normal)?)));
        if let Some((bit, on, normal)) = bit {
            return Some(Sight::Bit { name: owned(name), bit, on, normal });
        }
    }
    if let Some((what, over)) = over(what) {
        return Some(Sight::Value { what, over: Some(over), against });
    }
    Some(Sight::Value { what: owned(what), over: None, against })
}

fn is_on(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// `temperature over 10 min 5 ℃`, without the time, and the time.
fn over(what: &str) -> Option<(String, u64)> {
    let (name, rest) = what.rsplit_once(" over ")?;
    let mut words = rest.splitn(3, ' ');
    let (number, unit, shown) = (words.next()?, words.next()?, words.next()?);
    Some((format!("{name} {shown}"), time(&format!("{number} {unit}"))?))
}

/// `temperature +5.000 ℃ in 1 min`.
fn rate(text: &str) -> Option<Sight> {
    let (what, per) = text.rsplit_once(" in ")?;
    let is_speed = |word: &str| word.starts_with(['+', '-']) && word.parse::<f64>().is_ok();
    let what: Vec<&str> = what.split(' ').filter(|word| !word.is_empty()).collect();
    what.iter().any(|word| is_speed(word)).then_some(())?;
    Some(Sight::Rate { what: what.join(" "), per: time(per)? })
}

/// Whether a value moves.
fn moving(text: &str) -> Option<Sight> {
    if let Some((name, shown)) = text.split_once(" moves: ") {
        return Some(Sight::Moves { what: format!("{name} {shown}") });
    }
    let (what, after) = text.rsplit_once(" for ")?;
    let (name, shown) = what.split_once(" has been ")?;
    Some(Sight::Stuck { what: format!("{name} {shown}"), after: time(after)? })
}

/// `90 s`, `10 min`, in milliseconds.
pub(super) fn time(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let one = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "min" => Duration::from_mins(1),
        "h" => Duration::from_hours(1),
        "d" => Duration::from_hours(24),
        _ => return None,
    };
    number.checked_mul(u64::try_from(one.as_millis()).ok()?)
}
