//! Days on which clocks are set: Berlin on 2026-03-29 and 2026-10-25, New York on 2026-03-08 and 2026-11-01.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn zone(name: &str) -> Zone {
    name.to_owned().try_into().unwrap()
}

fn time(text: &str) -> TimeOfDay {
    text.to_owned().try_into().unwrap()
}

fn weekly(zone: &str, days: &[&str], from: &str, until: &str) -> Window {
    let calendar = json!({ "zone": zone, "hours": [{ "days": days, "from": from, "until": until }] });
    Window::Weekly { calendar: serde_json::from_value(calendar).unwrap(), from: None, until: None }
}

#[test]
fn a_digest_is_told_once_on_each_day_whatever_is_done_to_the_clocks() {
    for (place, at_time, after, told) in [
        ("Europe/Berlin", "08:00", "2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z"),
        ("Europe/Berlin", "08:00", "2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z"),
        // 02:30 is not there: it is half past three.
        ("Europe/Berlin", "02:30", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"),
        // 02:30 is there twice: the first.
        ("Europe/Berlin", "02:30", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("America/New_York", "02:30", "2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z"),
        ("America/New_York", "01:30", "2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z"),
        ("America/New_York", "01:30", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
    ] {
        assert_eq!(zone(place).next(time(at_time), at(after)), at(told), "{place} {at_time} after {after}");
    }
}

#[test]
fn a_day_may_have_twenty_three_or_twenty_five_hours() {
    for (place, now, day, ends) in [
        ("Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25", "2026-10-25T23:00:00Z"),
        ("America/New_York", "2026-03-08T05:00:00Z", "2026-03-08", "2026-03-09T04:00:00Z"),
        ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        ("Asia/Shanghai", "2026-11-26T15:59:59Z", "2026-11-26", "2026-11-26T16:00:00Z"),
    ] {
        let zone = zone(place);
        assert_eq!((zone.day(at(now)), zone.day_ends(at(now))), (day.to_owned(), at(ends)), "{place} {now}");
    }
}

#[test]
fn a_night_is_as_long_as_the_clocks_say() {
    for (place, night, ends, hours) in [
        ("Europe/Berlin", "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", 7),
        ("Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z", 9),
        ("America/New_York", "2026-03-08T03:00:00Z", "2026-03-08T10:00:00Z", 7),
        ("America/New_York", "2026-11-01T02:00:00Z", "2026-11-01T11:00:00Z", 9),
    ] {
        let window = weekly(place, &["sat"], "22:00", "06:00");
        assert!(window.holds(at(night)) && !window.holds(Timestamp(at(night).0 - 1)), "{place}");
        assert_eq!(window.ends(at(night)), at(ends), "{place}");
        assert_eq!(at(ends).since(at(night)).as_secs(), hours * 3600, "{place}");
    }
}

#[test]
fn a_maintenance_window_ends_where_the_clocks_skip_its_end_and_comes_twice_where_they_show_it_twice() {
    let window = weekly("Europe/Berlin", &["sun"], "01:30", "02:30");
    assert_eq!(window.ends(at("2026-03-29T00:45:00Z")), at("2026-03-29T01:00:00Z"));
    let window = weekly("America/New_York", &["sun"], "01:15", "01:45");
    assert_eq!(window.ends(at("2026-11-01T05:15:00Z")), at("2026-11-01T05:45:00Z"));
    assert!(!window.holds(at("2026-11-01T06:00:00Z")) && window.holds(at("2026-11-01T06:15:00Z")));
    assert_eq!(window.ends(at("2026-11-01T06:15:00Z")), at("2026-11-01T06:45:00Z"));
}

#[test]
fn a_weekly_window_holds_between_its_first_and_its_last_day_only() {
    let Window::Weekly { calendar, .. } = weekly("UTC", &[], "10:00", "12:00") else { panic!("it is weekly") };
    let (from, until) = (Some(at("2026-11-26T11:00:00Z")), Some(at("2026-11-27T11:00:00Z")));
    let window = Window::Weekly { calendar, from, until };
    let holds = |utc| window.holds(at(utc));
    assert!(!holds("2026-11-26T10:59:59Z") && holds("2026-11-26T11:00:00Z") && holds("2026-11-27T10:59:59Z"));
    assert!(!holds("2026-11-27T11:00:00Z") && !holds("2026-11-28T11:00:00Z"));
    assert_eq!(window.ends(at("2026-11-27T10:30:00Z")), at("2026-11-27T11:00:00Z"));
    assert_eq!(window.over(), until);
}

fn places() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Europe/Berlin",
        "America/New_York",
        "Asia/Shanghai",
        "Australia/Lord_Howe",
        "Africa/Cairo",
    ])
}

/// Any instant of 2026 and 2027.
fn instants() -> impl Strategy<Value = Timestamp> {
    (0..2 * 365 * 24 * 60_i64).prop_map(|minutes| Timestamp(at("2026-01-01T00:00:00Z").0 + minutes * 60_000))
}

fn times() -> impl Strategy<Value = String> {
    (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

proptest! {
    #[test]
    fn digests_are_told_a_day_apart(place in places(), shown in times(), from in instants()) {
        let (zone, shown) = (zone(place), time(&shown));
        let first = zone.next(shown, from);
        let second = zone.next(shown, first);
        prop_assert!(first > from && first.since(from).as_secs() <= 26 * 3600);
        prop_assert!((22..=26).contains(&(second.since(first).as_secs() / 3600)));
        prop_assert_ne!(zone.day(first), zone.day(second));
    }

    #[test]
    fn a_day_ends_where_the_next_one_begins(place in places(), now in instants()) {
        let zone = zone(place);
        let ends = zone.day_ends(now);
        prop_assert!(ends > now);
        prop_assert_eq!(zone.day(Timestamp(ends.0 - 1)), zone.day(now));
        prop_assert_ne!(zone.day(ends), zone.day(now));
    }

    #[test]
    fn a_window_holds_until_it_ends(place in places(), from in times(), until in times(), now in instants()) {
        let window = weekly(place, &[], &from, &until);
        prop_assume!(from != until && window.holds(now));
        let ends = window.ends(now);
        prop_assert!(ends > now && !window.holds(ends));
        for part in 0..10 {
            prop_assert!(window.holds(Timestamp(now.0 + (ends.0 - now.0 - 1) * part / 9)));
        }
    }
}
