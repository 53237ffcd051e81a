//! What begins for somebody, on what is all that reaches them.

use std::time::Duration;

use domain::alarm::Severity;
use jobs::{
    ports::{Address, Letter},
    told_by_name,
};
use records::{
    Versioned,
    alarms::{self, Which},
    channels::{self, Endpoint, Kind},
    inbox,
    users::{self, User},
};

use super::play::Play;

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZZ";

/// Somebody is told by a webhook alone, which wants to hear of what begins.
async fn hears_of_what_begins(play: &Play, person: &str) {
    let table = play.flow.cx.table.as_ref();
    let user = users::get(table, person).await.unwrap().unwrap();
    users::put(table, &User { mail: None, webhook: None, ..user }).await.unwrap();
    let endpoint = Endpoint {
        id: ID.to_owned(),
        owner: person.to_owned(),
        name: "Pager".to_owned(),
        kind: Kind::Webhook,
        url: "https://pager.example.org".to_owned(),
        secret: None,
        retired: None,
        chat: None,
        events: vec!["alarm.raised".to_owned()],
        made_at: play.flow.now(),
        disabled: None,
        failing: None,
    };
    let write = channels::put_endpoint(&Versioned { value: endpoint, version: 0 }).unwrap();
    assert!(table.write(write).await.unwrap().applied());
}

/// The letters that the pager got, and that all of them say that something begins.
fn paged(play: &Play) -> Vec<Letter> {
    let mut letters = play.flow.letters();
    letters
        .retain(|letter| matches!(&letter.address, Address::Webhook { url, .. } if url == "https://pager.example.org"));
    assert!(letters.iter().all(|letter| letter.data["type"] == "alarm.raised"), "{letters:?}");
    letters
}

fn subjects(letters: &[Letter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.subject.as_str()).collect()
}

#[tokio::test]
async fn who_wants_to_hear_of_what_begins_alone_hears_what_is_escalated_to_them_and_that_it_is_still_so() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    hears_of_what_begins(&play, "boss").await;
    play.mails("0s sensor 1 hot\n1h50m sensor 1 well", "10m").await;
    let paged = paged(&play);
    assert_eq!(subjects(&paged)[0], "Not acknowledged: Cold store / 1 TH-10");
    assert!(paged.len() > 1, "{paged:?}");
    assert!(paged[1..].iter().all(|letter| letter.subject == "Still open: Cold store / 1 TH-10"), "{paged:?}");
    let ids: std::collections::BTreeSet<&str> = paged.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids.len(), paged.len(), "each message has its own id");
}

#[tokio::test]
async fn what_was_held_and_stands_begins_and_what_is_off_the_shelf_does_too() {
    let play = Play::new().await;
    hears_of_what_begins(&play, "tech").await;
    let lines = "
        0s   tech silences sensor 1 for 10m
        1s   sensor 1 hot
        20m  tech shelves for 10m
    ";
    play.mails(lines, "15m").await;
    let paged = paged(&play);
    assert_eq!(subjects(&paged), ["Held back by a silence: 1 standing", "Alarm: Cold store / 1 TH-10"]);
}

/// What the topic of a severity published.
pub(super) fn published(play: &Play, severity: Severity) -> Vec<String> {
    let letters = play.flow.letters().into_iter();
    letters.filter(|letter| letter.address == Address::Topic { severity }).map(|letter| letter.subject).collect()
}

#[tokio::test]
async fn a_topic_tells_of_an_alarm_from_its_beginning_there_to_its_end_whatever_it_comes_to_matter() {
    let [begins, changes, ends] =
        ["Alarm", "Alarm changed", "Recovered"].map(|how| format!("{how}: Cold store / 1 TH-10"));
    for (first, then, [heard_first, heard_then]) in [
        ("warmer", "warm", [Severity::Critical, Severity::Warning]),
        ("warm", "warmer", [Severity::Warning, Severity::Critical]),
    ] {
        let play = Play::of_topics().await;
        play.levels().await;
        play.mails(&format!("0s sensor 1 {first}\n10m sensor 1 {then}\n20m sensor 1 well"), "10m").await;
        assert_eq!(published(&play, heard_first), [begins.clone(), changes.clone(), ends.clone()], "{first}");
        assert_eq!(published(&play, heard_then), [begins.clone(), ends.clone()], "{first}");
    }
}

#[tokio::test]
async fn who_is_named_finds_the_alarm_by_what_they_were_told_until_it_is_over_and_nobody_else_does() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    hears_of_what_begins(&play, "boss").await;
    let table = play.flow.cx.table.as_ref();
    play.mails("0s sensor 1 hot", "5m").await;
    let alarm = alarms::list(table, Which::Active, 10, None).await.unwrap().items.remove(0).id;
    let theirs = async |person: &str| told_by_name::all(table, person).await.unwrap().contains(&alarm);
    assert_eq!((theirs("dave").await, theirs("boss").await, theirs("tech").await), (true, false, false));
    play.flow.after(Duration::from_mins(6)).await;
    assert_eq!((theirs("dave").await, theirs("boss").await, theirs("tech").await), (true, true, false));
    assert_eq!(paged(&play)[0].data["alarms"], serde_json::json!([alarm]));
    let inbox = inbox::list(table, "boss", 10, None).await.unwrap().items;
    assert_eq!(inbox[0].alarms, std::slice::from_ref(&alarm));
    play.flow.sensor_says(20.0).await;
    play.flow.after(Duration::from_hours(1)).await;
    assert_eq!((theirs("dave").await, theirs("boss").await), (false, false));
}
