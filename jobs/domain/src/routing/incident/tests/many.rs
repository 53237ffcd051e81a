//! Incidents of more alarms than they remember themselves.

use super::*;

fn ids(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|number| format!("a{number:05}"))
}

/// So many alarms begin within a minute.
fn begin(story: &mut Story, count: usize, severity: Severity) {
    for (number, alarm) in ids(0..count).enumerate() {
        story.raised(&alarm, severity, u64::try_from(number * 60 / count).unwrap());
    }
}

#[test]
fn it_is_told_as_over_once_when_the_last_of_all_is_over_and_counts_those_that_stand() {
    let mut story = Story::of(pace());
    begin(&mut story, 1300, Warning);
    story.until(1000);
    assert_eq!((story.incident.open.len(), story.incident.apart), (1000, 300));
    assert_eq!(story.told.last().map(|(_, told)| told.open), Some(1300));
    // Those that it remembers itself go first, then the others, from the last on.
    for (number, alarm) in ids(0..1000).chain(ids(1000..1300).collect::<Vec<_>>().into_iter().rev()).enumerate() {
        story.cleared(&alarm, Warning, 1000 + u64::try_from(number).unwrap());
        assert_eq!(story.incident.open_count(), 1299 - number);
    }
    story.until(100_000);
    let ends: Vec<_> = story.told.iter().filter(|(_, told)| told.kind == Recovery).collect();
    assert_eq!(ends.len(), 1, "{:?}", story.told());
    assert_eq!((ends[0].1.open, ends[0].1.ended), (0, Some(at(2299))));
    assert_eq!(story.told.iter().map(|(_, told)| told.news.len()).sum::<usize>(), 2600, "each change is told once");
    assert!(story.incident.closed && story.apart.is_empty());
}

#[test]
fn what_is_remembered_apart_comes_back_and_is_said_again_when_the_others_are_forgotten() {
    let mut story = Story::of(pace());
    begin(&mut story, 1100, Critical);
    story.until(1000);
    for alarm in ids(0..1000) {
        story.known.insert(alarm, Known { gone: true, ..Known::default() });
    }
    story.until(5000);
    assert_eq!((story.incident.open.len(), story.incident.apart), (100, 0));
    assert_eq!(story.told.last().map(|(_, told)| (told.kind, told.open)), Some((Repeat, 100)));
}

#[test]
fn what_matters_more_than_others_or_waits_where_they_do_not_is_said_again_however_many_there_are() {
    let mut story = Story::of(pace());
    begin(&mut story, 1000, Warning);
    story.raised("z", Critical, 100);
    assert_eq!((story.incident.open.len(), story.incident.apart), (1000, 1));
    assert!(story.incident.open.contains_key("z"));

    let mut story = Story::of(pace());
    begin(&mut story, 1000, Critical);
    story.until(100);
    ids(0..1000).for_each(|alarm| story.acknowledged(&alarm, 100));
    story.raised("z", Critical, 200);
    story.until(50_000);
    let again = story.told.iter().rfind(|(_, told)| told.kind == Repeat).map(|(_, told)| told.alarms.clone());
    assert_eq!(again, Some(vec!["z".to_owned()]));
}

#[test]
fn what_somebody_waits_for_is_said_again_where_all_that_is_remembered_before_it_was_taken_on() {
    let mut story = Story::of(Pace { steps: vec![secs(0), secs(3600)], ..pace() });
    begin(&mut story, 1100, Critical);
    story.until(100);
    assert_eq!((story.incident.open.len(), story.incident.apart), (1000, 100));
    ids(0..1000).chain(ids(1000..1099)).for_each(|alarm| story.acknowledged(&alarm, 100));
    let before = story.told.len();
    story.until(2 * 3600);
    let told: Vec<_> = story.told[before..].iter().map(|(_, told)| (told.kind, told.alarms.clone())).collect();
    assert_eq!(told.first(), Some(&(Escalation, vec!["a01099".to_owned()])), "{told:?}");
    assert_eq!(story.incident.open_count(), 1100);
}

#[test]
fn that_one_apart_matters_more_is_known_of_it_when_it_comes_back() {
    let mut story = Story::of(pace());
    begin(&mut story, 1050, Warning);
    story.hears(1000, vec![change("a01049", ChangeKind::SeverityChanged, Critical, 1000)]);
    for (number, alarm) in ids(0..1000).enumerate() {
        story.cleared(&alarm, Warning, 1001 + u64::try_from(number).unwrap());
    }
    story.until(3000);
    assert_eq!(story.incident.open.get("a01049").map(|open| open.severity), Some(Critical));
}

#[test]
fn no_more_news_waits_than_can_be_stored() {
    let mut story = Story::of(Pace { steps: vec![secs(86_400)], ..pace() });
    story.raised("b", Critical, 0);
    for number in 0..2000 {
        let alarm = format!("a{number}");
        story.raised(&alarm, Warning, 1 + number * 2);
        story.cleared(&alarm, Warning, 2 + number * 2);
    }
    assert!(story.incident.news.iter().any(|news| news.change.alarm == "b"), "it stands");
    story.until(86_400);
    assert_eq!(story.told().first().map(|told| (told.0, told.1, told.3)), Some((86_400, Escalation, 1)));
    let mut story = Story::of(Pace { wait: BySeverity { warning: secs(600), ..pace().wait }, ..pace() });
    begin(&mut story, 1500, Warning);
    assert_eq!(story.told.first().map(|(_, told)| told.news.len()), Some(1000), "it is told before its time");
}
