//! Why somebody was told, and of which alarm: what is said again and what was held is of the alarms that it names.

use domain::Source;
use records::{
    alarms::{self, Which},
    explanation::explain,
};
use telltale_tests::flow::{device, headline};

use super::play::Play;

/// The subjects of the mails that somebody was told of a sensor's alarm, oldest first.
async fn told(play: &Play, person: &str, pid: u8) -> Vec<String> {
    let table = play.flow.cx.table.as_ref();
    let mut alarms = alarms::list(table, Which::All, 100, None).await.unwrap().items.into_iter();
    let alarm = alarms.find(|alarm| alarm.source == Source::Device(device(pid))).unwrap();
    let explained = explain(table, alarm, &[person.to_owned()]).await.unwrap();
    let mails = explained.steps.into_iter().flat_map(|step| step.notices).filter(|notice| notice.channel == "email");
    mails.map(|notice| headline(&notice.subject).to_owned()).collect()
}

#[tokio::test]
async fn a_repeat_is_of_each_alarm_that_it_names_and_of_no_other() {
    let play = Play::new().await;
    play.mails("0s sensor 1 hot\n20s sensor 2 hot\n40s sensor 3 hot\n2m sensor 3 well", "40m").await;
    let again = |told: &[String]| told.iter().filter(|subject| subject.starts_with("Still open")).count();
    for (pid, is_repeated) in [(1, true), (2, true), (3, false)] {
        let told = told(&play, "tech", pid).await;
        assert_eq!(again(&told) > 0, is_repeated, "sensor {pid}: {told:?}");
    }
}

#[tokio::test]
async fn what_was_held_of_several_alarms_is_told_of_each() {
    let play = Play::new().await;
    let lines = "
        0s   everybody silences weekly {\"zone\": \"UTC\", \"hours\": [{\"from\": \"12:00\", \"until\": \"12:10\"}]}
        1s   sensor 1 hot
        60s  sensor 2 hot
    ";
    play.mails(lines, "15m").await;
    for pid in [1, 2] {
        assert_eq!(told(&play, "tech", pid).await, ["Held back by a silence: 2 standing"], "sensor {pid}");
    }
}
