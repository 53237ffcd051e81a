use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn calendar(document: Value) -> Calendar {
    serde_json::from_value(document).unwrap()
}

/// Hours of every day in Berlin, whose clocks are set on the last Sundays of March and October.
fn berlin(from: &str, until: &str) -> Calendar {
    calendar(json!({ "zone": "Europe/Berlin", "hours": [{ "from": from, "until": until }] }))
}

fn at(utc: &str) -> Timestamp {
    instant(utc.parse().unwrap())
}

fn refused(document: Value) -> String {
    serde_json::from_value::<Calendar>(document).unwrap_err().to_string()
}

#[test]
fn hours_are_those_that_the_clocks_of_the_place_show() {
    let nights = calendar(json!({ "zone": "Asia/Shanghai", "hours": [{ "from": "22:00", "until": "06:00" }] }));
    for (utc, covered) in [
        ("2026-11-26T13:59:59Z", false),
        ("2026-11-26T14:00:00Z", true),
        ("2026-11-26T21:59:59Z", true),
        ("2026-11-26T22:00:00Z", false),
    ] {
        assert_eq!(nights.covers(at(utc)), covered, "{utc}");
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let fridays = calendar(json!({ "zone": "UTC", "hours": [{ "days": ["fri"], "from": "22:00", "until": "06:00" }] }));
    for (utc, covered) in [
        ("2026-11-27T05:00:00Z", false),
        ("2026-11-27T23:00:00Z", true),
        ("2026-11-28T05:59:59Z", true),
        ("2026-11-28T23:00:00Z", false),
    ] {
        assert_eq!(fridays.covers(at(utc)), covered, "{utc}");
    }
}

#[test]
fn the_same_time_twice_is_a_whole_day() {
    let sundays = calendar(json!({ "zone": "UTC", "hours": [{ "days": ["sun"], "from": "00:00", "until": "00:00" }] }));
    assert!(sundays.covers(at("2026-11-29T00:00:00Z")) && sundays.covers(at("2026-11-29T23:59:59Z")));
    assert_eq!(sundays.next_change(at("2026-11-26T12:00:00Z")), Some(at("2026-11-29T00:00:00Z")));
    assert_eq!(sundays.next_change(at("2026-11-29T12:00:00Z")), Some(at("2026-11-30T00:00:00Z")));
}

#[test]
fn an_hour_that_the_clocks_skip_is_not_there_that_day() {
    // 01:59:59 is followed by 03:00 (01:00 UTC).
    let skipped = berlin("02:15", "02:45");
    assert_eq!(skipped.next_change(at("2026-03-28T12:00:00Z")), Some(at("2026-03-30T00:15:00Z")));
    let half = berlin("01:30", "02:30");
    assert!(half.covers(at("2026-03-29T00:59:59Z")));
    assert_eq!(half.next_change(at("2026-03-29T00:45:00Z")), Some(at("2026-03-29T01:00:00Z")));
}

#[test]
fn an_hour_that_the_clocks_show_twice_is_there_twice() {
    // 02:59:59 is followed by 02:00 (01:00 UTC).
    let twice = berlin("02:15", "02:45");
    let mut instants = vec![at("2026-10-25T00:00:00Z")];
    for _ in 0..4 {
        instants.extend(twice.next_change(*instants.last().unwrap()));
    }
    let told = ["00:00", "00:15", "00:45", "01:15", "01:45"].map(|time| at(&format!("2026-10-25T{time}:00Z")));
    assert_eq!(instants, told);
}

#[test]
fn what_is_always_so_never_changes() {
    assert_eq!(berlin("00:00", "00:00").next_change(at("2026-03-28T12:00:00Z")), None);
}

#[test]
fn a_calendar_is_written_as_it_was_read() {
    let document = json!({ "zone": "Asia/Shanghai", "hours": [
        { "days": ["mon", "fri"], "from": "09:00", "until": "17:30" }, { "from": "22:00", "until": "06:00" } ] });
    assert_eq!(serde_json::to_value(calendar(document.clone())).unwrap(), document);
}

#[test]
fn a_bad_calendar_is_refused_with_the_place_of_the_error() {
    let hours = |hours: Value| json!({ "zone": "UTC", "hours": hours });
    for (document, words) in [
        (json!({ "zone": "Europe/Nowhere", "hours": [] }), "zone: there is no time zone \"Europe/Nowhere\""),
        (hours(json!([])), "hours: there are none"),
        (hours(json!([{ "from": "25:00", "until": "06:00" }])), "hours[0].from: \"25:00\""),
        (hours(json!([{ "from": "05:00", "until": "6" }])), "hours[0].until: \"6\""),
        (hours(json!([{ "days": ["monday"], "from": "05:00", "until": "06:00" }])), "hours[0].days: \"monday\""),
        (hours(json!([{ "from": "05:00", "until": "06:00", "zone": "UTC" }])), "unknown field `zone`"),
    ] {
        let told = refused(document);
        assert!(told.contains(words), "{told}");
    }
}

proptest! {
    #[test]
    fn nothing_changes_before_the_next_change(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Shanghai"]),
        hours in prop::collection::vec((0_u8..24, 0_u8..60, 0_u8..24, 0_u8..60, 0_usize..7), 1..4),
        // Days on which clocks are set are among them.
        minutes in 0_i64..400 * 24 * 60,
    ) {
        let hours: Vec<Value> = hours.into_iter().map(|(h1, m1, h2, m2, day)| json!({
            "days": [DAYS[day]], "from": format!("{h1:02}:{m1:02}"), "until": format!("{h2:02}:{m2:02}") })).collect();
        let calendar = calendar(json!({ "zone": zone, "hours": hours }));
        let from = Timestamp(at("2026-01-01T00:00:00Z").0 + minutes * 60_000);
        let change = calendar.next_change(from).unwrap();
        prop_assert_ne!(calendar.covers(change), calendar.covers(from));
        let mut minute = from.0;
        while minute < change.0 {
            prop_assert_eq!(calendar.covers(Timestamp(minute)), calendar.covers(from), "{}", minute);
            minute += 60_000;
        }
    }
}
