use domain::{DeviceId, alarm::About};

use super::*;

fn source() -> Source {
    Source::Device(DeviceId { mac: "AABBCCDDEE01".parse().unwrap(), pid: 1 })
}

fn change(kind: ChangeKind, severity: Severity, second: i64) -> Change {
    let about = About { alarm: "a", rule: "r", severity, since: Timestamp(0), shadow: false };
    Change::of(kind, about, Timestamp(second * 1000), "temperature 35.2 ℃")
}

/// An alarm whose severity changed so often, to what the function says of each time.
fn swung(times: i64, severity: impl Fn(i64) -> Severity) -> Alarm {
    let raised = change(ChangeKind::Raised, Severity::Warning, 0);
    let mut alarm = after(&source(), &raised, None, None);
    for time in 1..=times {
        let change = change(ChangeKind::SeverityChanged, severity(time), time);
        alarm = after(&source(), &change, Some(alarm), None);
    }
    alarm.value
}

#[test]
fn of_how_much_an_alarm_came_to_matter_the_first_and_the_latest_are_kept_and_the_others_counted() {
    let swings = |time| if time % 2 == 0 { Severity::Warning } else { Severity::Critical };
    let few = swung(50, swings);
    assert_eq!((few.severities.len(), few.life.severities_between), (50, 0));
    let many = swung(10_000, swings);
    let seconds: Vec<i64> = many.severities.iter().map(|change| change.at.0 / 1000).collect();
    assert_eq!(seconds, (1..=10).chain(9961..=10_000).collect::<Vec<_>>());
    assert_eq!((many.life.severities_between, many.severity), (9950, Severity::Warning));
    let over = Change { lasted_ms: Some(10_001_000), ..change(ChangeKind::Cleared, Severity::Warning, 10_001) };
    let over = after(&source(), &over, Some(Versioned { value: many, version: 1 }), None).value;
    assert_eq!(over.lasted(Timestamp(20_000_000)).as_secs(), 10_001);
}

#[test]
fn the_worst_that_an_alarm_came_to_is_kept() {
    let once = swung(1000, |time| match time {
        100 => Severity::Critical,
        time if time % 2 == 0 => Severity::Warning,
        _ => Severity::Info,
    });
    let worst: Vec<i64> = once
        .severities
        .iter()
        .filter(|change| change.severity == Severity::Critical)
        .map(|change| change.at.0 / 1000)
        .collect();
    assert_eq!((worst, once.severities.len()), (vec![100], 50));
}

#[test]
fn an_alarm_that_is_no_longer_only_tried_out_is_the_same_alarm() {
    let tried = Change { shadow: true, ..change(ChangeKind::Raised, Severity::Info, 0) };
    let tried = after(&source(), &tried, None, None);
    let told = change(ChangeKind::Raised, Severity::Critical, 60);
    let alarm = after(&source(), &told, Some(Versioned { version: 3, ..tried }), None);
    assert_eq!((alarm.version, alarm.value.shadow, alarm.value.severity), (3, false, Severity::Critical));
    let events: Vec<_> = alarm.value.life.events.iter().map(|event| (event.kind, event.at.0)).collect();
    assert_eq!(events, [(ChangeKind::Raised, 60_000)]);
}
