use std::{collections::BTreeMap, time::Duration};

use super::{
    BriefAlarms, BySeverity, Incident, Input, Known, MOST_OPEN, MOST_RECALLED, News, Open, Pace, Telling, TellingKind,
    step, waited_for,
};
use crate::{
    Source, Timestamp,
    alarm::{About, Change, ChangeKind, Severity},
};

mod many;
mod properties;
mod shelved;
mod steps;

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_800_000_000_000).plus(Duration::from_secs(seconds))
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn pace() -> Pace {
    Pace {
        wait: BySeverity { critical: secs(0), warning: secs(10), info: secs(30) },
        interval: BySeverity { critical: secs(5), warning: secs(60), info: secs(300) },
        repeat: BySeverity { critical: Some(secs(1800)), warning: Some(secs(14_400)), info: None },
        reopen: secs(300),
        acknowledgement: Some(secs(86_400)),
        ..Pace::default()
    }
}

fn change(alarm: &str, kind: ChangeKind, severity: Severity, seconds: u64) -> News {
    let source = Source::Node(alarm.trim_end_matches('\'').to_owned());
    let since = at(seconds.saturating_sub(u64::from(kind == ChangeKind::Cleared) * 7));
    let about = About { alarm, rule: "offline", severity, since, shadow: false };
    let change = Change::of(kind, about, at(seconds), "");
    News { transition: format!("t{seconds}"), source, change }
}

/// An incident, the clock, and what was told so far.
struct Story {
    incident: Incident,
    timer: Option<Timestamp>,
    pace: Pace,
    known: BTreeMap<String, Known>,
    apart: BTreeMap<String, Open>,
    told: Vec<(u64, Telling)>,
}

impl Story {
    fn of(pace: Pace) -> Self {
        let (known, apart) = (BTreeMap::new(), BTreeMap::new());
        Self { incident: Incident::default(), timer: None, pace, known, apart, told: Vec::new() }
    }

    /// Lets time pass until then, second by second: the incident is looked at when its timer says so.
    fn until(&mut self, seconds: u64) {
        while let Some(due) = self.timer.filter(|due| *due <= at(seconds)) {
            self.step(Vec::new(), due);
        }
    }

    fn hears(&mut self, seconds: u64, news: Vec<News>) {
        self.until(seconds);
        self.step(news, at(seconds));
    }

    fn step(&mut self, news: Vec<News>, now: Timestamp) {
        let some = if self.incident.has_room_for(MOST_RECALLED) { MOST_RECALLED } else { 0 };
        let of_news = |alarm: &String| news.iter().any(|news| news.change.alarm == *alarm);
        let mut apart: BTreeMap<_, _> =
            self.apart.iter().take(some).map(|(id, open)| (id.clone(), open.clone())).collect();
        apart.extend(self.apart.iter().filter(|(id, _)| of_news(id)).map(|(id, open)| (id.clone(), open.clone())));
        if news.is_empty() && self.incident.asks_for_who_waits() {
            apart.extend(waited_for(self.apart.clone(), &self.known, &self.pace, now));
        }
        let input = Input { news, known: self.known.clone(), apart };
        let stepped = step(&self.incident, input, &self.pace, now);
        self.apart.extend(stepped.apart.put);
        self.apart.retain(|alarm, _| !stepped.apart.taken.contains(alarm));
        assert_eq!(self.apart.len(), usize::try_from(stepped.incident.apart).unwrap());
        assert!(stepped.incident.open.len() <= MOST_OPEN && stepped.incident.news.len() <= 1030);
        assert!(stepped.timer.is_none_or(|timer| timer > now), "it would be looked at for ever");
        (self.incident, self.timer) = (stepped.incident, stepped.timer);
        self.told.extend(stepped.tellings.into_iter().map(|telling| (now.since(at(0)).as_secs(), telling)));
    }

    fn raised(&mut self, alarm: &str, severity: Severity, seconds: u64) {
        self.hears(seconds, vec![change(alarm, ChangeKind::Raised, severity, seconds)]);
    }

    fn cleared(&mut self, alarm: &str, severity: Severity, seconds: u64) {
        self.hears(seconds, vec![change(alarm, ChangeKind::Cleared, severity, seconds)]);
    }

    fn acknowledged(&mut self, alarm: &str, seconds: u64) {
        self.known.insert(alarm.to_owned(), Known { acknowledged: Some(at(seconds)), ..Known::default() });
    }

    /// When something was told, why, of how many changes, and how many alarms were open.
    fn told(&self) -> Vec<(u64, TellingKind, usize, usize)> {
        self.told.iter().map(|(at, told)| (*at, told.kind, told.news.len(), told.open)).collect()
    }
}

use ChangeKind::Raised;
use Severity::{Critical, Info, Warning};
use TellingKind::{Escalation, News as Fresh, Recovery, Repeat};

#[test]
fn a_critical_alarm_is_told_at_once_and_its_end_once_with_its_duration() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    story.cleared("a", Critical, 65);
    story.until(10_000);
    assert_eq!(story.told(), [(0, Fresh, 1, 1), (65, Recovery, 1, 0)]);
    let recovery = &story.told[1].1;
    assert_eq!((recovery.began, recovery.ended, recovery.sequence), (at(0), Some(at(65)), 2));
    assert!(story.incident.closed);
}

#[test]
fn warnings_gather_and_are_told_together() {
    let mut story = Story::of(pace());
    for (alarm, seconds) in [("a", 0), ("b", 4), ("c", 9)] {
        story.raised(alarm, Warning, seconds);
    }
    story.until(100);
    assert_eq!(story.told(), [(10, Fresh, 3, 3)]);
}

#[test]
fn a_critical_alarm_does_not_wait_for_the_warnings_before_it() {
    let mut story = Story::of(pace());
    story.raised("a", Info, 0);
    story.raised("b", Critical, 3);
    assert_eq!(story.told(), [(3, Fresh, 2, 2)]);
}

#[test]
fn what_changes_later_is_told_in_one_follow_up_and_the_end_when_all_is_over() {
    let mut story = Story::of(pace());
    story.raised("a", Warning, 0);
    story.raised("b", Warning, 20);
    story.raised("c", Warning, 40);
    story.cleared("a", Warning, 50);
    story.cleared("b", Warning, 200);
    story.cleared("c", Warning, 210);
    story.until(10_000);
    assert_eq!(story.told(), [(10, Fresh, 1, 1), (70, Fresh, 3, 2), (200, Fresh, 1, 1), (260, Recovery, 1, 0)]);
    assert_eq!((story.told[3].1.began, story.told[3].1.ended), (at(0), Some(at(210))));
}

#[test]
fn a_warning_that_is_over_before_it_was_told_is_counted_and_a_critical_one_is_told_with_its_end() {
    let mut story = Story::of(pace());
    story.raised("a", Warning, 0);
    story.cleared("a", Warning, 5);
    story.until(100);
    assert_eq!((story.told(), story.incident.dropped, story.incident.closed), (vec![], 1, true));
    let slow = Pace { wait: BySeverity { critical: secs(5), ..pace().wait }, ..pace() };
    let mut story = Story::of(slow.clone());
    story.raised("a", Critical, 0);
    story.cleared("a", Critical, 3);
    story.until(100);
    assert_eq!(story.told(), [(5, Recovery, 2, 0)]);
    let mut story = Story::of(Pace { brief: BriefAlarms::Drop, ..slow });
    story.raised("a", Critical, 0);
    story.cleared("a", Critical, 3);
    story.until(100);
    assert_eq!(story.told(), []);
}

#[test]
fn what_flaps_for_hours_is_told_a_handful_of_times() {
    for severity in [Critical, Warning] {
        let mut story = Story::of(pace());
        for round in 0..360 {
            story.hears(round * 40, vec![numbered(round, ChangeKind::Raised, severity, round * 40)]);
            story.hears(round * 40 + 20, vec![numbered(round, ChangeKind::Cleared, severity, round * 40 + 20)]);
        }
        assert!(story.told.len() <= 14, "{severity} was told {} times in four hours", story.told.len());
        story.until(50_000);
        assert_eq!(story.told.last().map(|(_, told)| told.open), Some(0), "its end is told");
        assert!(story.incident.closed);
    }
}

/// The same condition, raised for the so many'th time.
fn numbered(round: u64, kind: ChangeKind, severity: Severity, seconds: u64) -> News {
    let mut news = change("a", kind, severity, seconds);
    news.change.alarm = format!("a{round}");
    news
}

#[test]
fn what_matters_more_and_less_all_the_time_is_told_less_and_less() {
    let mut story = Story::of(pace());
    story.raised("a", Warning, 0);
    for round in 1..360 {
        let severity = if round % 2 == 0 { Warning } else { Critical };
        story.hears(round * 40, vec![change("a", ChangeKind::SeverityChanged, severity, round * 40)]);
    }
    assert!(story.told.len() <= 14, "it was told {} times in four hours", story.told.len());
}

#[test]
fn that_something_comes_and_goes_says_what_it_matters_now() {
    let mut story = Story::of(Pace { steps: vec![secs(60)], least: Some(Critical), ..pace() });
    story.raised("a", Warning, 0);
    story.hears(1000, vec![change("a", ChangeKind::Flapping, Critical, 1000)]);
    story.until(2000);
    assert_eq!(story.told().first().map(|told| (told.0, told.1)), Some((1060, Escalation)));
}

#[test]
fn a_condition_that_was_quiet_for_long_is_told_as_soon_as_one_that_was_never_raised() {
    let mut story = Story::of(pace());
    story.raised("b", Warning, 0);
    story.until(1000);
    for day in 1..15 {
        let noon = day * 86_400;
        story.hears(noon, vec![numbered(day, Raised, Critical, noon)]);
        story.hears(noon + 20, vec![numbered(day, ChangeKind::Cleared, Critical, noon + 20)]);
        story.until(noon + 60);
        let late: Vec<_> = story.told.iter().filter(|(at, told)| *at >= noon && !told.news.is_empty()).collect();
        let when: Vec<_> = late.iter().map(|(at, _)| at - noon).collect();
        assert!(matches!(when[..], [0..=5, 20..=25]), "on day {day} it was told after {when:?} s");
    }
    assert!(story.incident.raises.len() <= 1, "{:?}", story.incident.raises);
}

#[test]
fn another_condition_is_told_soon_whatever_flaps_beside_it() {
    let mut story = Story::of(pace());
    for round in 0..100 {
        story.hears(round * 40, vec![numbered(round, ChangeKind::Raised, Critical, round * 40)]);
        story.hears(round * 40 + 20, vec![numbered(round, ChangeKind::Cleared, Critical, round * 40 + 20)]);
    }
    story.raised("b", Critical, 4001);
    story.until(4006);
    assert!(story.told.iter().any(|(at, told)| *at >= 4001 && told.open == 1), "{:?}", story.told());
}

#[test]
fn what_nobody_takes_on_is_repeated_until_somebody_does_and_again_when_their_word_ends() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    story.until(4000);
    story.acknowledged("a", 4000);
    story.until(4000 + 86_400);
    let expected = [(0, Fresh, 1, 1), (1800, Repeat, 0, 1), (3600, Repeat, 0, 1), (90_400, Repeat, 0, 1)];
    assert_eq!(story.told(), expected);
    story.until(92_200);
    assert_eq!(story.told.len(), 5, "and so on");
}

#[test]
fn an_escalation_goes_step_by_step_until_somebody_takes_it_on() {
    let steps = vec![secs(0), secs(600), secs(1200)];
    let mut story = Story::of(Pace { steps: steps.clone(), ..pace() });
    story.raised("a", Critical, 0);
    story.until(700);
    story.acknowledged("a", 700);
    story.until(1750);
    story.cleared("a", Critical, 3000);
    story.until(10_000);
    let told = [(0, Escalation, 1, 1), (600, Escalation, 0, 1), (3000, Recovery, 1, 0)];
    assert_eq!(story.told(), told);
    assert_eq!(story.told.iter().map(|(_, told)| told.level).collect::<Vec<_>>(), [1, 2, 2]);
    let mut story = Story::of(Pace { steps, ..pace() });
    story.raised("a", Critical, 0);
    story.acknowledged("a", 5);
    story.until(5 + 86_400 + 600);
    let at: Vec<_> = story.told.iter().map(|(at, told)| (*at, told.kind, told.level)).collect();
    let again = [(0, Escalation, 1), (86_405, Escalation, 1), (87_005, Escalation, 2)];
    assert_eq!(at, again, "the word of who took it on ended");
}

#[test]
fn what_is_over_before_the_first_step_is_told_nobody() {
    let mut story = Story::of(Pace { steps: vec![secs(600)], ..pace() });
    story.raised("a", Critical, 0);
    story.cleared("a", Critical, 599);
    story.until(10_000);
    assert_eq!((story.told(), story.incident.dropped, story.incident.closed), (vec![], 1, true));
}

#[test]
fn what_matters_less_than_a_policy_wants_is_not_escalated() {
    let mut story = Story::of(Pace { steps: vec![secs(60)], least: Some(Critical), ..pace() });
    story.raised("a", Warning, 0);
    story.until(1000);
    assert_eq!(story.told(), []);
    story.hears(1000, vec![change("a", ChangeKind::SeverityChanged, Critical, 1000)]);
    story.until(2000);
    assert_eq!(story.told().first().map(|told| (told.0, told.1)), Some((1060, Escalation)));
}

#[test]
fn an_end_that_is_heard_of_before_its_beginning_leaves_nothing_open() {
    let mut story = Story::of(pace());
    story.known.insert("a".to_owned(), Known { over: Some(at(7)), ..Known::default() });
    story.cleared("a", Critical, 8);
    story.hears(9, vec![change("a", Raised, Critical, 1)]);
    story.until(10_000);
    assert_eq!(story.told().iter().map(|told| told.2).sum::<usize>(), 2, "each change is told once");
    assert!(story.incident.open.is_empty() && story.incident.closed);
}

#[test]
fn an_alarm_whose_end_nobody_tells_is_forgotten_and_not_repeated() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    story.known.insert("a".to_owned(), Known { over: Some(at(30)), ..Known::default() });
    story.until(100_000);
    assert_eq!(story.told(), [(0, Fresh, 1, 1)]);
    assert!(story.incident.closed);
}

#[test]
fn what_is_on_the_shelf_is_not_said_again_and_is_remembered_until_its_end_is_told() {
    let mut story = Story::of(Pace { steps: vec![secs(0), secs(600)], ..pace() });
    story.raised("a", Critical, 0);
    story.known.insert("a".to_owned(), Known { quiet: true, ..Known::default() });
    story.until(20_000);
    story.known.insert("a".to_owned(), Known { quiet: true, over: Some(at(20_000)), ..Known::default() });
    story.until(200_000);
    assert_eq!(story.told(), [(0, Escalation, 1, 1)]);
    story.known.insert("a".to_owned(), Known { over: Some(at(20_000)), ..Known::default() });
    story.cleared("a", Critical, 200_000);
    assert_eq!(story.told(), [(0, Escalation, 1, 1), (200_000, Recovery, 1, 0)]);
}

#[test]
fn a_word_is_not_for_what_came_to_matter_more_since_and_holds_again_when_that_is_over() {
    let mut story = Story::of(pace());
    story.raised("a", Warning, 0);
    let word = Known { acknowledged: Some(at(20)), acknowledged_as: Some(Warning), ..Known::default() };
    story.known.insert("a".to_owned(), word);
    story.until(20_000);
    story.hears(20_000, vec![change("a", ChangeKind::SeverityChanged, Critical, 20_000)]);
    story.until(21_800);
    let told = [(10, Fresh, 1, 1), (20_000, Fresh, 1, 1), (21_800, Repeat, 0, 1)];
    assert_eq!(story.told(), told);
    story.hears(21_900, vec![change("a", ChangeKind::SeverityChanged, Warning, 21_900)]);
    story.until(40_000);
    assert_eq!(story.told()[3..], [(21_920, Fresh, 1, 1)]);
    let attention: Vec<bool> = story.told.iter().map(|(_, told)| told.asks_for_attention()).collect();
    assert_eq!(attention, [true, true, true, false], "that it matters less may be read whenever");
}

#[test]
fn while_a_parents_alarm_speaks_for_it_no_step_is_taken_and_nothing_is_repeated() {
    for steps in [vec![], vec![secs(0), secs(600)]] {
        let mut story = Story::of(Pace { steps, ..pace() });
        story.raised("a", Critical, 0);
        let lost = Known { unknown: true, ..Known::default() };
        story.known.insert("a".to_owned(), lost);
        story.until(20_000);
        assert_eq!(story.told.len(), 1, "{:?}", story.told());
        story.known.insert("a".to_owned(), Known::default());
        story.until(22_200);
        assert!(story.told.len() > 1, "{:?}", story.told());
        assert!(story.told.iter().all(|(at, _)| *at == 0 || *at > 20_000));
    }
}

#[test]
fn of_several_that_stand_only_what_nobody_has_on_and_is_known_is_said_again() {
    let mut story = Story::of(pace());
    story.raised("a", Critical, 0);
    story.raised("b", Warning, 100);
    story.known.insert("a".to_owned(), Known { quiet: true, ..Known::default() });
    story.until(100 + 20_000);
    let repeats: Vec<_> = story.told.iter().filter(|(_, told)| told.kind == Repeat).collect();
    assert_eq!(repeats.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [14_510], "as often as a warning");
    assert_eq!(repeats[0].1.alarms, ["b"]);
}
