mod chinese;
mod golden;
mod properties;

use std::time::Duration;

use domain::{
    DeviceId, Mac, Need, Source, Timestamp,
    alarm::{About, Change, ChangeKind, Severity},
    routing::{Held, Summary, Why},
};
use records::{
    facts::{DisabledEndpoint, Facts, Instead, Kind, Part},
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
    let (alarm, since) = (format!("01JDALARM{rule}"), NINE.minus(Duration::from_mins(1)));
    let about = About { alarm: &alarm, rule, severity: Severity::Warning, since, shadow: false };
    Change::of(ChangeKind::Raised, about, NINE, detail)
}

fn cleared(rule: &str, detail: &str) -> Change {
    let at = NINE.plus(Duration::from_secs(3_725));
    Change { kind: ChangeKind::Cleared, at, lasted_ms: Some(3_785_000), ..raised(rule, detail) }
}

fn hot() -> Change {
    raised("threshold:temperature", "temperature 35.2 ℃, limits 10 ~ 30")
}

fn well() -> Change {
    cleared("threshold:temperature", "temperature 25 ℃, limits 10 ~ 30")
}

fn unwatched() -> Change {
    cleared("threshold:temperature", "the rule was removed")
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

fn link_lost() -> Change {
    raised("offline", "link lost: its connection to us is gone")
}

fn second(changes: Vec<Change>) -> Part {
    Part { source: Source::Terminal(mac()), place: "机房".to_owned(), changes, became: None }
}

fn incident(changes: Vec<Change>, others: Vec<Change>) -> Facts {
    Facts { lasted_ms: Some(3_725_000), ..Facts::of_parts([of_sensor(changes).parts, vec![second(others)]].concat()) }
}

/// An alarm that stands, one that was told before, and one that came and went.
fn held_back(reasons: &[Why]) -> Facts {
    let (sensor, terminal) = (sensor(), Source::Terminal(mac()));
    let brief = cleared("state:fan", "fan running (0), normal 0 or 1");
    let changes =
        [hot(), cleared("offline", "link seen again"), raised("state:fan", "fan stopped (2), normal 0 or 1"), brief];
    let held = reasons.iter().flat_map(|why| changes.iter().map(move |change| (*why, change)));
    let held = held.map(|(why, change)| {
        let (source, place) =
            if change.rule == "offline" { (&terminal, "机房") } else { (&sensor, "冷库 / 1 TH-10") };
        Held { source, place, change, why }
    });
    let summary = Summary::of(held.collect::<Vec<_>>(), |alarm| alarm == hot().alarm);
    Facts::of_held(summary, 5, NINE.minus(Duration::from_hours(8)), 100)
}

/// One that came and went, and one that nothing watches for any more.
fn held_back_unwatched() -> Facts {
    let (sensor, place, why) = (sensor(), "冷库 / 1 TH-10", Why::QuietHours);
    let fan =
        [raised("state:fan", "fan stopped (2), normal 0 or 1"), cleared("state:fan", "fan running (0), normal 0")];
    let changes = [vec![hot(), unwatched()], fan.to_vec()].concat();
    let held = changes.iter().map(|change| Held { source: &sensor, place, change, why });
    Facts::of_held(Summary::of(held, |_| false), 2, NINE.minus(Duration::from_hours(8)), 100)
}

/// One of which nothing is known at present.
fn held_back_unseen() -> Facts {
    let (sensor, terminal, why) = (sensor(), Source::Terminal(mac()), Why::Snooze);
    let changes = [(&sensor, "冷库 / 1 TH-10", hot()), (&terminal, "机房", link_lost())];
    let held = changes.iter().map(|(source, place, change)| Held { source, place, change, why });
    let summary = Summary::of(held, |_| true).unseen_where(|source| *source == sensor);
    Facts::of_held(summary, 2, NINE.minus(Duration::from_hours(8)), 100)
}

fn instead(user: Option<&str>) -> Instead {
    let said = "421 4.3.2 try again".to_owned();
    Instead { user: user.map(str::to_owned), channel: "email".to_owned(), is_late: user.is_none(), said }
}

fn disabled() -> DisabledEndpoint {
    DisabledEndpoint { name: "Ops room".to_owned(), said: "it took nothing for 5 days: answered 500".to_owned() }
}

/// What people and time do to an alarm.
fn acts() -> Vec<Change> {
    use ChangeKind::{
        Acknowledged, AcknowledgementExpired, Calmed, Flapping, InService, Latched, Late, OutOfService, Recurred,
        Shelved, Unshelved,
    };
    let act = |kind| Change { kind, ..hot() };
    let by_ann = |kind| Change { by: Some("ann".to_owned()), ..act(kind) };
    let over = |kind| Change { lasted_ms: Some(60_000), ..act(kind) };
    let [acknowledged, shelved, out] = [Acknowledged, Shelved, OutOfService].map(by_ann);
    let [latched, recurred, expired, flapping, late] =
        [Latched, Recurred, AcknowledgementExpired, Flapping, Late].map(act);
    vec![
        acknowledged,
        expired,
        shelved,
        over(Unshelved),
        out,
        act(InService),
        latched,
        recurred,
        flapping,
        over(Calmed),
        late,
    ]
}

/// The facts of each kind of notice, by its name.
fn each_kind() -> Vec<(&'static str, Facts, Enclosed)> {
    let since = Some(NINE.minus(Duration::from_hours(8)));
    let before = vec!["ann".to_owned()];
    let of = |kind, count, parts| Facts { kind, parts, count, since, before: before.clone(), ..Facts::default() };
    let hot_part = || of_sensor(vec![hot()]).parts;
    let terminal = Source::Terminal(mac());
    let offline = |change: Change| Facts::of_source(terminal.clone(), "冷库".to_owned(), vec![change]);
    let nothing = Enclosed::default;
    let worse = Change { kind: ChangeKind::SeverityChanged, severity: Severity::Critical, ..hot() };
    let platform = Source::Platform(Need { part: "broker:8081".to_owned(), needs: "queue".to_owned() });
    let away = raised("away", "the queue does not answer: refused");
    let several = [hot(), raised("state:fan", "fan stopped (2), normal 0 or 1")].to_vec();
    let missed = raised("timeout", "11 queries in a row without an answer");
    vec![
        ("raised", of_sensor(vec![hot()]), enclosed()),
        ("raised-several", of_sensor(several), nothing()),
        ("raised-timeout", of_sensor(vec![missed]), nothing()),
        ("raised-offline", offline(raised("offline", "link lost: it did not come back with its node")), nothing()),
        ("raised-platform", Facts::of_source(platform, "broker:8081 / queue".to_owned(), vec![away]), nothing()),
        ("changed", of_sensor(vec![worse]), nothing()),
        ("recovered", of_sensor(vec![well()]), nothing()),
        ("unwatched", Facts { lasted_ms: Some(3_785_000), ..of_sensor(vec![unwatched()]) }, nothing()),
        ("recovered-offline", offline(cleared("offline", "link seen again")), nothing()),
        ("alarm-and-recovery", of_sensor(vec![hot(), well()]), nothing()),
        ("flapping", of(Kind::Flapping, Some(12), hot_part()), nothing()),
        ("escalated", of(Kind::Escalated, None, hot_part()), enclosed()),
        ("repeat", of(Kind::Repeat, Some(3), hot_part()), nothing()),
        ("held-back", held_back(&[Why::Silence, Why::QuietHours]), nothing()),
        ("held-back-unwatched", held_back_unwatched(), nothing()),
        ("held-back-unseen", held_back_unseen(), nothing()),
        ("digest", held_back(&[Why::Digest]), nothing()),
        ("test", of(Kind::Test, None, vec![]), nothing()),
        (
            "incident",
            Facts { place: Some("depot".to_owned()), more: 7, ..incident(vec![hot()], vec![link_lost()]) },
            nothing(),
        ),
        ("partly-recovered", Facts { kind: Kind::PartlyRecovered, open: 2, ..of_sensor(vec![well()]) }, nothing()),
        ("instead", Facts { instead: Some(instead(None)), ..of_sensor(vec![hot()]) }, nothing()),
        ("instead-of-somebody", Facts { instead: Some(instead(Some("ann"))), ..of_sensor(vec![hot()]) }, nothing()),
        ("acts", of_sensor(acts()), nothing()),
        ("acknowledgement-expired", of_sensor(vec![acts().swap_remove(1)]), enclosed()),
        (
            "channel-disabled",
            Facts { disabled: Some(disabled()), ..of(Kind::ChannelDisabled, None, vec![]) },
            nothing(),
        ),
    ]
}

#[test]
fn what_comes_and_goes_is_told_since_the_first_time_that_is_counted() {
    let flaps = |detail: &str| Change { kind: ChangeKind::Flapping, count: Some(6), ..raised("r", detail) };
    for (detail, since) in [
        ("raised 6 times since 2026-11-23T08:40:00.000Z: told no more until it is calm for 900 s", "08:40:00"),
        ("raised 6 times: told no more until it is calm for 900 s", "09:00:06"),
    ] {
        let words = compose(&of_sensor(vec![flaps(detail)]), &reader(Language::En, "UTC"), &Enclosed::default());
        assert!(words.text.contains(&format!("It came and went 6 times since 2026-11-23 {since}")), "{}", words.text);
    }
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

#[test]
fn what_somebody_did_not_see_before_is_new_to_them_and_may_be_held_by_something_else_too() {
    let said = |language, reasons: &[Why]| compose(&held_back(reasons), &reader(language, "UTC"), &Enclosed::default());
    let alone = said(Language::En, &[Why::Bound]);
    assert!(alone.subject.starts_with("New to you: 1 standing"), "{}", alone.subject);
    assert!(alone.text.contains("You see it from now on, and it began before"), "{}", alone.text);
    assert!(said(Language::Zh, &[Why::Bound]).subject.starts_with("您新可见的告警："));
    let both = [Why::QuietHours, Why::Bound];
    assert!(said(Language::En, &both).subject.contains("quiet hours and not being yours to see"));
    assert!(said(Language::Zh, &both).subject.contains("免打扰时段、此前无权查看"));
}

#[test]
fn what_people_call_a_rule_stands_beside_what_it_saw_and_is_escaped_in_a_page() {
    let change = raised("rule:01JZ", "temperature 35.2 ℃, at most 30");
    let rules = [("rule:01JZ".to_owned(), "Too <warm>".to_owned())].into();
    let facts = Facts { rules, ..of_sensor(vec![change, hot()]) };
    for language in [Language::En, Language::Zh] {
        let words = compose(&facts, &reader(language, "UTC"), &Enclosed::default());
        assert_eq!(words.text.matches("[Too <warm>]").count(), 1, "{}", words.text);
        let page = words.html.unwrap();
        assert!(page.contains("Too &lt;warm&gt;") && !page.contains("<warm>"), "{page}");
    }
}
