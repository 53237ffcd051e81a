//! Numbers that are written as words pass both linters, and fail at the deployment.

use serde_json::Value;

use super::stack::section;

/// Properties that are numbers, wherever they stand.
const NUMBERS: [&str; 25] = [
    "BatchSize",
    "ContainerPort",
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "HardLimit",
    "HealthCheckGracePeriodSeconds",
    "HealthCheckIntervalSeconds",
    "HealthyThresholdCount",
    "MaxCapacity",
    "MaximumEventAgeInSeconds",
    "MaximumPercent",
    "MaximumRetryAttempts",
    "MemorySize",
    "MessageRetentionPeriod",
    "MinCapacity",
    "MinimumHealthyPercent",
    "Period",
    "Port",
    "RetentionInDays",
    "StopTimeout",
    "TargetValue",
    "Threshold",
    "Timeout",
    "UnhealthyThresholdCount",
    "VisibilityTimeout",
];

#[test]
fn what_is_a_number_is_written_as_one() {
    let mut seen = 0;
    for (name, resource) in section("Resources") {
        look(name, &resource["Properties"], &mut seen);
    }
    assert!(seen > 100, "only {seen} numbers were found");
}

#[test]
fn a_parameter_that_is_a_number_has_one_for_its_default() {
    for (name, parameter) in section("Parameters") {
        let default = &parameter["Default"];
        assert!(!default.is_null(), "{name} has no default");
        assert_eq!(parameter["Type"] == "Number", default.is_number(), "{name}: {default}");
    }
}

fn look(place: &str, value: &Value, seen: &mut usize) {
    match value {
        Value::Object(entries) => {
            for (name, entry) in entries {
                if NUMBERS.contains(&name.as_str()) {
                    assert!(is_number(entry), "{place}.{name} is no number: {entry}");
                    *seen += 1;
                }
                look(&format!("{place}.{name}"), entry, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(place, item, seen)),
        _ => {}
    }
}

fn is_number(value: &Value) -> bool {
    let parameter = value["Ref"].as_str().map(|name| &section("Parameters")[name]);
    value.is_number() || parameter.is_some_and(|parameter| parameter["Type"] == "Number")
}
