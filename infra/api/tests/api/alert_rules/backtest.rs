use std::time::Duration;

use api::backtest::tried_on;
use domain::{
    DeviceId, Timestamp,
    reading::{Datum, Quality, Reading, Value},
};
use engine_http::axum::http::{Method, StatusCode};
use records::{Table, readings, users};
use serde_json::{Value as Json, json};

use super::{ask, everybodys, hot, with, with_protocol};
use crate::site::{HERS, OTHER, Site, mac};

const TRY: &str = "/api/alerts/rules/backtest";

/// A site whose sensors said a temperature each minute of the last hour: 20, and 35 in every tenth.
async fn with_history() -> Site {
    let site = with_protocol().await;
    for terminal in [HERS, OTHER] {
        for minute in 0..60 {
            let at = site.now().minus(Duration::from_mins(60 - minute));
            let celsius = if minute % 10 == 5 { 35.0 } else { 20.0 };
            let reading = reading(terminal, at, celsius);
            let writes = readings::append(&mac(terminal), &format!("b{minute}"), at, &[reading]).unwrap();
            assert!(site.table.transact(writes).await.unwrap().applied());
        }
    }
    site
}

fn reading(terminal: &str, at: Timestamp, celsius: f64) -> Reading {
    let (name, display, unit) = ("temperature".to_owned(), celsius.to_string(), "℃".to_owned());
    let value = Value { name, value: Datum::Number(celsius), display, unit, quality: Quality::Good };
    let device = DeviceId { mac: mac(terminal), pid: 1 };
    Reading { device, asked: at, at, arrived: at, late: false, values: vec![value] }
}

async fn tried(site: &Site, user: &str, rule: &Json) -> Json {
    ask(site, user, Method::POST, TRY, &json!({ "rule": rule })).await.fine()
}

fn macs(found: &Json) -> Vec<&str> {
    let mut macs: Vec<_> =
        found["latest"].as_array().unwrap().iter().map(|alarm| alarm["mac"].as_str().unwrap()).collect();
    macs.sort_unstable();
    macs.dedup();
    macs
}

#[tokio::test]
async fn a_persons_own_rule_is_tried_on_what_they_may_see_also_by_the_command_line() {
    let site = with_history().await;
    let tried = async |user: &str, named: Option<&str>| {
        let user = users::get(&*site.table, user).await.unwrap();
        let terminals = tried_on(&*site.table, user.as_ref(), named.map(mac).as_ref()).await.unwrap();
        terminals.into_iter().map(|terminal| terminal.mac).collect::<Vec<_>>()
    };
    assert_eq!(tried("ann", None).await, [mac(HERS)]);
    assert_eq!((tried("ann", Some(HERS)).await, tried("ann", Some(OTHER)).await), (vec![mac(HERS)], Vec::new()));
    assert_eq!((tried("root", None).await.len(), tried("root", Some(OTHER)).await), (2, vec![mac(OTHER)]));
    assert_eq!(tried("", None).await.len(), 2, "everybody's is tried on all");
}

#[tokio::test]
async fn a_rule_is_tried_on_what_its_maker_may_see_and_on_nothing_else() {
    let site = with_history().await;
    let hers = tried(&site, "ann", &hot(30.0)).await;
    assert_eq!((&hers["alarms"], &hers["readings"], macs(&hers)), (&json!(6), &json!(60), vec![HERS]));
    assert_eq!((&hers["active_ms"], &hers["standing"]), (&json!(6 * 60_000), &json!(0)));
    let all = tried(&site, "root", &everybodys(&hot(30.0))).await;
    assert_eq!((&all["alarms"], macs(&all)), (&json!(12), vec![HERS, OTHER]));
    let none = tried(&site, "bob", &hot(30.0)).await;
    assert_eq!((&none["alarms"], &none["devices"]), (&json!(0), &json!(0)));
    assert_eq!(site.seen_by("ann", "/api/alerts/rules").await["items"], json!([]), "nothing is stored");
    assert_eq!(site.seen_by("root", "/api/alarms").await["items"], json!([]), "nothing is raised");
}

#[tokio::test]
async fn notices_are_counted_by_incidents_and_the_answer_says_in_words_what_is_left_out() {
    let site = with_history().await;
    let mut ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
    ann.mail = Some("ann@example.org".to_owned());
    users::put(&*site.table, &ann).await.unwrap();
    let hers = tried(&site, "ann", &hot(30.0)).await;
    let told = json!({
        "user": "ann", "channel": "email", "alarms": 6, "recoveries": 6, "repeats": 0, "escalations": 0 });
    assert_eq!(hers["notices"], json!([told]), "each came ten minutes after the one before: six incidents");
    let brief = with(&hot(30.0), "shadow", json!(true));
    assert_eq!(tried(&site, "ann", &brief).await["notices"], json!([]), "what is tried out is told nobody");
    let words = hers["assumed"].as_array().unwrap().iter().map(|sentence| sentence.as_str().unwrap());
    let words: Vec<&str> = words.collect();
    for left_out in ["acknowledges", "Silences", "quiet hours", "daily limits", "digest"] {
        assert!(words.iter().any(|sentence| sentence.contains(left_out)), "{left_out}: {words:?}");
    }
}

#[tokio::test]
async fn what_is_latched_is_tried_as_if_it_were_reset_when_its_condition_is_over() {
    let site = with_history().await;
    let hers = tried(&site, "ann", &with(&hot(30.0), "latched", json!(true))).await;
    assert_eq!((&hers["alarms"], &hers["standing"]), (&json!(6), &json!(0)));
    assert!(hers["assumed"].to_string().contains("latched"), "{hers}");
}

#[tokio::test]
async fn a_name_that_no_value_has_is_warned_of() {
    let site = with_history().await;
    let misspelt =
        with(&hot(30.0), "condition", json!({ "kind": "compare", "name": "temprature", "is": ">", "to": 30.0 }));
    let found = tried(&site, "ann", &misspelt).await;
    assert!(found["warnings"][0].as_str().unwrap().contains("temprature"), "{found}");
}

#[tokio::test]
async fn another_persons_terminal_and_everybodys_rule_are_not_for_a_user() {
    let site = with_history().await;
    let common = json!({ "rule": everybodys(&hot(30.0)) });
    let answer = ask(&site, "ann", Method::POST, TRY, &common).await;
    assert_eq!(answer.problem(403), "admins-only");
    let foreign = with(&hot(30.0), "scope", json!({ "kind": "terminal", "mac": OTHER }));
    let answer = ask(&site, "ann", Method::POST, TRY, &json!({ "rule": foreign })).await;
    assert_eq!(answer.problem(400), "bad-rule");
    assert_eq!(site.post(TRY).json(&common).send().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_its_place() {
    let site = with_history().await;
    let missed = with(&hot(30.0), "condition", json!({ "kind": "not", "of": { "kind": "missed", "more_than": 3 } }));
    let long = json!({ "rule": hot(30.0), "from": "1700000000000" });
    let reversed = json!({ "rule": hot(30.0), "from": "1779999000000", "to": "1779998000000" });
    for (trial, code) in [(json!({ "rule": missed }), "bad-rule"), (long, "bad-time"), (reversed, "bad-time")] {
        assert_eq!(ask(&site, "ann", Method::POST, TRY, &trial).await.problem(400), code, "{trial}");
    }
}

#[tokio::test]
async fn a_plot_shows_the_device_with_the_most_alarms() {
    let site = with_history().await;
    let trial = json!({ "rule": hot(30.0), "plot": true });
    let found = ask(&site, "ann", Method::POST, TRY, &trial).await.fine();
    let plot = found["plot"].as_str().unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("6 alarms") && plot.contains(HERS), "{plot}");
}
