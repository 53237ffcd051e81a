//! Each job is a function of its own, each program too, and each is what the documents say it is.

use std::collections::{BTreeMap, BTreeSet};

use jobs::Job as _;
use serde_json::{Value, json};

use super::stack::{all, functions, jobs, properties, resource, section, target};
use crate::sources::{camel, stems};

#[test]
fn every_job_has_exactly_one_function() {
    for job in jobs() {
        assert_eq!(functions().iter().filter(|(program, ..)| *program == job.name).count(), 1, "{}", job.name);
    }
}

#[test]
fn every_program_has_exactly_one_function_and_every_function_a_program() {
    let mut programs: Vec<&str> = functions().iter().map(|(program, ..)| *program).collect();
    programs.sort_unstable();
    assert_eq!(programs, Vec::from_iter(stems("functions/src/bin")));
}

#[test]
fn a_function_is_its_own_program_for_arm64_in_a_zip() {
    for (program, name, function) in functions() {
        assert_eq!(name, format!("{}Function", camel(program)));
        assert_eq!(resource(name)["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        assert_eq!(function["Architectures"], json!(["arm64"]), "{name}");
        assert_eq!(function["Runtime"], "provided.al2023", "{name}");
        assert_eq!(function["Handler"], "bootstrap", "{name}");
        let package = function.get("PackageType").unwrap_or(&Value::Null);
        assert!(package.is_null() || package == "Zip", "{name} is packed as {package}");
        assert!(function["Code"]["S3Key"].is_string(), "{name} has its code in an archive");
    }
}

#[test]
fn a_function_of_a_job_may_run_longer_than_the_lease_of_the_job() {
    let lease = jobs::PlanWindow::LEASE.as_secs();
    for job in jobs() {
        let function = properties("AWS::Lambda::Function", &format!("{}Function", job.resource));
        assert!(function["Timeout"].as_u64().unwrap() > lease, "{} would be cut off before its lease ends", job.name);
    }
}

#[test]
fn a_function_logs_to_a_group_of_its_own() {
    let mut groups = BTreeSet::new();
    for (_, name, function) in functions() {
        let group = target(&function["LoggingConfig"]["LogGroup"]).unwrap_or_else(|| panic!("{name} has no log group"));
        properties("AWS::Logs::LogGroup", group);
        assert!(groups.insert(group), "{group} has the log of {name} and of another");
    }
}

#[test]
fn every_log_forgets() {
    let parameter = &section("Parameters")["LogRetentionDays"];
    assert!(parameter["Default"].as_u64().is_some_and(|days| days > 0), "{parameter}");
    for (name, group) in all("AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"], json!({ "Ref": "LogRetentionDays" }), "{name}");
    }
}

#[test]
fn a_function_is_told_the_table_and_its_own_queue_and_dead_letters() {
    for job in jobs() {
        let told = variables(&format!("{}Function", job.resource));
        assert_eq!(told["TELLTALE_TABLE"], Some("Table"), "{}", job.name);
        if !job.is_scheduled {
            let queue = format!("TELLTALE_QUEUES__{}", job.name.to_uppercase());
            assert_eq!(told[&queue], Some(&*format!("{}Queue", job.resource)), "{}", job.name);
            assert_eq!(told["TELLTALE_DEAD_LETTERS"], Some(&*format!("{}DeadLetters", job.resource)), "{}", job.name);
        }
    }
}

#[test]
fn a_queue_is_known_by_the_name_of_its_job_to_every_function() {
    for (_, name, _) in functions() {
        for (variable, told) in variables(name) {
            for (prefix, kind) in [("TELLTALE_QUEUES__", "Queue"), ("TELLTALE_DEAD_LETTERS__", "DeadLetters")] {
                if let Some(job) = variable.strip_prefix(prefix) {
                    assert_eq!(told, Some(&*format!("{}{kind}", camel(&job.to_lowercase()))), "{name}: {variable}");
                }
            }
        }
    }
}

#[test]
fn the_api_knows_every_queue_and_all_dead_letters() {
    let told = variables("ApiFunction");
    for job in jobs() {
        let name = job.name.to_uppercase();
        assert!(told.contains_key(&format!("TELLTALE_DEAD_LETTERS__{name}")), "dead letters of {}", job.name);
        assert_eq!(told.contains_key(&format!("TELLTALE_QUEUES__{name}")), !job.is_scheduled, "queue of {}", job.name);
    }
}

#[test]
fn jobs_go_by_the_schedules_minute_and_who_has_no_schedule_is_not_told_of_one() {
    for (program, name, function) in functions() {
        let told = &function["Environment"]["Variables"];
        let is_job = jobs().iter().any(|job| job.name == program);
        let minute = if is_job { json!("60000") } else { Value::Null };
        assert_eq!(told["TELLTALE_SCHEDULE__WINDOW_MS"], minute, "{name}");
        assert_eq!(told["TELLTALE_SCHEDULE__LEAD_MS"], minute, "{name}");
        let shortest = target(&told["TELLTALE_SCHEDULE__MINIMUM_INTERVAL_MS"]);
        assert_eq!(shortest, is_job.then_some("MinimumPollIntervalMs"), "{name}");
    }
}

#[test]
fn a_reading_that_says_nothing_new_is_stored_as_seldom_as_is_chosen_and_as_the_calculator_takes_it() {
    let told = variables("ProcessResultsFunction");
    assert_eq!(told["TELLTALE_READINGS__SILENCE_MS"], Some("StoreUnchangedEveryMs"));
    let default = &section("Parameters")["StoreUnchangedEveryMs"]["Default"];
    assert_eq!(default.as_f64(), Some(1000.0 * cost::Installation::default().silence));
}

/// A function's variables, with the resource or parameter that each speaks of.
fn variables(function: &str) -> BTreeMap<String, Option<&'static str>> {
    let variables = &properties("AWS::Lambda::Function", function)["Environment"]["Variables"];
    let variables = variables.as_object().unwrap_or_else(|| panic!("{function} is told nothing"));
    variables.iter().map(|(name, value)| (name.clone(), target(value))).collect()
}
