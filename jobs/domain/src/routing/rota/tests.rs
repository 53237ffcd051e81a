use std::time::Duration;

use serde_json::{Value, json};

use super::{BadRota, Rota};
use crate::Timestamp;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn document() -> Value {
    json!({
        "zone": "Europe/Berlin", "people": ["ann", "bob", "cid"], "turn": "daily", "hand_over": "02:30", "since": "2026-03-27"
    })
}

fn with(change: &Value) -> Result<Rota, String> {
    let mut document = document();
    document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(document).map_err(|error| error.to_string())
}

/// Who is on call, each from its instant to the next, looked at minute by minute.
fn turns(rota: &Rota, from: &str, hours: u64) -> Vec<(String, String)> {
    let mut turns: Vec<(String, String)> = Vec::new();
    for minute in 0..hours * 60 {
        let now = at(from).plus(Duration::from_mins(minute));
        let person = rota.on_call(now).unwrap_or("nobody").to_owned();
        if turns.last().is_none_or(|(_, last)| *last != person) {
            turns.push((now.rfc3339().replace(":00.000Z", "Z"), person));
        }
    }
    turns
}

fn expect(turns: &[(String, String)], expected: &[(&str, &str)]) {
    let turns: Vec<_> = turns.iter().map(|(at, person)| (at.as_str(), person.as_str())).collect();
    assert_eq!(turns, expected);
}

#[test]
fn a_hand_over_at_a_time_that_the_clocks_skip_is_when_they_go_on() {
    // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00, at 01:00 UTC: 02:30 is 03:30 that day.
    let turns = turns(&with(&json!({})).unwrap(), "2026-03-28T00:00:00Z", 72);
    let expected = [
        ("2026-03-28T00:00Z", "ann"),
        ("2026-03-28T01:30Z", "bob"),
        ("2026-03-29T01:30Z", "cid"),
        ("2026-03-30T00:30Z", "ann"),
    ];
    expect(&turns, &expected);
}

#[test]
fn a_hand_over_at_a_time_that_the_clocks_show_twice_is_the_first() {
    // On 25 October 2026 the clocks of Berlin show 02:30 at 00:30 and at 01:30 UTC.
    let rota = with(&json!({ "since": "2026-10-23" })).unwrap();
    let expected = [
        ("2026-10-24T00:00Z", "ann"),
        ("2026-10-24T00:30Z", "bob"),
        ("2026-10-25T00:30Z", "cid"),
        ("2026-10-26T01:30Z", "ann"),
    ];
    expect(&turns(&rota, "2026-10-24T00:00:00Z", 72), &expected);
}

#[test]
fn new_yorks_clocks_skip_the_time_in_spring_and_show_it_once_in_autumn() {
    let zone = "America/New_York";
    let spring = with(&json!({ "zone": zone, "since": "2026-03-06" })).unwrap();
    let expected = [
        ("2026-03-07T00:00Z", "ann"),
        ("2026-03-07T07:30Z", "bob"),
        ("2026-03-08T07:30Z", "cid"),
        ("2026-03-09T06:30Z", "ann"),
    ];
    expect(&turns(&spring, "2026-03-07T00:00:00Z", 72), &expected);
    let autumn = with(&json!({ "zone": zone, "since": "2026-10-30" })).unwrap();
    let expected = [
        ("2026-10-31T00:00Z", "ann"),
        ("2026-10-31T06:30Z", "bob"),
        ("2026-11-01T07:30Z", "cid"),
        ("2026-11-02T07:30Z", "ann"),
    ];
    expect(&turns(&autumn, "2026-10-31T00:00:00Z", 72), &expected);
}

#[test]
fn weekly_turns_go_over_on_the_weekday_of_the_first_and_a_year_is_shared_fairly() {
    let rota = with(&json!({ "turn": "weekly", "hand_over": "08:00", "since": "2026-01-05" })).unwrap();
    assert_eq!(rota.on_call(at("2026-01-05T06:59:59Z")), None, "before the first turn");
    assert_eq!(rota.on_call(at("2026-01-05T07:00:00Z")), Some("ann"));
    assert_eq!(rota.on_call(at("2026-01-12T06:59:59Z")), Some("ann"));
    assert_eq!(rota.on_call(at("2026-01-12T07:00:00Z")), Some("bob"));
    assert_eq!(rota.on_call(at("2026-03-30T05:59:59Z")), Some("cid"), "in summer an hour earlier");
    assert_eq!(rota.on_call(at("2026-03-30T06:00:00Z")), Some("ann"));
    assert_eq!(rota.next_change(at("2026-03-25T12:00:00Z")), Some(at("2026-03-30T06:00:00Z")));
}

#[test]
fn an_override_stands_over_the_turns_for_its_time_and_the_later_one_over_the_earlier() {
    let over = |person: &str, from: &str, until: &str| json!({ "person": person, "from": from, "until": until });
    let first = over("dora", "2026-03-28T12:00:00Z", "2026-03-28T18:00:00Z");
    let second = over("emil", "2026-03-28T14:00:00Z", "2026-03-28T15:00:00Z");
    let rota = with(&json!({ "overrides": [first, second] })).unwrap();
    let expected = [
        ("2026-03-28T10:00Z", "bob"),
        ("2026-03-28T12:00Z", "dora"),
        ("2026-03-28T14:00Z", "emil"),
        ("2026-03-28T15:00Z", "dora"),
        ("2026-03-28T18:00Z", "bob"),
    ];
    expect(&turns(&rota, "2026-03-28T10:00:00Z", 12), &expected);
    assert_eq!(rota.next_change(at("2026-03-28T10:00:00Z")), Some(at("2026-03-28T12:00:00Z")));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let refused = |change: Value| with(&change).unwrap_err();
    assert_eq!(refused(json!({ "zone": "Berlin" })), BadRota::Zone("Berlin".to_owned()).to_string());
    assert_eq!(refused(json!({ "people": [] })), BadRota::People.to_string());
    assert_eq!(refused(json!({ "hand_over": "2:30" })), BadRota::HandOver("2:30".to_owned()).to_string());
    let backwards = json!({ "person": "ann", "from": "2026-12-24T12:00:00Z", "until": "2026-12-24T12:00:00Z" });
    assert_eq!(refused(json!({ "overrides": [backwards] })), BadRota::Overrides.to_string());
    assert_eq!(refused(json!({ "since": "yesterday" })), BadRota::Since("yesterday".to_owned()).to_string());
}

#[test]
fn a_rota_is_written_as_it_was_read() {
    assert_eq!(serde_json::to_value(with(&json!({})).unwrap()).unwrap(), document());
}
