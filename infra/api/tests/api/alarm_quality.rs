use std::time::Duration;

use domain::{
    DeviceId, Source,
    alarm::Severity,
    reading::{Datum, Quality, Reading, Value},
};
use engine_http::axum::http::StatusCode;
use records::{
    Table, Versioned,
    alarms::{self, Alarm, AlarmLife},
    protocols, readings,
};
use serde_json::{Value as Json, json};

use crate::site::{HERS, OTHER, Site, mac};

const QUALITY: &str = "/api/alerts/quality";
const SUGGESTIONS: &str = "/api/alerts/quality/suggestions";

async fn alarm(site: &Site, terminal: &str, rule: &str, number: i64) {
    put(site, an_alarm(site, terminal, rule, number)).await;
}

async fn put(site: &Site, alarm: Alarm) {
    let writes = alarms::put(&Versioned { version: 0, value: alarm }).unwrap();
    assert!(site.table.transact(writes).await.unwrap().applied());
}

/// One that was over within seconds.
fn an_alarm(site: &Site, terminal: &str, rule: &str, number: i64) -> Alarm {
    let at = site.now().minus(Duration::from_hours(1)).plus(Duration::from_secs(20 * u64::try_from(number).unwrap()));
    Alarm {
        id: domain::identity::derived_id(at, &[terminal, rule, &number.to_string()]),
        source: Source::Device(DeviceId { mac: mac(terminal), pid: 1 }),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        detail: "hot".to_owned(),
        raised_at: at,
        cleared_at: Some(at.plus(Duration::from_secs(5))),
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    }
}

#[tokio::test]
async fn the_figures_are_of_the_alarms_that_one_may_see() {
    let site = Site::new().await;
    for number in 0..6 {
        alarm(&site, HERS, "threshold:temperature", number).await;
    }
    alarm(&site, OTHER, "threshold:temperature", 0).await;
    alarm(&site, HERS, "user:bob:rule:x", 0).await;
    let hers = site.seen_by("ann", QUALITY).await;
    assert_eq!((&hers["alarms"], &hers["warning"], &hers["is_whole"]), (&json!(6), &json!(6), &json!(true)));
    let worst = &hers["worst"][0];
    assert_eq!((&worst["alarms"], &worst["chattering"], &worst["fleeting"]), (&json!(6), &json!(6), &json!(6)));
    assert_eq!((&worst["source"]["mac"], hers["worst"].as_array().unwrap().len()), (&json!(HERS), 1));
    assert_eq!(site.seen_by("bob", QUALITY).await["alarms"], json!(0));
    assert_eq!(site.seen_by("root", QUALITY).await["alarms"], json!(8));
    assert_eq!(site.get(QUALITY).send().await.status, StatusCode::UNAUTHORIZED);
    let earlier = format!("{QUALITY}?to={}", site.now().minus(Duration::from_hours(2)).0);
    assert_eq!(site.seen_by("ann", &earlier).await["alarms"], json!(0));
}

#[tokio::test]
async fn what_stands_for_longer_than_the_time_is_stale_and_not_raised_in_it() {
    let site = Site::new().await;
    for (terminal, days) in [(HERS, 40), (HERS, 2), (OTHER, 50)] {
        let at = site.now().minus(Duration::from_hours(24 * days));
        let id = domain::identity::derived_id(at, &[terminal]);
        let stands = Alarm { id, raised_at: at, cleared_at: None, ..an_alarm(&site, terminal, "offline", 0) };
        put(&site, stands).await;
    }
    let hers = site.seen_by("ann", QUALITY).await;
    let stale: Vec<&Json> = hers["stale"].as_array().unwrap().iter().map(|alarm| &alarm["source"]["mac"]).collect();
    assert_eq!((stale, &hers["alarms"]), (vec![&json!(HERS), &json!(HERS)], &json!(1)));
    assert_eq!(site.seen_by("root", QUALITY).await["stale"].as_array().unwrap().len(), 3);
}

/// A sensor that wavers about 30 by a degree, five times a minute for ten minutes, and was really hot for half an hour before.
async fn wavering() -> Site {
    let site = Site::new().await;
    let constants = json!({ "Protocol": "sensor protocol", "ProtocolType": "th",
        "Threshold": [{ "name": "temperature", "min": -20, "max": 30 }] });
    protocols::put_constants(&*site.table, &serde_json::from_value(constants).unwrap()).await.unwrap();
    let begin = site.now().minus(Duration::from_hours(2));
    for number in 0_u32..280 {
        let at = begin.plus(Duration::from_secs(12) * number);
        let celsius = match number {
            0..20 | 171..190 | 250.. => 22.0,
            20..171 => 38.0,
            wavering => 30.0 + if wavering % 2 == 0 { 0.4 } else { -0.4 },
        };
        let (name, display, unit) = ("temperature".to_owned(), celsius.to_string(), "℃".to_owned());
        let values = vec![Value { name, value: Datum::Number(celsius), display, unit, quality: Quality::Good }];
        let device = DeviceId { mac: mac(HERS), pid: 1 };
        let reading = Reading { device, asked: at, at, arrived: at, late: false, values };
        let writes = readings::append(&mac(HERS), &format!("b{number}"), at, &[reading]).unwrap();
        assert!(site.table.transact(writes).await.unwrap().applied());
    }
    site
}

async fn suggested(site: &Site, user: &str, rule: &str) -> crate::answer::Answer {
    let asked = json!({ "mac": HERS, "pid": 1, "rule": rule });
    site.post(SUGGESTIONS).by(&site.token(user)).json(&asked).send().await
}

#[tokio::test]
async fn the_gentlest_remedy_that_keeps_what_was_worth_an_alarm_is_suggested_and_can_be_tried_at_once() {
    let site = wavering().await;
    let found = suggested(&site, "ann", "threshold:temperature").await.fine();
    let tried = found["tried"].as_array().unwrap();
    assert_eq!((&found["readings"], &found["is_whole"]), (&json!(280), &json!(true)));
    assert_eq!((&tried[0]["remedy"], &tried[0]["alarms"]), (&json!("nothing"), &json!(31)));
    let best = &tried[usize::try_from(found["suggested"].as_u64().unwrap()).unwrap()];
    assert_eq!(best["remedy"], json!("deadband"), "{best}");
    assert_eq!((&best["kept"], &best["alarms"]), (&json!(1), &json!(2)));
    assert_eq!(best["rule"]["condition"]["deadband"], best["deadband"]);
    assert_eq!(best["rule"]["replaces"], json!("threshold:temperature"), "else both would be told");
    let trial = json!({ "rule": best["rule"] });
    let again = site.post("/api/alerts/rules/backtest").by(&site.token("ann")).json(&trial).send().await;
    assert_eq!(again.problem(400), "bad-rule", "no device of hers speaks a protocol that nobody has written down");
    let mut on_her_device = best["rule"].clone();
    on_her_device["scope"] = json!({ "kind": "device", "mac": HERS, "pid": 1 });
    let trial = json!({ "rule": on_her_device });
    let again = site.post("/api/alerts/rules/backtest").by(&site.token("ann")).json(&trial).send().await.fine();
    assert_eq!(again["alarms"], best["alarms"]);
}

#[tokio::test]
async fn nothing_is_suggested_for_what_is_not_ones_own() {
    let site = wavering().await;
    for (user, rule) in
        [("bob", "threshold:temperature"), ("ann", "threshold:humidity"), ("ann", "user:bob:threshold:temperature")]
    {
        assert_eq!(suggested(&site, user, rule).await.problem(404), "not-found", "{user} {rule}");
    }
    for no_rule in ["rule:", "rule:\u{0}", "rule:nosuch", "nosuch", "", &format!("rule:{}", "x".repeat(3000))] {
        assert_eq!(suggested(&site, "ann", no_rule).await.problem(404), "not-found", "{no_rule:?}");
    }
    for asked in [json!({}), json!({ "mac": HERS, "pid": 9, "rule": "threshold:temperature" })] {
        let answer: Json = site.post(SUGGESTIONS).by(&site.token("ann")).json(&asked).send().await.body;
        assert!(answer["status"].as_u64().unwrap() >= 400, "{answer}");
    }
    assert_eq!(site.post(SUGGESTIONS).json(&json!({})).send().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_suggestion_shows_nobody_who_else_hears_of_a_rule() {
    let site = wavering().await;
    let everybodys = json!({ "name": "hot", "everybody": true, "scope": { "kind": "device", "mac": HERS, "pid": 1 },
        "severity": "warning", "recipients": { "users": ["root", "bob"] },
        "condition": { "kind": "compare", "name": "temperature", "is": ">", "to": 30 } });
    let rule = site.post("/api/alerts/rules").by(&site.token("root")).json(&everybodys).send().await.body;
    let id = rule["id"].as_str().unwrap_or_else(|| panic!("{rule}"));
    let seen = site.seen_by("ann", &format!("/api/alerts/rules/{id}")).await;
    assert_eq!(seen.get("recipients"), None, "who else hears is not hers to know");
    let found = suggested(&site, "ann", &format!("rule:{id}")).await.fine();
    assert_eq!(found["tried"][0]["rule"].get("recipients"), None, "{}", found["tried"][0]["rule"]);
}

#[tokio::test]
async fn a_suggestion_shows_nobody_a_rule_that_names_what_they_do_not_see() {
    let site = wavering().await;
    let everybodys = json!({ "name": "their secret", "everybody": true, "scope": { "kind": "terminal", "mac": OTHER },
        "severity": "warning", "recipients": { "users": ["root", "bob"] },
        "condition": { "kind": "compare", "name": "temperature", "is": ">", "to": 30 } });
    let rule = site.post("/api/alerts/rules").by(&site.token("root")).json(&everybodys).send().await.body;
    let id = rule["id"].as_str().unwrap_or_else(|| panic!("{rule}"));
    let told = site.get(&format!("/api/alerts/rules/{id}")).by(&site.token("ann")).send().await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
    let found = suggested(&site, "ann", &format!("rule:{id}")).await;
    assert_eq!(found.status, StatusCode::NOT_FOUND, "{}", found.body["tried"][0]["rule"]);
}
