//! What Prometheus makes of it.

use std::{collections::BTreeMap, process::Command};

use serde_json::{Value, json};
use telltale_tests::promtool;

use super::series::{Case, LOOK, SAMPLE};

/// How many cases go into one file: what a look costs grows with them.
const IN_A_FILE: usize = 250;

/// Fails when Prometheus calls other alarms firing than `active` says, and tells where.
pub(super) fn agrees(cases: &[Case], active: impl Fn(&Case) -> Vec<bool>) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (file, some) in cases.chunks(IN_A_FILE).enumerate() {
        let first = file * IN_A_FILE;
        let numbered: Vec<(usize, &Case)> = some.iter().enumerate().map(|(n, case)| (first + n, case)).collect();
        let rules = format!("rules{file}.json");
        write(
            &folder,
            &rules,
            &json!({ "groups": [{ "name": "g", "rules": numbered.iter().map(rule).collect::<Vec<_>>() }] }),
        );
        let test = format!("test{file}.json");
        write(
            &folder,
            &test,
            &json!({ "rule_files": [rules], "evaluation_interval": seconds(LOOK), "tests": [test_of(&numbered, &active)] }),
        );
        files.push(test);
    }
    let told = Command::new(promtool().unwrap())
        .args(["test", "rules"])
        .args(&files)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{}", first_differences(&text, cases));
}

fn write(folder: &tempfile::TempDir, name: &str, file: &Value) {
    // What is JSON is YAML.
    std::fs::write(folder.path().join(name), file.to_string()).unwrap();
}

fn seconds(seconds: i64) -> String {
    format!("{seconds}s")
}

fn rule((number, case): &(usize, &Case)) -> Value {
    let is = serde_json::to_value(case.is).unwrap();
    let expression = format!("s{number} {} {:?}", is.as_str().unwrap(), case.to);
    json!({
        "alert": format!("a{number}"), "expr": expression,
        "for": format!("{}s", case.held_for), "keep_firing_for": format!("{}s", case.kept_for),
    })
}

fn test_of(cases: &[(usize, &Case)], active: &impl Fn(&Case) -> Vec<bool>) -> Value {
    let series = cases.iter().map(|(number, case)| {
        let values: Vec<String> = case.samples.iter().map(|sample| format!("{sample:?}")).collect();
        json!({ "series": format!("s{number}"), "values": values.join(" ") })
    });
    // Which alarms are firing, by look.
    let mut firing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut looks = 0;
    for (number, case) in cases {
        let active = active(case);
        looks = looks.max(active.len());
        for (look, _) in active.iter().enumerate().filter(|(_, active)| **active) {
            firing.entry(look).or_default().push(*number);
        }
    }
    let looks = (0..looks).map(|look| {
        let firing = firing.get(&look).into_iter().flatten();
        let samples = firing.map(|number| json!({ "labels": format!("ALERTS{{alertname=\"a{number}\",alertstate=\"firing\"}}"), "value": 1 }));
        json!({
            "expr": "ALERTS{alertstate=\"firing\"}",
            "eval_time": seconds(i64::try_from(look).unwrap() * LOOK),
            "exp_samples": samples.collect::<Vec<_>>(),
        })
    });
    json!({ "interval": seconds(SAMPLE), "input_series": series.collect::<Vec<_>>(), "promql_expr_test": looks.collect::<Vec<_>>() })
}

fn first_differences(text: &str, cases: &[Case]) -> String {
    let lines: Vec<&str> = text.lines().take(60).collect();
    format!("{}\nof {} cases", lines.join("\n"), cases.len())
}
