//! Which crate may name which.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Each of our crates and the ring it lies in, the innermost first. An arrow points to a lower number only.
const RINGS: [(&str, u8); 23] = [
    ("domain", 0),
    ("records", 1),
    ("jobs", 2),
    ("engine-aws", 3),
    ("engine-chart", 3),
    ("engine-embedded", 3),
    ("engine-http", 3),
    ("engine-redis", 3),
    ("table", 4),
    ("queue", 4),
    ("link", 4),
    ("notify", 4),
    ("script", 4),
    ("broker", 4),
    ("api", 4),
    ("boot", 4),
    ("cost", 4),
    ("field", 4),
    ("site", 5),
    ("functions", 6),
    ("telltale", 6),
    ("telltale-broker", 6),
    ("telltale-tests", 7),
];

/// What only one crate may name, so that it can be changed in one place.
const KEPT_BY: [(&str, &str); 11] = [
    ("apalis", "queue"),
    ("apalis-core", "queue"),
    ("apalis-redis", "queue"),
    ("axum", "engine-http"),
    ("fjall", "engine-embedded"),
    ("lambda_http", "functions"),
    ("lambda_runtime", "functions"),
    ("lettre", "notify"),
    ("redis", "engine-redis"),
    ("rquickjs", "script"),
    ("socketioxide", "broker"),
];

/// The services of AWS that a crate may name.
const SERVICES_OF_AWS: [(&str, &[&str]); 5] = [
    ("engine-aws", &["secretsmanager"]),
    ("table", &["dynamodb"]),
    ("queue", &["sqs"]),
    ("link", &["sns", "sqs"]),
    ("notify", &["sesv2", "sns"]),
];

#[test]
fn arrows_between_our_crates_point_down() {
    let rings = BTreeMap::from(RINGS);
    for (name, dependencies) in crates() {
        let ring = rings.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no ring: give it one in RINGS"));
        for dependency in dependencies {
            if let Some(below) = rings.get(dependency.as_str()) {
                assert!(below < ring, "{name} (ring {ring}) names {dependency} (ring {below})");
            }
        }
    }
}

#[test]
fn every_ring_has_its_crate() {
    let crates = crates();
    for (name, _) in RINGS {
        assert!(crates.contains_key(name), "{name} has a ring and is not there");
    }
}

#[test]
fn the_pure_ring_names_nothing_that_waits_or_touches_the_world() {
    let domain = &crates()["domain"];
    for banned in ["tokio", "futures", "async-trait", "reqwest", "rand", "tracing"] {
        assert!(!domain.contains(&banned.to_owned()), "domain names {banned}");
    }
}

#[test]
fn each_engine_is_named_by_its_one_keeper() {
    for (name, dependencies) in crates().into_iter().filter(|(name, _)| name != "telltale-tests") {
        for dependency in dependencies {
            let keeper = KEPT_BY.iter().find(|(kept, _)| *kept == dependency).map(|(_, keeper)| *keeper);
            assert!(keeper.is_none_or(|keeper| keeper == name), "{name} names {dependency}, which {keeper:?} keeps");
            let may =
                SERVICES_OF_AWS.iter().find(|(keeper, _)| *keeper == name).map_or(&[][..], |(_, services)| services);
            let service = dependency.strip_prefix("aws-sdk-");
            assert!(service.is_none_or(|service| may.contains(&service)), "{name} names {dependency}");
        }
    }
}

/// Our crates and what each names outside its tests.
fn crates() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"].is_null()).map(|dependency| text(&dependency["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
