//! The steps of an escalation beside what is told anyway.

use super::*;

fn at_once_and_later() -> Story {
    Story::of(Pace { steps: vec![secs(0), secs(600)], ..pace() })
}

impl Story {
    /// When something was told, why, how many steps without delay it takes, and which step it is.
    fn steps(&self) -> Vec<(u64, TellingKind, usize, usize)> {
        self.told.iter().map(|(at, told)| (*at, told.kind, told.at_once, told.level)).collect()
    }
}

#[test]
fn what_is_new_after_a_word_is_told_once_to_whom_the_first_step_names_as_well() {
    // Those who see it hear a warning when it was gathered for.
    for (severity, told) in [(Critical, 1200), (Warning, 1210)] {
        let mut story = at_once_and_later();
        story.raised("a", Critical, 0);
        story.acknowledged("a", 60);
        story.raised("b", severity, 1200);
        story.until(1200 + 700);
        let expected = [(0, Escalation, 1, 1), (told, Fresh, 1, 1), (1800, Escalation, 0, 2)];
        assert_eq!(story.steps(), expected, "{severity}");
    }
}

#[test]
fn what_is_new_soon_after_all_is_over_is_told_once() {
    let mut story = at_once_and_later();
    story.raised("a", Critical, 0);
    story.cleared("a", Critical, 120);
    story.raised("b", Critical, 240);
    story.until(700);
    assert_eq!(story.steps(), [(0, Escalation, 1, 1), (120, Recovery, 0, 1), (240, Fresh, 1, 1)]);
}

#[test]
fn steps_without_delay_are_one_telling() {
    let mut story = Story::of(Pace { steps: vec![secs(0), secs(0), secs(600)], ..pace() });
    story.raised("a", Critical, 0);
    story.until(600);
    assert_eq!(story.steps(), [(0, Escalation, 2, 2), (600, Escalation, 0, 3)]);
}

#[test]
fn an_end_is_not_the_telling_of_what_nobody_has_on_from_then() {
    let mut story = at_once_and_later();
    story.raised("a", Critical, 0);
    story.raised("b", Critical, 10);
    story.acknowledged("a", 20);
    story.acknowledged("b", 20);
    story.until(700);
    story.known.clear();
    story.cleared("b", Critical, 800);
    assert_eq!(story.steps()[2..], [(800, Fresh, 0, 1), (800, Escalation, 0, 1)]);
}

#[test]
fn what_comes_and_goes_is_escalated_and_said_again_while_it_stands_and_not_while_it_went() {
    let mut story = at_once_and_later();
    story.hears(0, vec![change("a", ChangeKind::Flapping, Critical, 0)]);
    story.until(610);
    assert_eq!(story.steps(), [(0, Escalation, 1, 1), (600, Escalation, 0, 2)]);
    let mut story = at_once_and_later();
    story.hears(0, vec![change("a", ChangeKind::Flapping, Critical, 0)]);
    story.known.insert("a".to_owned(), Known { over: Some(at(20)), ..Known::default() });
    story.until(4000);
    assert_eq!(story.steps(), [(0, Escalation, 1, 1)]);
    let calmed = Change { lasted_ms: Some(20_000), ..change("a", ChangeKind::Calmed, Critical, 4000).change };
    let last = Change { alarm: "a'".to_owned(), ..calmed };
    story.hears(4000, vec![News { change: last, ..change("a", ChangeKind::Calmed, Critical, 4000) }]);
    assert_eq!(story.steps()[1..], [(4000, Recovery, 0, 1)], "who heard that it comes and goes hears that it is over");
    assert!(story.incident.open.is_empty());
}

#[test]
fn that_something_comes_and_goes_after_a_word_is_told_once() {
    let mut story = at_once_and_later();
    story.raised("a", Critical, 0);
    story.acknowledged("a", 60);
    story.hears(1200, vec![change("b", ChangeKind::Flapping, Critical, 1200)]);
    assert_eq!(story.steps(), [(0, Escalation, 1, 1), (1200, Fresh, 1, 1)]);
}

#[test]
fn how_long_it_lasted_is_counted_to_the_end_of_the_condition() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    let mut end = change("a", ChangeKind::Unshelved, Critical, 7200);
    (end.change.since, end.change.lasted_ms) = (at(0), Some(600_000));
    story.hears(7200, vec![end]);
    story.until(7300);
    assert_eq!(story.told.last().map(|(_, told)| (told.kind, told.ended)), Some((Recovery, Some(at(600)))));
}

#[test]
fn what_somebody_has_on_is_not_said_again_with_what_nobody_has() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    story.acknowledged("a", 60);
    story.raised("b", Critical, 1200);
    story.until(1200 + 1800);
    let last = &story.told.last().unwrap().1;
    assert_eq!((last.kind, &last.alarms[..]), (Repeat, &["b".to_owned()][..]));
}

#[test]
fn what_comes_after_a_word_is_escalated_after_all_of_its_time_though_nobody_looked_meanwhile() {
    let mut story = at_once_and_later();
    story.raised("a", Critical, 0);
    story.acknowledged("a", 60);
    story.raised("b", Critical, 500);
    story.until(1099);
    assert_eq!(story.steps(), [(0, Escalation, 1, 1), (500, Fresh, 1, 1)]);
    story.until(1100);
    assert_eq!(story.steps()[2..], [(1100, Escalation, 0, 2)]);
}

#[test]
fn a_first_step_without_delay_is_told_no_oftener_of_what_flaps_than_those_are_who_see_it() {
    let flaps = |pace: Pace| {
        let mut story = Story::of(pace);
        for round in 0..90 {
            story.hears(round * 40, vec![numbered(round, ChangeKind::Raised, Critical, round * 40)]);
            story.hears(round * 40 + 20, vec![numbered(round, ChangeKind::Cleared, Critical, round * 40 + 20)]);
        }
        story.until(20_000);
        story.told.iter().map(|(at, told)| (*at, told.news.len())).collect::<Vec<_>>()
    };
    assert_eq!(flaps(at_once_and_later().pace), flaps(pace()));
}

#[test]
fn who_is_called_later_is_called_at_their_time_though_what_flaps_is_not_told_yet() {
    let mut story = at_once_and_later();
    for round in 0..12 {
        story.hears(round * 40, vec![numbered(round, ChangeKind::Raised, Critical, round * 40)]);
        story.hears(round * 40 + 20, vec![numbered(round, ChangeKind::Cleared, Critical, round * 40 + 20)]);
    }
    story.hears(500, vec![numbered(12, ChangeKind::Raised, Critical, 500)]);
    let before = story.told.len();
    story.until(1200);
    assert_eq!(story.steps()[before..], [(1100, Fresh, 1, 1), (1100, Escalation, 0, 2)]);
}

#[test]
fn of_more_than_it_names_a_notice_counts_the_rest() {
    let mut story = Story::of(Pace { steps: vec![secs(60)], ..pace() });
    story.hears(0, (0..25).map(|number| change(&format!("a{number:02}"), Raised, Warning, 0)).collect());
    story.raised("z", Critical, 1);
    story.until(1900);
    let (_, again) = story.told.iter().find(|(_, told)| told.kind == Repeat).unwrap();
    assert_eq!((again.alarms.len(), again.more), (20, 6));
    assert_eq!(again.alarms[0], "z", "the gravest are named");
}

#[test]
fn what_came_to_be_critical_and_is_is_told_within_ten_minutes_however_often_it_was() {
    let mut story = Story::of(pace());
    story.raised("a", Warning, 0);
    let mut severities = [Critical, Warning].into_iter().cycle();
    for minute in 1..60 {
        story.hears(
            minute * 60,
            vec![change("a", ChangeKind::SeverityChanged, severities.next().unwrap(), minute * 60)],
        );
    }
    let before = story.told.len();
    story.until(59 * 60 + 600);
    assert!(story.told[before..].iter().any(|(_, told)| told.severity == Critical), "{:?}", story.told());
}
