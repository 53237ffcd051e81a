mod backtest;
mod many;
mod targets;

use std::{sync::Mutex, time::Duration};

use engine_http::axum::http::{Method, StatusCode};
use records::{Condition, Item, Key, Table, Write, protocols};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site},
    tables::Contended,
};

const PATH: &str = "/api/alerts/rules";
const IMPORT: &str = "/api/alerts/rules/import";

/// The site, whose sensors say a temperature.
async fn with_protocol() -> Site {
    let site = Site::new().await;
    let instruct = json!([{ "name": "0300000002", "isUse": true, "resultType": "hex",
        "formResize": [{ "name": "temperature", "regx": "1-2", "bl": "0.1", "unit": "℃" }] }]);
    let document = json!({ "Type": 485, "Protocol": "sensor protocol", "ProtocolType": "th", "instruct": instruct });
    protocols::put(&*site.table, &serde_json::from_value(document).unwrap()).await.unwrap();
    site
}

/// A rule that the temperature is above a limit.
fn hot(to: f64) -> Value {
    let condition = json!({ "kind": "compare", "name": "temperature", "is": ">", "to": to });
    json!({ "name": "Hot", "scope": { "kind": "everywhere" }, "severity": "warning", "condition": condition })
}

fn with(rule: &Value, member: &str, value: Value) -> Value {
    let mut rule = rule.clone();
    rule[member] = value;
    rule
}

fn everybodys(rule: &Value) -> Value {
    with(rule, "everybody", json!(true))
}

async fn ask(site: &Site, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token(user)).json(body).send().await
}

async fn made(site: &Site, user: &str, rule: &Value) -> Value {
    let answer = ask(site, user, Method::POST, PATH, rule).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

fn path_of(rule: &Value) -> String {
    format!("{PATH}/{}", rule["id"].as_str().unwrap())
}

async fn ids_seen_by(site: &Site, user: &str) -> Vec<Value> {
    let list = site.seen_by(user, PATH).await;
    list["items"].as_array().unwrap().iter().map(|rule| rule["id"].clone()).collect()
}

#[tokio::test]
async fn a_rule_is_made_seen_changed_and_deleted_and_its_versions_are_kept() {
    let site = with_protocol().await;
    let rule = made(&site, "ann", &hot(30.0)).await;
    assert_eq!((&rule["owner"], &rule["version"], &rule["warnings"]), (&json!("ann"), &json!(1), &Value::Null));
    assert_eq!(
        (&rule["condition"]["to"], &rule["enabled"], &rule["everybody"]),
        (&json!(30.0), &json!(true), &json!(false))
    );
    let path = path_of(&rule);
    assert_eq!(site.seen_by("ann", &path).await, rule);
    site.clock.advance(Duration::from_secs(1));
    let changed = ask(&site, "ann", Method::PUT, &path, &with(&hot(31.0), "version", json!(1))).await.fine();
    assert_eq!((&changed["version"], &changed["condition"]["to"]), (&json!(2), &json!(31.0)));
    assert_eq!(site.seen_by("ann", &path).await, changed);
    let versions = format!("{path}/versions");
    assert_eq!(site.seen_by("ann", &versions).await["items"], json!([rule]));
    assert_eq!(ask(&site, "ann", Method::DELETE, &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(404), "not-found");
    assert_eq!(site.seen_by("ann", &versions).await["items"], json!([changed, rule]), "what it was is still known");
    let first = site.seen_by("ann", &format!("{versions}?limit=1")).await;
    let next = format!("{versions}?limit=1&after={}", first["next"].as_str().unwrap());
    assert_eq!(site.seen_by("ann", &next).await["items"], json!([rule]));
}

#[tokio::test]
async fn everybodys_rules_are_seen_by_all_and_made_by_administrators() {
    let site = with_protocol().await;
    let rule = made(&site, "root", &everybodys(&hot(30.0))).await;
    let path = path_of(&rule);
    assert_eq!(rule["owner"], Value::Null);
    for user in ["root", "ann", "bob"] {
        assert_eq!(site.seen_by(user, &path).await, rule, "{user}");
        assert_eq!(ids_seen_by(&site, user).await, [rule["id"].clone()], "{user}");
    }
    let changed = with(&everybodys(&hot(1.0)), "version", json!(1));
    let import = json!({ "items": [everybodys(&hot(1.0))] });
    for (method, path, body) in [
        (Method::POST, PATH, &everybodys(&hot(1.0))),
        (Method::PUT, path.as_str(), &changed),
        (Method::DELETE, path.as_str(), &Value::Null),
        (Method::POST, IMPORT, &import),
    ] {
        assert_eq!(ask(&site, "ann", method.clone(), path, body).await.problem(403), "admins-only", "{method} {path}");
    }
    assert_eq!(site.seen_by("root", &path).await, rule);
}

#[tokio::test]
async fn everybodys_rule_that_names_what_one_does_not_see_is_not_found() {
    let site = with_protocol().await;
    let of_device = json!({ "kind": "device", "mac": HERS, "pid": 1 });
    let rule = with(&with(&everybodys(&hot(30.0)), "scope", of_device), "recipients", json!({ "users": ["root"] }));
    let rule = made(&site, "root", &rule).await;
    let path = path_of(&rule);
    let seen = site.seen_by("ann", &path).await;
    assert_eq!((&seen["scope"], seen.get("recipients")), (&rule["scope"], None), "who else hears is not hers to know");
    for path in [PATH.to_owned(), format!("{PATH}/export")] {
        assert_eq!(site.seen_by("ann", &path).await["items"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(site.seen_by("bob", &path).await["items"], json!([]), "{path}");
    }
    for (method, path) in
        [(Method::GET, path.clone()), (Method::GET, format!("{path}/versions")), (Method::DELETE, path)]
    {
        assert_eq!(
            ask(&site, "bob", method.clone(), &path, &Value::Null).await.problem(404),
            "not-found",
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_persons_own_rules_are_nobody_elses() {
    let site = with_protocol().await;
    let rule = made(&site, "ann", &hot(30.0)).await;
    let path = path_of(&rule);
    let changed = with(&hot(1.0), "version", json!(1));
    for user in ["bob", "root"] {
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::GET, format!("{path}/versions")),
            (Method::PUT, path.clone()),
            (Method::DELETE, path.clone()),
        ] {
            assert_eq!(
                ask(&site, user, method.clone(), &path, &changed).await.problem(404),
                "not-found",
                "{user} {method}"
            );
        }
        assert_eq!(ids_seen_by(&site, user).await, [Value::Null; 0], "{user}");
        let exported = site.seen_by(user, &format!("{PATH}/export")).await;
        assert_eq!(exported["items"], json!([]), "{user}");
        let copy = json!({ "items": [with(&hot(2.0), "id", rule["id"].clone())] });
        let taken = ask(&site, user, Method::POST, IMPORT, &copy).await.fine();
        assert_eq!(taken["items"][0]["change"], "created", "{user} gets one of their own");
    }
    assert_eq!(site.seen_by("ann", &path).await, rule);
}

#[tokio::test]
async fn nobody_does_anything_without_signing_in() {
    let site = with_protocol().await;
    let path = path_of(&made(&site, "ann", &hot(30.0)).await);
    for (method, path) in [
        (Method::GET, PATH.to_owned()),
        (Method::POST, PATH.to_owned()),
        (Method::GET, format!("{PATH}/export")),
        (Method::POST, IMPORT.to_owned()),
        (Method::GET, path.clone()),
        (Method::PUT, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/versions")),
    ] {
        assert_eq!(site.ask(method, &path).json(&hot(1.0)).send().await.problem(401), "not-signed-in", "{path}");
    }
}

#[tokio::test]
async fn a_rule_is_about_devices_that_its_maker_may_see() {
    let site = with_protocol().await;
    let terminal = |mac: &str| json!({ "kind": "terminal", "mac": mac });
    let device = |mac: &str, pid: u8| json!({ "kind": "device", "mac": mac, "pid": pid });
    let protocol = |name: &str| json!({ "kind": "protocol", "protocol": name });
    let of_type = |name: &str| json!({ "kind": "device_type", "device_type": name });
    for (user, scope, place) in [
        ("ann", terminal(OTHER), "scope.mac"),
        ("ann", device(OTHER, 1), "scope.mac"),
        ("ann", device(HERS, 9), "scope.pid"),
        ("ann", protocol("another"), "scope.protocol"),
        ("bob", protocol("sensor protocol"), "scope.protocol"),
        ("bob", of_type("sensor"), "scope.device_type"),
        ("root", terminal("AABBCCDDEE09"), "scope.mac"),
        ("root", protocol("another"), "scope.protocol"),
    ] {
        let refused = ask(&site, user, Method::POST, PATH, &with(&hot(1.0), "scope", scope.clone())).await;
        assert!(refused.body["errors"][0].as_str().unwrap().starts_with(place), "{user} {scope}: {}", refused.body);
        assert_eq!(refused.problem(400), "bad-rule");
    }
    for scope in [terminal(HERS), device(HERS, 1), protocol("sensor protocol"), of_type("sensor")] {
        let rule = made(&site, "ann", &with(&hot(1.0), "scope", scope.clone())).await;
        assert_eq!((&rule["scope"], &rule["warnings"]), (&scope, &Value::Null));
    }
}

#[tokio::test]
async fn what_cannot_be_read_of_a_condition_is_told_with_the_part_that_it_is_in() {
    let site = with_protocol().await;
    let well = &hot(1.0)["condition"];
    let within = |bad: Value| json!({ "kind": "all", "of": [well, { "kind": "not", "of": { "kind": "any", "of": [well, bad] } }] });
    let deep = json!({ "kind": "count", "at_least": 2, "within_ms": 60_000, "of": { "kind": "nosuch" } });
    for (condition, place) in [
        (within(json!({ "kind": "compar", "name": "temperature" })), "condition.of[1].of.of[1]"),
        (within(json!({ "kind": "stuck", "name": "x", "after": 1 })), "condition.of[1].of.of[1]"),
        (within(json!(7)), "condition.of[1].of.of[1]"),
        (json!({ "kind": "any", "of": 7 }), "condition.of"),
        (json!({ "kind": "none" }), "condition"),
        (deep, "condition.of"),
    ] {
        let bad = with(&hot(1.0), "condition", condition);
        for (path, body) in [(PATH, bad.clone()), (IMPORT, json!({ "items": [hot(1.0), bad] }))] {
            let refused = ask(&site, "ann", Method::POST, path, &body).await;
            let detail = refused.body["detail"].as_str().unwrap().to_owned();
            let is_placed = detail.contains(place);
            assert!(is_placed && (path == PATH || detail.contains("items[1]")), "{place}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_the_place_of_what_is_wrong() {
    let site = with_protocol().await;
    let nothing = json!({ "kind": "outside", "name": "temperature", "min": null, "max": null });
    let any = json!({ "kind": "any", "of": [hot(1.0)["condition"], nothing] });
    for (member, value, place) in [
        ("condition", any, "condition.of[1]: "),
        ("condition", json!({ "kind": "all", "of": [] }), "condition.of: "),
        ("condition", json!({ "kind": "not", "of": { "kind": "lost" } }), "condition.of: "),
        ("on_delay_ms", json!(u64::MAX), "on_delay_ms: "),
        ("name", json!(" "), "name: "),
        ("condition", json!({ "kind": "in", "name": "x", "states": ["y".repeat(20_000)] }), "condition: "),
    ] {
        let refused = ask(&site, "ann", Method::POST, PATH, &with(&hot(1.0), member, value)).await;
        assert!(refused.body["errors"][0].as_str().unwrap().starts_with(place), "{place}: {}", refused.body);
        assert_eq!(refused.problem(400), "bad-rule");
    }
    for (member, value) in
        [("on_delay", json!(5)), ("condition", json!({ "kind": "unheard of" })), ("severity", json!(3))]
    {
        let refused = ask(&site, "ann", Method::POST, PATH, &with(&hot(1.0), member, value)).await;
        assert!(refused.status.is_client_error(), "{member}: {}", refused.body);
    }
    assert_eq!(ids_seen_by(&site, "ann").await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_name_that_no_value_in_scope_has_is_taken_with_a_warning() {
    let site = with_protocol().await;
    let unknown = with(&hot(1.0), "condition", json!({ "kind": "stuck", "name": "pressure", "after_ms": 60_000 }));
    let rule = made(&site, "ann", &unknown).await;
    let warning = json!(["\"pressure\" watches nothing: no protocol in scope has such a value"]);
    assert_eq!(rule["warnings"], warning);
    let of_ups = json!({ "kind": "device", "mac": HERS, "pid": 2 });
    let rule = made(&site, "ann", &with(&hot(1.0), "scope", of_ups)).await;
    assert_eq!(rule["warnings"].as_array().unwrap().len(), 1, "the sensor has a temperature, the UPS has none");
    let taken = ask(&site, "ann", Method::POST, IMPORT, &json!({ "items": [unknown] })).await.fine();
    assert_eq!(taken["items"][0]["warnings"], warning);
}

#[tokio::test]
async fn who_changes_what_somebody_changed_meanwhile_is_told_so() {
    let site = with_protocol().await;
    let rule = made(&site, "ann", &hot(30.0)).await;
    let path = path_of(&rule);
    let put = |version: u64, to: f64| with(&hot(to), "version", json!(version));
    ask(&site, "ann", Method::PUT, &path, &put(1, 31.0)).await.fine();
    assert_eq!(ask(&site, "ann", Method::PUT, &path, &put(1, 32.0)).await.problem(409), "version-conflict");
    let delete = format!("{path}?version=1");
    assert_eq!(ask(&site, "ann", Method::DELETE, &delete, &Value::Null).await.problem(409), "version-conflict");
    assert!(ask(&site, "ann", Method::PUT, &path, &hot(1.0)).await.status.is_client_error(), "without a version");
    let moved = ask(&site, "root", Method::PUT, &path, &put(2, 1.0)).await;
    assert_eq!(moved.problem(404), "not-found");
    assert_eq!(site.seen_by("ann", &path).await["condition"]["to"], 31.0);
}

#[tokio::test]
async fn a_rule_that_changes_between_reading_and_writing_is_a_conflict_and_another_rule_is_none() {
    for (is_same, status) in [(true, StatusCode::CONFLICT), (false, StatusCode::OK)] {
        let site = with_protocol().await;
        let rule = made(&site, "ann", &hot(30.0)).await;
        let id = format!("user:ann:rule:{}", rule["id"].as_str().unwrap());
        let key = if is_same { Key::new("alert-rule", id) } else { Key::new("alert-rules", "marker") };
        let item = Table::get(&*site.table, &key).await.unwrap().unwrap();
        let touched = Write::Put(Item { version: item.version + 1, ..item }, Condition::Always);
        let site = site.over_another(|table| Contended { table, before: Mutex::new(Some(vec![touched])) }.into());
        let put = with(&hot(31.0), "version", json!(1));
        assert_eq!(ask(&site, "ann", Method::PUT, &path_of(&rule), &put).await.status, status);
    }
}

#[tokio::test]
async fn a_rule_may_be_watched_by_the_clocks_of_a_place() {
    let site = with_protocol().await;
    let hours =
        |from: &str| json!({ "zone": "Europe/Berlin", "hours": [{ "days": ["mon"], "from": from, "until": "06:00" }] });
    let rule = made(&site, "ann", &with(&hot(30.0), "schedule", hours("22:00"))).await;
    assert_eq!(rule["schedule"], hours("22:00"));
    let refused = ask(&site, "ann", Method::POST, PATH, &with(&hot(30.0), "schedule", hours("22h"))).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    assert!(refused.body.to_string().contains("hours[0].from"), "{}", refused.body);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_rule_is_told_with_its_place() {
    let site = with_protocol().await;
    let bad_part = with(&hot(30.0)["condition"], "to", json!("30"));
    let nested = json!({ "kind": "all", "of": [hot(30.0)["condition"], bad_part] });
    for (member, value, place) in [
        ("condition", nested.clone(), "condition.of[1].to: invalid type: string \"30\""),
        ("severity", json!("bad"), "severity: unknown variant `bad`"),
        ("on_delay_ms", json!("long"), "on_delay_ms: invalid type"),
        ("severities", json!("bad"), "severities: unknown field `severities`"),
        ("flapping", json!({ "more_than": -1 }), "flapping.more_than: invalid value"),
        ("recipients", json!({ "users": ["ann", 7] }), "recipients.users[1]: invalid type"),
    ] {
        let bad = with(&hot(30.0), member, value);
        let told = ask(&site, "ann", Method::POST, PATH, &bad).await;
        assert_eq!((told.status, &told.body["code"]), (StatusCode::BAD_REQUEST, &json!("bad-body")));
        let detail = told.body["detail"].as_str().unwrap();
        assert!(detail.contains(place), "{detail}");
        let good = with(&hot(30.0), "id", Value::Null);
        let many = json!({ "items": [good, good, with(&bad, "id", Value::Null)] });
        let told = ask(&site, "ann", Method::POST, IMPORT, &many).await;
        assert_eq!((told.status, &told.body["code"]), (StatusCode::BAD_REQUEST, &json!("bad-body")));
        let detail = told.body["detail"].as_str().unwrap();
        assert!(detail.contains("items[2]: ") && detail.contains(place), "{detail}");
    }
    let rule = made(&site, "ann", &hot(30.0)).await;
    let changed = with(&with(&hot(30.0), "condition", nested), "version", json!(1));
    let told = ask(&site, "ann", Method::PUT, &path_of(&rule), &changed).await;
    assert!(told.body["detail"].as_str().unwrap().contains("condition.of[1].to: "), "{}", told.body);
}

#[tokio::test]
async fn what_can_hardly_be_meant_of_a_rule_is_shown_with_it_to_who_may_change_it() {
    let site = with_protocol().await;
    let condition = json!({ "kind": "compare", "name": "pressure", "is": ">", "to": 1 });
    let hers = made(&site, "ann", &with(&hot(30.0), "condition", condition.clone())).await;
    let everybodys = made(&site, "root", &everybodys(&with(&hot(30.0), "condition", condition))).await;
    assert_eq!(hers["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(site.seen_by("ann", &path_of(&hers)).await, hers);
    let list = site.seen_by("ann", PATH).await;
    assert_eq!((&list["items"][0]["warnings"], &list["items"][1]), (&Value::Null, &hers));
    assert_eq!(site.seen_by("root", PATH).await["items"], json!([everybodys]));
}
