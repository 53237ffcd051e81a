//! Numbers against limits, with words for the notice.

use super::{Comparison, Level, judge::Verdict};
use crate::{
    alarm::{Observed, Severity},
    reading::Datum,
};

/// What a value is beside its limits: `temperature 35.2 ℃, limits 10 ~ 30`.
fn words(Observed { name, display, unit, .. }: &Observed, limits: &str) -> String {
    let gap = if unit.is_empty() { "" } else { " " };
    format!("{name} {display}{gap}{unit}, {limits}")
}

fn text(limit: f64) -> String {
    Datum::Number(limit).text()
}

/// Against a least and a greatest normal value. Between them and `inside_by`, it is neither.
pub(super) fn outside(
    observed: &Observed,
    value: f64,
    (min, max): (Option<f64>, Option<f64>),
    inside_by: f64,
) -> Verdict {
    let is_outside_by =
        |inside: f64| max.is_some_and(|max| value > max - inside) || min.is_some_and(|min| value < min + inside);
    let limits = match (min, max) {
        (Some(min), Some(max)) => format!("limits {} ~ {}", text(min), text(max)),
        (Some(min), None) => format!("at least {}", text(min)),
        (None, Some(max)) => format!("at most {}", text(max)),
        (None, None) => "no limits".to_owned(),
    };
    if is_outside_by(0.0) {
        Verdict::of(true, words(observed, &limits))
    } else if is_outside_by(inside_by) {
        Verdict::Silent
    } else {
        Verdict::of(false, words(observed, &limits))
    }
}

/// Between a least and a greatest abnormal value.
pub(super) fn between(observed: &Observed, value: f64, min: f64, max: f64) -> Verdict {
    Verdict::of((min..=max).contains(&value), words(observed, &format!("alarm if {} ~ {}", text(min), text(max))))
}

/// Against one number. Within `back_by` of it, a value that came back is neither.
pub(super) fn compare(observed: &Observed, value: f64, is: Comparison, to: f64, back_by: f64) -> Verdict {
    let words = words(observed, &format!("alarm if {} {}", is.sign(), text(to)));
    let near = match is {
        Comparison::Greater | Comparison::AtLeast => to - back_by,
        Comparison::Less | Comparison::AtMost => to + back_by,
        Comparison::Equal | Comparison::Other => to,
    };
    if is.holds(value, to) {
        Verdict::of(true, words)
    } else if is.holds(value, near) {
        Verdict::Silent
    } else {
        Verdict::of(false, words)
    }
}

/// Against limits that matter more the further out they are, above and below; says how much it matters on each side. What was past
/// one is so until it is back by its deadband.
pub(super) fn levels(
    observed: &Observed,
    value: f64,
    (above, below): (&[Level], &[Level]),
    (known_above, known_below): (Option<Severity>, Option<Severity>),
) -> (Verdict, (Option<Severity>, Option<Severity>)) {
    let past = |is: Comparison, outward: f64, known: Option<Severity>| {
        move |level: &&Level| {
            let is_held = known.is_some_and(|known| known >= level.severity);
            let back = if is_held { level.deadband * outward } else { 0.0 };
            is.holds(value, level.limit - back)
        }
    };
    let highest = above.iter().filter(past(Comparison::Greater, 1.0, known_above)).max_by_key(|level| level.severity);
    let lowest = below.iter().filter(past(Comparison::Less, -1.0, known_below)).max_by_key(|level| level.severity);
    match highest.map(|level| ("at most", level)).or(lowest.map(|level| ("at least", level))) {
        Some((limit, level)) => {
            let words = words(observed, &format!("{limit} {}", text(level.limit)));
            let severity = Some(level.severity);
            let reached = if highest.is_some() { (severity, None) } else { (None, severity) };
            (Verdict::Abnormal { severity, words }, reached)
        }
        None => (Verdict::of(false, words(observed, "back inside its limits")), (None, None)),
    }
}
