//! What holds of every incident, whatever it hears and whenever.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{BriefAlarms, ChangeKind, Incident, Pace, Severity, Story, TellingKind, change, pace};

/// Something that happens to one of three conditions, so many seconds after what was before.
#[derive(Debug, Clone)]
struct Event {
    after: u64,
    condition: usize,
    severity: Severity,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let severity = prop_oneof![Just(Severity::Info), Just(Severity::Warning), Just(Severity::Critical)];
    let event = (0_u64..400, 0_usize..3, severity).prop_map(|(after, condition, severity)| Event {
        after,
        condition,
        severity,
    });
    prop::collection::vec(event, 1..40)
}

/// Lives through the events: each raises its condition, or ends it where it is raised. All that is raised ends at last.
fn live(events: &[Event], pace: Pace) -> (Story, usize) {
    let mut story = Story::of(pace);
    let mut raised: [Option<(String, Severity)>; 3] = Default::default();
    let (mut now, mut changes) = (0, 0);
    let ends = (0..3).map(|condition| Event { after: 1, condition, severity: Severity::Info });
    for (number, event) in events.iter().cloned().chain(ends).enumerate() {
        now += event.after;
        story.until(now);
        let current = &mut raised[event.condition];
        let is_end = number >= events.len();
        let (kind, alarm, severity) = match current.take() {
            Some((alarm, severity)) => (ChangeKind::Cleared, alarm, severity),
            None if is_end => continue,
            None => {
                let alarm = format!("{}-{number}", event.condition);
                *current = Some((alarm.clone(), event.severity));
                (ChangeKind::Raised, alarm, event.severity)
            }
        };
        let mut news = change(&event.condition.to_string(), kind, severity, now);
        news.change.alarm = alarm;
        changes += 1;
        if story.incident.closed {
            story.incident = Incident::default();
        }
        story.hears(now, vec![news]);
    }
    story.until(now + 100_000);
    (story, changes)
}

proptest! {
    #[test]
    fn each_change_is_told_once_where_nothing_is_dropped(events in events()) {
        let (story, changes) = live(&events, Pace { brief: BriefAlarms::Tell, ..pace() });
        let told: Vec<_> = story.told.iter().flat_map(|(_, told)| &told.news).collect();
        let distinct: BTreeSet<_> =
            told.iter().map(|news| (&news.change.alarm, news.change.kind == ChangeKind::Raised)).collect();
        prop_assert_eq!((told.len(), distinct.len()), (changes, changes));
    }

    #[test]
    fn it_ends_closed_and_what_was_told_as_open_is_told_as_over(events in events()) {
        let (story, _) = live(&events, pace());
        prop_assert!(story.incident.closed && story.incident.open.is_empty() && story.incident.news.is_empty());
        let last = story.told.last().map(|(_, told)| told.open);
        prop_assert!(last.is_none_or(|open| open == 0), "the last notice said that {:?} are open", last);
    }

    #[test]
    fn it_never_tells_twice_within_an_interval_nor_ends_before_it_began(events in events()) {
        let (story, _) = live(&events, pace());
        for pair in story.told.windows(2) {
            let (before, after) = (&pair[0].1, &pair[1].1);
            let is_new = after.sequence == 1;
            let least = pace().interval.critical.as_secs();
            prop_assert!(is_new || pair[1].0 >= pair[0].0 + least, "{:?} and {:?}", pair[0].0, pair[1].0);
            prop_assert!(is_new || after.sequence == before.sequence + 1);
        }
        let recoveries = story.told.iter().filter(|(_, told)| told.kind == TellingKind::Recovery);
        for (_, told) in recoveries {
            prop_assert!(told.open == 0 && told.ended.is_some_and(|ended| ended >= told.began));
        }
    }
}
