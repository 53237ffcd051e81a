//! The translated template, and how to ask for its parts.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use telltale_tests::translated_template;

use crate::sources::{camel, job_rows};

static TRANSLATED: LazyLock<Value> = LazyLock::new(|| translated_template().unwrap());

/// A job, as its row in the docs has it.
pub(super) struct Job {
    pub(super) name: String,
    /// What the names of its resources begin with.
    pub(super) resource: String,
    /// Whether the schedule asks for it, so that no queue does.
    pub(super) is_scheduled: bool,
    pub(super) attempts: u64,
}

/// Every job.
pub(super) fn jobs() -> Vec<Job> {
    let job = |row: Vec<String>| Job {
        resource: camel(&row[0]),
        is_scheduled: row[1].starts_with("the schedule"),
        attempts: row[4].parse().unwrap(),
        name: row[0].clone(),
    };
    let jobs: Vec<Job> = job_rows().into_iter().map(job).collect();
    assert!(jobs.len() > 5, "docs/JOBS.md has a table of jobs");
    jobs
}

/// A section of the template: `Resources`, `Parameters`.
pub(super) fn section(name: &str) -> &'static Map<String, Value> {
    TRANSLATED[name].as_object().unwrap_or_else(|| panic!("the template has no {name}"))
}

/// A resource.
pub(super) fn resource(name: &str) -> &'static Value {
    section("Resources").get(name).unwrap_or_else(|| panic!("the template has no {name}"))
}

/// The properties of a resource that is of this kind.
pub(super) fn properties(kind: &str, name: &str) -> &'static Value {
    let resource = resource(name);
    assert_eq!(resource["Type"], kind, "{name}");
    &resource["Properties"]
}

/// Every resource of a kind, by name.
pub(super) fn all(kind: &str) -> Vec<(&'static str, &'static Value)> {
    let all = section("Resources").iter().filter(|(_, resource)| resource["Type"] == kind);
    all.map(|(name, resource)| (name.as_str(), resource)).collect()
}

/// The function that a program is, with the program's name.
pub(super) fn functions() -> Vec<(&'static str, &'static str, &'static Value)> {
    let functions = all("AWS::Lambda::Function").into_iter();
    let program = |function: &'static Value| function["Metadata"]["BuildProperties"]["Binary"].as_str();
    functions.map(|(name, function)| (program(function).unwrap(), name, &function["Properties"])).collect()
}

/// The name of the resource or parameter that a `Ref` or a `GetAtt` speaks of.
pub(super) fn target(value: &Value) -> Option<&str> {
    let attribute = &value["Fn::GetAtt"];
    let named = value["Ref"].as_str().or_else(|| attribute[0].as_str()).or_else(|| attribute.as_str());
    named.map(|name| name.split('.').next().unwrap_or(name))
}

/// The value of that name in a list of `{Key, Value}` or `{Name, Value}`.
pub(super) fn entry<'a>(list: &'a Value, name: &str) -> &'a Value {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let mut found = entries.filter(|entry| entry["Key"] == name || entry["Name"] == name);
    found.next().map_or(&Value::Null, |entry| &entry["Value"])
}
