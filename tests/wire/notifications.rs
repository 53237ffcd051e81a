//! A silence over an alarm, and an inbox that all browsers of a person show alike.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::Timestamp;
use futures::future::try_join_all;
use serde_json::{Value, json};
use telltale_tests::{Browser, LiveClient, Session};

use super::{
    field::{Field, items},
    site::{HALL, PASSWORD, SENSOR},
};

const INBOX: &str = "/api/notifications";

/// Ann's three browsers: two on `/web`, one program on `/live`.
struct Browsers {
    web: [Browser; 2],
    live: LiveClient,
}

impl Browsers {
    async fn of_ann(field: &Field) -> Result<Self> {
        let web = [field.browser("ann", &[]).await?, field.browser("ann", &[]).await?];
        Ok(Self { web, live: LiveClient::start(field.server.url(), field.ann.token(), &["me"]).await? })
    }

    /// Waits until each was told that many times of its inbox, and gives what they were told last, which is the same.
    async fn told(&self, count: usize) -> Result<Value> {
        let mut told = Vec::new();
        for browser in &self.web {
            told.push(browser.until_more("notification", count - 1).await?[0].clone());
        }
        let of_inbox = |envelopes: &[&Value]| {
            let of_inbox: Vec<_> = envelopes.iter().filter(|one| one["event"] == "notification").collect();
            Some(of_inbox.get(count - 1)?["data"].clone())
        };
        told.push(self.live.until("told of the inbox", of_inbox).await?);
        ensure!(told.iter().all(|one| *one == told[0]), "browsers were told different things: {told:#?}");
        Ok(told.swap_remove(0))
    }
}

async fn entries(who: &Session, query: &str) -> Result<Vec<Value>> {
    Ok(items(&who.get(&format!("{INBOX}{query}")).await?))
}

#[tokio::test]
async fn what_one_browser_does_to_the_inbox_all_of_them_show() -> Result<()> {
    let mut field = Field::start().await?;
    let browsers = Browsers::of_ann(&field).await?;
    let ben = field.browser("ben", &["notification"]).await?;
    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    let came = browsers.told(1).await?;
    assert_eq!((&came["change"], &came["unread"]), (&json!("new"), &json!(1)), "{came}");
    let entry = came["notification"].clone();
    assert_eq!(entries(&field.ann, "").await?, std::slice::from_ref(&entry), "it is what the API shows");
    assert_eq!((&entry["type"], &entry["is_read"]), (&json!("alarms"), &json!(false)));

    let path = format!("{INBOX}/{}", entry["id"].as_str().unwrap_or_default());
    let marks = try_join_all((0..8).map(async |_| field.ann.put(&format!("{path}/read"), &json!({})).await)).await?;
    let changed: u64 = marks.iter().filter_map(|(_, body)| body["changed"].as_u64()).sum();
    assert_eq!(changed, 1, "one of those who mark at once does it: {marks:?}");
    assert_eq!(browsers.told(2).await?, json!({ "change": "read", "ids": [entry["id"]], "unread": 0 }));

    field.slave.set(SENSOR, &[253, 600, 1]).await?;
    let recovered = browsers.told(3).await?;
    assert_eq!((&recovered["notification"]["type"], &recovered["unread"]), (&json!("recoveries"), &json!(1)));
    assert_eq!(field.ann.put(&format!("{INBOX}/read-all"), &json!({})).await?.0, 200);
    assert_eq!(browsers.told(4).await?, json!({ "change": "read_all", "unread": 0 }));
    let gone = field.ann.delete(&path).await?;
    assert_eq!(gone.0, 204, "{gone:?}");
    assert_eq!(browsers.told(5).await?, json!({ "change": "deleted", "ids": [entry["id"]], "unread": 0 }));
    assert_eq!(entries(&field.ann, "").await?.len(), 1);
    let root = field.server.sign_in("root", PASSWORD).await?;
    assert_eq!(root.get(&format!("{INBOX}/unread-count")).await?["unread"], 2, "others have inboxes of their own");
    assert_eq!(ben.received("notification"), Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn an_alarm_in_a_silence_is_recorded_and_told_at_its_end_by_mail_by_webhook_and_in_the_inbox() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;
    let foreign = field.server.sign_in("ben", PASSWORD).await?;
    let an_hour = json!({ "matcher": { "terminal": HALL },
        "window": { "kind": "once", "until": in_an_hour(&field).await? }, "why": "the hall is cleaned" });
    assert_eq!(foreign.post("/api/silences", &an_hour).await?.0, 404, "it is not his to silence");
    let (status, silence) = field.ann.post("/api/silences", &an_hour).await?;
    assert_eq!(status, 201, "{silence}");
    let path = format!("/api/silences/{}", silence["id"].as_str().unwrap_or_default());

    for tenths in [352, 253, 352] {
        field.slave.set(SENSOR, &[tenths, 600, 1]).await?;
        field.until_sensor_shows("temperature", &(f64::from(tenths) / 10.0).to_string()).await?;
    }
    field.until_alarms("active", 1).await?;
    field.until_alarms("cleared", 1).await?;
    field.three_more_readings().await?;
    field.was_told(0, 0);
    assert_eq!((entries(&field.ann, "").await?.len(), field.mailbox.mails("Held back").len()), (0, 0));

    assert_eq!(foreign.delete(&path).await?.0, 404, "nor his to end");
    assert_eq!(field.ann.delete(&path).await?.0, 204);
    let told = "Held back by a silence: 1 standing, 1 came and went";
    field.until_told(told).await?;
    let shown = |list: &Value| Some(items(list)).filter(|entries| !entries.is_empty());
    let inbox = field.ann.until(INBOX, "the catch-up", shown).await?;
    assert_eq!((inbox.len(), &inbox[0]["title"]), (1, &json!(told)));
    field.three_more_readings().await?;
    assert_eq!((field.mailbox.mails("Held back").len(), field.webhook.deliveries("Held back").len()), (1, 1));

    field.slave.set(SENSOR, &[253, 600, 1]).await?;
    field.until_told("Recovered").await?;
    field.was_told(0, 1);
    Ok(())
}

/// An hour from now, as the server's clock has it.
async fn in_an_hour(field: &Field) -> Result<Value> {
    let history = field.sensor_history().await?;
    let newest = history.iter().filter_map(|reading| reading["at"].as_str()).max().unwrap_or_default();
    let newest = Timestamp::parse_js_date(newest).context("a reading's time")?;
    Ok(json!(newest.plus(Duration::from_hours(1)).rfc3339()))
}
