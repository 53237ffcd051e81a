//! Where a condition as it is written cannot be read: serde says what is wrong with a condition, and not in which of many.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Condition, Level};

/// The most faults that are told.
const MOST: usize = 20;
/// Deeper than any condition may be nobody looks for them.
const DEEPEST: usize = 8;

impl Condition {
    /// What of a written condition cannot be read, each with its place; nothing where all of it can.
    pub fn misread(written: &Value, place: &str) -> Vec<String> {
        let mut faults = Vec::new();
        misread(written, place, DEEPEST, &mut faults);
        faults.truncate(MOST);
        faults
    }
}

fn misread(written: &Value, place: &str, deepest: usize, faults: &mut Vec<String>) {
    let Err(whole) = read::<Condition>(written.clone()) else { return };
    let before = faults.len();
    if let Some((members, deepest)) = written.as_object().zip(deepest.checked_sub(1)) {
        for (name, member) in members.iter().filter(|(name, _)| *name != "kind") {
            misread_member(members, (name, member), (&format!("{place}.{name}"), deepest), faults);
        }
    }
    // What is missing, or a kind that nobody knows, is of the whole.
    if faults.len() == before {
        faults.push(format!("{place}: {whole}"));
    }
}

/// What is wrong with a member, as far as it is that which is wrong.
fn misread_member(
    members: &Map<String, Value>,
    (name, member): (&String, &Value),
    (place, deepest): (&str, usize),
    faults: &mut Vec<String>,
) {
    let before = faults.len();
    match (name.as_str(), member) {
        ("of", Value::Array(parts)) => {
            for (number, part) in parts.iter().enumerate() {
                misread(part, &format!("{place}[{number}]"), deepest, faults);
            }
        }
        ("of", part @ Value::Object(_)) => misread(part, place, deepest, faults),
        ("above" | "below", Value::Array(levels)) => {
            for (number, level) in levels.iter().enumerate() {
                let fault = read::<Level>(level.clone()).err();
                faults.extend(fault.map(|fault| format!("{place}[{number}]: {fault}")));
            }
        }
        _ => {}
    }
    if faults.len() > before {
        return;
    }
    let alone = members.iter().filter(|(other, _)| *other == "kind" || *other == name);
    let alone: Map<String, Value> = alone.map(|(name, member)| (name.clone(), member.clone())).collect();
    // With nothing beside it, what is wrong is it, or that the others are missing.
    let fault = read::<Condition>(Value::Object(alone)).err().filter(|fault| !is_of_the_kind(members, fault));
    faults.extend(fault.map(|fault| format!("{place}: {fault}")));
}

/// Whether that is wrong already where nothing but the kind is said.
fn is_of_the_kind(members: &Map<String, Value>, fault: &str) -> bool {
    let kind = members.iter().filter(|(name, _)| *name == "kind");
    let kind: Map<String, Value> = kind.map(|(name, member)| (name.clone(), member.clone())).collect();
    fault.starts_with("missing field") || read::<Condition>(Value::Object(kind)).err().as_deref() == Some(fault)
}

fn read<T: DeserializeOwned>(written: Value) -> Result<T, String> {
    serde_json::from_value(written).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_of_a_condition_is_told_with_its_place() {
        let hot = || json!({ "kind": "compare", "name": "t", "is": ">", "to": 30 });
        let with = |member: &str, value: Value| {
            let mut hot = hot();
            hot[member] = value;
            hot
        };
        for (written, faults) in [
            (hot(), vec![]),
            (with("to", json!("30")), vec!["c.to: invalid type: string \"30\", expected f64"]),
            (with("tow", json!(30)), vec!["c.tow: unknown field `tow`"]),
            (with("is", json!("above")), vec!["c.is: unknown variant `above`"]),
            (json!({ "kind": "compare", "is": ">", "to": 30 }), vec!["c: missing field `name`"]),
            (json!({ "kind": "comparison", "name": "t" }), vec!["c: unknown variant `comparison`"]),
            (json!({ "name": "t" }), vec!["c: missing field `kind`"]),
            (json!("t > 30"), vec!["c: "]),
            (
                json!({ "kind": "all", "of": [hot(), { "kind": "not", "of": with("to", json!(null)) }, with("name", json!(7))] }),
                vec!["c.of[1].of.to: ", "c.of[2].name: invalid type: integer `7`"],
            ),
            (json!({ "kind": "all", "of": hot() }), vec!["c.of: invalid type: map, expected a sequence"]),
            (
                json!({ "kind": "levels", "name": "t", "above": [{ "limit": 30, "severity": "bad" }, { "limit": 40, "severity": "critical" }] }),
                vec!["c.above[0]: unknown variant `bad`"],
            ),
            (
                json!({ "kind": "count", "of": hot(), "at_least": 70_000, "within_ms": -1 }),
                vec!["c.at_least: ", "c.within_ms: "],
            ),
        ] {
            let told = Condition::misread(&written, "c");
            assert_eq!(told.len(), faults.len(), "{written}: {told:?}");
            assert!(told.iter().zip(&faults).all(|(told, fault)| told.starts_with(fault)), "{written}: {told:?}");
        }
    }
}
