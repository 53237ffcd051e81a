mod clocks;
mod gate;
mod summary;

use serde_json::{Value, json};

use super::*;
use crate::{Source, Timestamp, alarm::Severity};

fn at(utc: &str) -> Timestamp {
    Timestamp(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn source(mac: &str, pid: u8) -> Source {
    serde_json::from_value(json!({ "device": { "mac": mac, "pid": pid } })).unwrap()
}

fn subject<'a>(source: &'a Source, node: Option<&'a str>, rule: &'a str, severity: Severity) -> Subject<'a> {
    Subject { source, node, rule, severity }
}

fn matcher(document: Value) -> Matcher {
    serde_json::from_value(document).unwrap()
}

const HALL: &str = "98D863CC870D";

#[test]
fn a_matcher_fits_what_all_that_it_names_fits() {
    let sensor = source(HALL, 1);
    let subject = subject(&sensor, Some("n1"), "user:ann:threshold:temperature", Severity::Warning);
    for (document, fits) in [
        (json!({}), true),
        (json!({ "terminal": HALL }), true),
        (json!({ "terminal": "98D863CC870E" }), false),
        (json!({ "source": { "device": { "mac": HALL, "pid": 1 } } }), true),
        (json!({ "source": { "device": { "mac": HALL, "pid": 2 } } }), false),
        (json!({ "source": { "terminal": HALL } }), false),
        (json!({ "node": "n1" }), true),
        (json!({ "node": "n2" }), false),
        (json!({ "rule": "threshold" }), true),
        (json!({ "rule": "threshold:temperature" }), true),
        (json!({ "rule": "threshold:temp" }), false),
        (json!({ "rule": "user:ann:threshold:temperature" }), true),
        (json!({ "rule": "user:ann:threshold" }), true),
        (json!({ "rule": "user:bob:threshold:temperature" }), false),
        (json!({ "rule": "user:ann" }), false),
        (json!({ "severity_at_most": "warning" }), true),
        (json!({ "severity_at_most": "info" }), false),
        (json!({ "terminal": HALL, "rule": "timeout" }), false),
    ] {
        assert_eq!(matcher(document.clone()).fits(&subject), fits, "{document}");
    }
    let node = Source::Node("n1".to_owned());
    let away = Subject { source: &node, node: None, rule: "offline", severity: Severity::Critical };
    assert!(matcher(json!({ "node": "n1" })).fits(&away), "a node is on itself");
}

#[test]
fn a_matcher_that_names_a_persons_own_rule_is_not_about_everybodys() {
    let sensor = source(HALL, 1);
    let common = subject(&sensor, None, "threshold:temperature", Severity::Warning);
    assert!(!matcher(json!({ "rule": "user:ann:threshold:temperature" })).fits(&common));
    let own = subject(&sensor, None, "user:ann%3Ab:rule:hot", Severity::Warning);
    assert!(matcher(json!({ "rule": own.rule })).fits(&own), "as the alarm shows it");
}

#[test]
fn what_only_administrators_see_is_known_by_its_name() {
    assert!(matcher(json!({ "node": "n1" })).is_for_administrators());
    assert!(matcher(json!({ "source": { "node": "n1" } })).is_for_administrators());
    assert!(!matcher(json!({ "source": { "terminal": HALL } })).is_for_administrators());
    let both = matcher(json!({ "terminal": HALL, "source": { "device": { "mac": "98D863CC870E", "pid": 1 } } }));
    assert_eq!(both.macs().map(ToString::to_string).collect::<Vec<_>>(), [HALL, "98D863CC870E"]);
}

#[test]
fn an_alarm_speaks_for_those_that_have_something_in_common_with_it_and_never_for_itself() {
    let inhibition = |same: &str| -> Inhibition {
        let document =
            json!({ "standing": { "rule": "offline" }, "mutes": { "severity_at_most": "warning" }, "same": same });
        serde_json::from_value(document).unwrap()
    };
    let (hall, other) = (Source::Terminal(HALL.parse().unwrap()), source("98D863CC870E", 1));
    let offline = subject(&hall, Some("n1"), "offline", Severity::Critical);
    let here = source(HALL, 1);
    for (same, source, node, muted) in [
        ("terminal", &here, Some("n1"), true),
        ("terminal", &other, Some("n1"), false),
        ("node", &other, Some("n1"), true),
        ("node", &other, Some("n2"), false),
        ("node", &other, None, false),
        ("anything", &other, None, true),
    ] {
        let timeout = subject(source, node, "timeout", Severity::Warning);
        assert_eq!(inhibition(same).mutes(&offline, &timeout), muted, "{same} {source} {node:?}");
    }
    let critical = subject(&here, Some("n1"), "timeout", Severity::Critical);
    assert!(!inhibition("terminal").mutes(&offline, &critical), "it is about what matters less");
    let minor = subject(&hall, Some("n1"), "offline", Severity::Warning);
    assert!(!inhibition("terminal").mutes(&minor, &minor));
}

#[test]
fn silence_and_absence_are_told_where_one_is_reached_first_and_values_everywhere() {
    let chosen = Preferences::default();
    let ways = |category, reachable: &[&'static str]| {
        let told = |channel: &&&str| chosen.way_of(category, channel, reachable) == Way::Now;
        reachable.iter().filter(told).copied().collect::<Vec<_>>()
    };
    let all = ["email", "sms", "wechat", "webhook", INBOX];
    assert_eq!(ways(Category::Alarms, &all), all);
    assert_eq!(ways(Category::Connections, &all), ["wechat", "webhook", INBOX]);
    assert_eq!(ways(Category::Connections, &["email", "sms"]), ["sms"]);
    assert_eq!(ways(Category::Connections, &["email"]), ["email"]);
    assert_eq!(ways(Category::Presence, &all), ["wechat", INBOX]);
    assert_eq!(ways(Category::Reports, &all), ["email", INBOX]);
}

#[test]
fn a_recovery_is_told_as_its_alarm_is_and_no_sooner_than_recoveries_are() {
    let chosen: Preferences = serde_json::from_value(json!({
        "ways": { "alarms": { "email": "digest" }, "recoveries": { "sms": "off", "email": "now" } } }))
    .unwrap();
    let sensor = source(HALL, 1);
    let hot = subject(&sensor, None, "threshold:temperature", Severity::Warning);
    let way = |is_end, channel| chosen.way(&hot, is_end, channel, &["email", "sms"]);
    assert_eq!([way(false, "sms"), way(true, "sms")], [Way::Now, Way::Off]);
    assert_eq!([way(false, "email"), way(true, "email")], [Way::Digest, Way::Digest]);
    let platform: Source = serde_json::from_value(json!({ "platform": { "part": "b", "needs": "queue" } })).unwrap();
    assert_eq!(Category::of(&subject(&platform, None, "timeout", Severity::Info)), Category::Platform);
    assert_eq!(Category::of(&subject(&sensor, None, "user:ann:timeout", Severity::Info)), Category::Connections);
}

#[test]
fn a_day_has_so_many_text_messages_and_each_is_counted_once() {
    let mut tally = Tally::default();
    assert!(tally.has_room("a", 2) && tally.has_room("a", 2) && tally.has_room("b", 2));
    assert!(!tally.has_room("c", 2));
    assert!(tally.has_room("a", 2), "it was told, and may be told again");
    let of = |own| Preferences { sms_a_day: own, ..Preferences::default() };
    assert_eq!(of(None).most_a_day("sms", None), Some(SMS_A_DAY));
    assert_eq!(of(Some(80)).most_a_day("sms", Some(60)), Some(60), "nobody gives themselves more");
    assert_eq!(of(Some(5)).most_a_day("sms", None), Some(5));
    assert_eq!(of(None).most_a_day("email", None), None);
}
