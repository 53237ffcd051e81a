//! The heartbeat of the whole path, and what becomes of it when nothing is read any more.

use std::time::Duration;

use jobs::{
    HeartbeatSettings,
    ports::{Address, Delivery, Letter},
};
use records::users::Role;
use telltale_tests::flow::Flow;

const MINUTE: Duration = Duration::from_mins(1);

/// With an administrator.
async fn flow(url: Option<&str>) -> Flow {
    let url = url.map(str::to_owned);
    let flow =
        Flow::with(|settings| settings.heartbeat = HeartbeatSettings { url, ..HeartbeatSettings::default() }).await;
    flow.hire("root", Role::Admin).await;
    flow
}

fn beats(flow: &Flow) -> Vec<Letter> {
    flow.letters().into_iter().filter(|letter| matches!(letter.address, Address::Heartbeat { .. })).collect()
}

/// What was told of the platform.
fn told(flow: &Flow) -> Vec<String> {
    let letters = flow.letters().into_iter();
    let of_mail = letters.filter(|letter| letter.address == Address::Email { to: "root@example.org".to_owned() });
    of_mail
        .map(|letter| letter.subject)
        .filter(|subject| subject.contains(": path / ") || subject.contains(": channel:"))
        .collect()
}

/// The sensor speaks so often, every ten seconds.
async fn speaks(flow: &Flow, times: usize) {
    for _ in 0..times {
        flow.after(Duration::from_secs(10)).await;
        flow.sensor_says(20.0).await;
    }
}

#[tokio::test]
async fn while_readings_come_it_is_told_once_a_minute_and_no_longer() {
    let flow = flow(Some("https://beats.example/abc")).await;
    speaks(&flow, 60).await;
    let beats_told = beats(&flow);
    assert!((10..=11).contains(&beats_told.len()), "{beats_told:?}");
    let ids: std::collections::BTreeSet<&str> = beats_told.iter().map(|beat| beat.id.as_str()).collect();
    assert_eq!(ids.len(), beats_told.len(), "each has its own id");
    assert_eq!(beats_told[0].data["type"], "heartbeat");
    flow.after(10 * MINUTE).await;
    assert_eq!(beats(&flow).len(), beats_told.len(), "nothing is read any more");
    assert_eq!((told(&flow), flow.dead_letters().await), (Vec::new(), 0));
}

#[tokio::test]
async fn misses_and_late_readings_are_no_heartbeat() {
    let flow = flow(Some("https://beats.example/abc")).await;
    for count in 1..=3 {
        flow.after(MINUTE).await;
        flow.sensor_misses(count).await;
    }
    flow.settle().await;
    assert_eq!(beats(&flow), []);
}

#[tokio::test]
async fn when_nothing_is_read_for_a_quarter_of_an_hour_administrators_hear_of_it_once_and_of_its_end() {
    let flow = flow(None).await;
    flow.after(20 * MINUTE).await;
    assert_eq!(told(&flow), Vec::<String>::new(), "where nothing was ever read, nothing is silent");
    speaks(&flow, 6).await;
    flow.after(14 * MINUTE).await;
    assert_eq!(told(&flow), Vec::<String>::new());
    flow.after(3 * MINUTE).await;
    assert_eq!(told(&flow), ["Alarm: path / readings"]);
    speaks(&flow, 7).await;
    flow.after(MINUTE).await;
    assert_eq!(told(&flow), ["Alarm: path / readings", "Recovered: path / readings"]);
    assert_eq!((beats(&flow), flow.dead_letters().await), (Vec::new(), 0));
}

#[tokio::test]
async fn an_address_that_takes_no_heartbeat_is_an_alarm_of_its_channel() {
    let flow = flow(Some("https://beats.example/abc")).await;
    let refusal = Delivery::TryLater { after: None, why: "answered 404".to_owned() };
    flow.notifier().refuse_channel("heartbeat", Some(refusal));
    speaks(&flow, 50).await;
    assert_eq!(told(&flow), ["Alarm: channel:heartbeat / server"]);
    flow.notifier().refuse_channel("heartbeat", None);
    speaks(&flow, 13).await;
    assert_eq!(told(&flow), ["Alarm: channel:heartbeat / server", "Recovered: channel:heartbeat / server"]);
    assert!(beats(&flow).len() <= 3, "those that failed are not sent again");
}
