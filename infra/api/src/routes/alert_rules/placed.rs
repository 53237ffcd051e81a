//! Conditions as callers write them: of what makes no sense it is said in which part of it.

use domain::alarm::Condition;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// No condition is as deep: one that is has been refused by its first parts.
const DEEPEST: usize = 8;

/// A condition. What serde says of one that it cannot read has no place below it.
pub(super) fn condition<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Condition::deserialize(&value).map_err(|error| {
        let place = innermost(&value, "condition".to_owned(), DEEPEST);
        D::Error::custom(format!("{error}, in {place}"))
    })
}

/// The place of the innermost part that cannot be read, the first where there are several.
fn innermost(value: &Value, place: String, depth: usize) -> String {
    let parts: Vec<(&Value, String)> = match value.get("of") {
        Some(Value::Array(parts)) => {
            parts.iter().enumerate().map(|(number, part)| (part, format!("{place}.of[{number}]"))).collect()
        }
        Some(part) => vec![(part, format!("{place}.of"))],
        None => Vec::new(),
    };
    let bad = parts.into_iter().find(|(part, _)| depth > 0 && Condition::deserialize(*part).is_err());
    bad.map_or(place, |(part, place)| innermost(part, place, depth - 1))
}
