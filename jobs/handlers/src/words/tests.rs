mod golden;
mod properties;

use std::time::Duration;

use domain::{
    DeviceId, Mac, Need, Source, Timestamp,
    alarm::{Change, ChangeKind, Severity},
};
use records::{
    facts::{Facts, Kind, Part},
    locale::{Language, Locale},
};

use super::*;
use crate::settings::WordSettings;

/// 2026-11-23 09:01:06 UTC.
const NINE: Timestamp = Timestamp(1_795_424_466_000);

fn reader(language: Language, zone: &str) -> Reader {
    let locale = Locale { language: Some(language), zone: Some(zone.to_owned()) };
    Reader::new(&locale, &WordSettings::default())
}

fn mac() -> Mac {
    "98D863CC870D".parse().unwrap()
}

fn sensor() -> Source {
    Source::Device(DeviceId { mac: mac(), pid: 1 })
}

fn raised(rule: &str, detail: &str) -> Change {
    Change {
        alarm: format!("01JDALARM{rule}"),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        kind: ChangeKind::Raised,
        at: NINE,
        since: NINE.minus(Duration::from_mins(1)),
        detail: detail.to_owned(),
        shadow: false,
    }
}

fn cleared(rule: &str, detail: &str) -> Change {
    Change { kind: ChangeKind::Cleared, at: NINE.plus(Duration::from_secs(3_725)), ..raised(rule, detail) }
}

fn hot() -> Change {
    raised("threshold:temperature", "temperature 35.2 ℃, limits 10 ~ 30")
}

fn well() -> Change {
    cleared("threshold:temperature", "temperature 25 ℃, limits 10 ~ 30")
}

fn of_sensor(changes: Vec<Change>) -> Facts {
    Facts::of_source(sensor(), "冷库 / 1 TH-10".to_owned(), changes)
}

fn enclosed() -> Enclosed {
    let url = "https://site.test/act/eyJh.c2ln".to_owned();
    let chart = ChartWords {
        content_id: "last-hours".to_owned(),
        what: "temperature ℃".to_owned(),
        least: "20.1".to_owned(),
        greatest: "35.2".to_owned(),
        limits: vec!["10".to_owned(), "30".to_owned()],
        hours: 6,
        from: "2026-11-23 11:01:06".to_owned(),
        to: "2026-11-23 17:01:06".to_owned(),
    };
    Enclosed { links: vec![Button { action: Action::Acknowledge, url }], chart: Some(chart) }
}

/// The facts of each kind of notice, by its name.
fn each_kind() -> Vec<(&'static str, Facts, Enclosed)> {
    let since = Some(NINE.minus(Duration::from_hours(8)));
    let of = |kind, count, parts: Vec<Part>| Facts { kind, parts, count, since, before: vec!["ann".to_owned()] };
    let hot_part = || of_sensor(vec![hot()]).parts;
    let terminal = Source::Terminal(mac());
    let offline = |change: Change| Facts::of_source(terminal.clone(), "冷库".to_owned(), vec![change]);
    let nothing = Enclosed::default;
    let worse = Change { kind: ChangeKind::SeverityChanged, severity: Severity::Critical, ..hot() };
    let platform = Source::Platform(Need { part: "broker:8081".to_owned(), needs: "queue".to_owned() });
    let away = raised("away", "the queue does not answer: refused");
    let several = [hot(), raised("state:fan", "fan stopped (2), normal 0 or 1")].to_vec();
    let missed = raised("timeout", "11 queries in a row without an answer");
    let second = Part {
        source: terminal.clone(),
        place: "机房".to_owned(),
        changes: vec![raised("offline", "link lost: its connection to us is gone")],
    };
    vec![
        ("raised", of_sensor(vec![hot()]), enclosed()),
        ("raised-several", of_sensor(several), nothing()),
        ("raised-timeout", of_sensor(vec![missed]), nothing()),
        ("raised-offline", offline(raised("offline", "link lost: it did not come back with its node")), nothing()),
        ("raised-platform", Facts::of_source(platform, "platform:broker:8081/queue".to_owned(), vec![away]), nothing()),
        ("changed", of_sensor(vec![worse]), nothing()),
        ("recovered", of_sensor(vec![well()]), nothing()),
        ("recovered-offline", offline(cleared("offline", "link seen again")), nothing()),
        ("alarm-and-recovery", of_sensor(vec![hot(), well()]), nothing()),
        ("flapping", of(Kind::Flapping, Some(12), hot_part()), nothing()),
        ("escalated", of(Kind::Escalated, None, hot_part()), enclosed()),
        ("repeat", of(Kind::Repeat, Some(3), hot_part()), nothing()),
        ("held-back", of(Kind::HeldBack, Some(7), vec![]), nothing()),
        ("test", of(Kind::Test, None, vec![]), nothing()),
        ("digest", of(Kind::Digest, Some(2), [hot_part(), vec![second]].concat()), nothing()),
    ]
}

#[test]
fn times_are_of_the_readers_clocks() {
    let facts = of_sensor(vec![hot()]);
    for (zone, shown) in [("UTC", "09:01:06"), ("Asia/Shanghai", "17:01:06"), ("Europe/Berlin", "10:01:06")] {
        let words = compose(&facts, &reader(Language::En, zone), &Enclosed::default());
        assert!(words.text.contains(&format!("raised 2026-11-23 {shown} (warning): temperature")), "{}", words.text);
        assert!(words.text.contains(&format!("Times: {zone}")), "{}", words.text);
    }
}

#[test]
fn who_chose_nothing_is_spoken_to_as_the_operator_chose() {
    let settings = WordSettings { language: Language::Zh, zone: "Asia/Shanghai".to_owned(), public_url: None };
    let words = compose(&of_sensor(vec![well()]), &Reader::new(&Locale::default(), &settings), &Enclosed::default());
    assert_eq!(words.subject, "设备告警：冷库 / 1 TH-10 运行恢复");
    assert!(words.text.contains("18:03:11 恢复，持续 1 小时 3 分钟"), "{}", words.text);
}

#[test]
fn a_zone_that_there_is_not_is_as_if_none_was_chosen() {
    let locale = Locale { language: None, zone: Some("Moon/Sea".to_owned()) };
    assert_eq!(Reader::new(&locale, &WordSettings::default()).time(NINE), "2026-11-23 09:01:06");
}

#[test]
fn what_happened_to_very_much_is_cut() {
    let part = |number: usize| Part { place: format!("place {number}"), ..of_sensor(vec![hot(); 100]).parts.remove(0) };
    let facts = Facts { parts: (0..1000).map(part).collect(), ..of_sensor(vec![]) };
    let words = compose(&facts, &reader(Language::En, "UTC"), &Enclosed::default());
    assert!(words.text.len() < 200_000, "{}", words.text.len());
}
