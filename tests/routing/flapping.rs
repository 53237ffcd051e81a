//! What comes and goes too often: told under the name of the alarm that showed it, whichever alarm it stands under.

use std::time::Duration;

use domain::alarm::Severity;
use jobs::{comes_and_goes, told_by_name, whole_incident};
use records::{
    alarms::{self, Alarm, Which},
    notices,
};

use super::{begun::published, play::Play};

/// A sensor that is hot six times within four minutes, and well after each: the sixth shows that it comes and goes.
fn comes_and_goes(how: &str) -> String {
    let round = |round| format!("{}s sensor 1 {how}\n{}s sensor 1 well\n", round * 40, round * 40 + 20);
    (0..6).map(round).collect()
}

/// When somebody was told that nobody acknowledged it, in seconds.
fn escalated(mails: &[(Duration, String, String)], person: &str) -> Vec<u64> {
    let is_of =
        |(_, to, subject): &&(Duration, String, String)| to == person && subject.starts_with("Not acknowledged");
    mails.iter().filter(is_of).map(|(at, ..)| at.as_secs()).collect()
}

async fn latest(play: &Play) -> Alarm {
    alarms::list(play.flow.cx.table.as_ref(), Which::All, 1, None).await.unwrap().items.remove(0)
}

#[tokio::test]
async fn it_is_escalated_while_a_later_alarm_of_it_stands() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let lines = format!("{}9m sensor 1 hot", comes_and_goes("hot"));
    let mails = play.mails(&lines, "6m").await;
    assert_eq!(escalated(&mails, "boss"), [800], "ten minutes after it was seen to come and go: {mails:#?}");
}

#[tokio::test]
async fn where_it_went_when_a_step_is_due_that_is_taken_when_it_is_seen_to_stand_again() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let lines = format!("{}9m sensor 1 hot\n10m sensor 1 well\n14m sensor 1 hot", comes_and_goes("hot"));
    let mails = play.mails(&lines, "10m").await;
    let told = escalated(&mails, "boss");
    assert!(matches!(told[..], [840..=1101]), "{mails:#?}");
}

#[tokio::test]
async fn who_took_one_of_its_alarms_on_has_on_those_that_come_next() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let lines = "
        9m      sensor 1 hot
        9m10s   dave acknowledges
        9m20s   sensor 1 well
        12m     sensor 1 hot
        14m     sensor 1 well
        16m     sensor 1 hot
    ";
    let mails = play.mails(&format!("{}{lines}", comes_and_goes("hot")), "12m").await;
    assert_eq!(escalated(&mails, "boss"), Vec::<u64>::new(), "{mails:#?}");
}

#[tokio::test]
async fn a_link_is_about_the_alarm_that_it_stands_under_by_now() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let table = play.flow.cx.table.as_ref();
    play.mails(&format!("{}9m sensor 1 hot", comes_and_goes("hot")), "1m").await;
    let stands = latest(&play).await;
    for person in ["dave", "tech"] {
        let told = notices::list(table, person, 1, None).await.unwrap().items.remove(0);
        let whole = whole_incident::alarms_of(table, &told).await.unwrap();
        assert_eq!(whole.iter().map(|alarm| &alarm.id).collect::<Vec<_>>(), [&stands.id], "{person}");
        let named = told.facts.as_ref().unwrap().standing();
        let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        let named = alarms::get_many(table, &named).await.unwrap();
        let now = comes_and_goes::as_latest(table, named).await.unwrap();
        assert_eq!(now.iter().map(|alarm| &alarm.id).collect::<Vec<_>>(), [&stands.id], "{person}");
    }
}

#[tokio::test]
async fn who_is_named_finds_it_by_its_later_alarm() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let table = play.flow.cx.table.as_ref();
    play.mails(&format!("{}5m sensor 1 hot\n6m sensor 1 well\n9m sensor 1 hot", comes_and_goes("hot")), "1m").await;
    let stands = latest(&play).await;
    let theirs = async |person: &str| !told_by_name::among(table, person, &[&stands]).await.unwrap().is_empty();
    assert_eq!((theirs("dave").await, theirs("boss").await), (true, false));
    assert!(told_by_name::all(table, "dave").await.unwrap().contains(&stands.id));
}

#[tokio::test]
async fn that_it_is_calm_hears_who_heard_that_it_comes_and_goes_whatever_became_of_the_policy() {
    for change in ["deleted", "off", "narrowed"] {
        let play = Play::of_dave_and_the_boss(Duration::from_hours(1)).await;
        let lines = format!("{}5m sensor 1 hot\n5m20s sensor 1 well\n6m policy {change}", comes_and_goes("hot"));
        let mails = play.mails(&lines, "20m").await;
        let last = mails.iter().rfind(|(_, to, _)| to == "dave").unwrap();
        assert_eq!((last.0.as_secs() / 60, last.2.as_str()), (20, "Recovered: Cold store / 1 TH-10"), "{mails:#?}");
    }
}

#[tokio::test]
async fn a_topic_that_told_that_it_comes_and_goes_tells_its_end_and_no_other_does() {
    let play = Play::of_topics().await;
    play.levels().await;
    let lines = format!("{}10m sensor 1 warm\n11m sensor 1 well", comes_and_goes("warmer"));
    play.mails(&lines, "1h").await;
    let told = published(&play, Severity::Critical);
    assert_eq!(told.last().map(String::as_str), Some("Recovered: Cold store / 1 TH-10"), "{told:#?}");
    assert_eq!(published(&play, Severity::Warning), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_named_at_once_hears_of_it_no_oftener_than_who_sees_it() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let mails = play.mails(&comes_and_goes("hot"), "20m").await;
    let heard = |person: &str| {
        let theirs = mails.iter().filter(|(_, to, _)| to == person);
        theirs.map(|(at, _, subject)| (at.as_secs(), subject)).collect::<Vec<_>>()
    };
    assert_eq!(heard("dave"), heard("tech"));
}

#[tokio::test]
async fn at_the_end_of_quiet_hours_it_is_told_that_it_comes_and_goes_though_it_went_just_then() {
    let quiet =
        r#"{"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "11:00", "until": "12:30"}]}, "passes": null}}"#;
    let later: String = [10, 20, 28].map(|at| format!("{at}m sensor 1 damp\n{at}m30s sensor 1 well\n")).concat();
    let lines = format!("0s tech prefers {quiet}\n{}{later}", comes_and_goes("damp"));
    let mails = Play::new().await.mails(&lines, "5m").await;
    let told: Vec<&str> = mails.iter().map(|(_, _, subject)| subject.as_str()).collect();
    assert_eq!(told, ["Held back by quiet hours: 1 standing, 1 came and went"], "{mails:#?}");
}

#[tokio::test]
async fn what_somebody_put_off_comes_again_under_whichever_alarm_it_stands() {
    for (then, told) in [("hot", true), ("well", false)] {
        let lines = format!(
            "{}5m sensor 1 hot\n5m10s tech snoozes for 10m\n5m20s sensor 1 well\n14m sensor 1 hot\n15m sensor 1 {then}",
            comes_and_goes("hot")
        );
        let mails = Play::new().await.mails(&lines, "2m").await;
        let again = mails.iter().find(|(_, _, subject)| subject == "Held back by a snooze: 1 standing");
        assert_eq!(again.map(|(at, ..)| at.as_secs() / 60), told.then_some(15), "{mails:#?}");
    }
}

#[tokio::test]
async fn that_it_went_when_it_is_off_the_shelf_says_nothing_while_it_comes_and_goes() {
    let rounds = |many: u64| {
        let round = |round| format!("{}m sensor 1 hot\n{}m sensor 1 well\n", 13 + 10 * round, 20 + 10 * round);
        (0..many).map(round).collect::<String>()
    };
    for aside in ["shelves", "takes out"] {
        let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
        let lines = format!("{}5m sensor 1 hot\n6m tech {aside} for 5m\n7m sensor 1 well\n", comes_and_goes("hot"));
        let mails = play.mails(&format!("{lines}{}", rounds(12)), "30m").await;
        assert!(!escalated(&mails, "boss").is_empty(), "{aside}: {mails:#?}");
        let after = mails.iter().filter(|(at, ..)| *at > Duration::from_mins(6));
        let ends = after.filter(|(_, _, told)| told.starts_with("Recovered")).map(|(at, ..)| at.as_secs() / 60);
        let ends: Vec<u64> = ends.collect();
        assert!(ends.len() == 3 && ends.iter().all(|at| *at >= 140), "each once it is calm: {mails:#?}");
    }
}
