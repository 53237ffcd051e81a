//! What one way does not take goes another, at each telling, and to nobody who is left alone.

use std::time::Duration;

use records::{
    notices::{self, NoticeStatus},
    users::{self, User},
};
use serde_json::json;

use super::play::Play;

const REPEATED: &str = "Still open: Cold store / 1 TH-10";

#[tokio::test]
async fn of_a_terminal_that_is_gone_mail_tells_where_the_text_is_not_taken() {
    for how in ["refused", "busy"] {
        let lines = format!(
            "
            0s          tech tries sms email
            0s          texts {how}
            1s          terminal lost
            60s..4m     tech hears Alarm: Cold store
        "
        );
        Play::new().await.runs(&lines, "10m").await;
    }
}

#[tokio::test]
async fn a_reminder_that_is_not_taken_goes_on_as_its_first_telling_did() {
    let lines = format!(
        "
        0s          tech tries email sms
        1s          sensor 1 hot
        1s..2s      tech hears Alarm: Cold store / 1 TH-10
        60s         mail refused
        30m..31m    tech hears by text: {REPEATED}
        1h..61m     tech hears by text: {REPEATED}
    "
    );
    Play::new().await.runs(&lines, "20m").await;
}

#[tokio::test]
async fn where_no_more_texts_may_be_sent_today_the_next_way_tells() {
    let lines = format!(
        "
        0s          tech tries sms email
        0s          tech prefers {{\"sms_a_day\": 1}}
        1s          sensor 1 hot
        1s..2s      tech hears by text: Alarm: Cold store / 1 TH-10
        30m..31m    tech hears {REPEATED}
        40m         sensor 1 well
        40m..41m    tech hears Recovered: Cold store / 1 TH-10
    "
    );
    Play::new().await.runs(&lines, "10m").await;
}

#[tokio::test]
async fn nobody_is_told_in_the_place_of_somebody_while_they_are_left_alone() {
    let play = Play::of_dave_and_the_boss(Duration::from_hours(1)).await;
    // The play begins at noon.
    let quiet = r#"{"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "11:00", "until": "15:00"}]}}}"#;
    let lines = format!(
        "
        0s          boss tries sms
        0s          boss prefers {quiet}
        0s          mail refused
        1s          sensor 1 cold
        3h..3h1m    boss hears by text: Held back by quiet hours: 1 standing
    "
    );
    play.runs(&lines, "10m").await;
}

#[tokio::test]
async fn a_digest_that_is_not_taken_goes_on_too() {
    let chosen = r#"{"digest_at": "16:00", "ways": {"alarms": {"email": "digest", "sms": "digest"}}}"#;
    let lines = format!(
        "
        0s          tech tries email sms
        0s          tech prefers {chosen}
        1s          sensor 1 hot
        60s         mail refused
        4h..4h1m    tech hears by text: Digest: 1 standing
    "
    );
    Play::new().await.runs(&lines, "5m").await;
}

#[tokio::test]
async fn mails_and_webhooks_say_what_people_call_the_rule() {
    let play = Play::new().await;
    play.mails("0s sensor 1 hot", "1s").await;
    let letters = play.flow.letters();
    let mail = letters.iter().find(|letter| letter.address.channel() == "email").unwrap();
    assert!(mail.text.contains("[hot]"), "{}", mail.text);
    assert!(mail.forms.html.as_ref().is_some_and(|page| page.contains("<bdi>hot</bdi>")), "{:?}", mail.forms.html);
    let called = letters.iter().find(|letter| letter.address.channel() == "webhook").unwrap();
    assert_eq!(called.data["rules"], json!({ "rule:hot": "hot" }));
}

#[tokio::test]
async fn a_channel_that_asks_for_a_minute_is_given_up_as_others_are() {
    let play = Play::new().await;
    let table = play.flow.cx.table.as_ref();
    let tech = users::get(table, "tech").await.unwrap().unwrap();
    users::put(table, &User { webhook: None, mail: None, phone: Some("+8613800138000".to_owned()), ..tech })
        .await
        .unwrap();
    let busy = jobs::ports::Delivery::TryLater {
        after: Some(Duration::from_mins(1)),
        why: "isv.BUSINESS_LIMIT_CONTROL".to_owned(),
    };
    play.flow.notifier().refuse_channel("sms", Some(busy));
    play.flow.reports([play.flow.climate(1, 40.0, 50.0)]).await;
    play.flow.settle().await;
    for _ in 0..11 * 60 {
        play.flow.sleeps(Duration::from_secs(59));
        play.flow.after(Duration::from_secs(1)).await;
    }
    let first = notices::list(table, "tech", 100, None).await.unwrap().items.pop().unwrap();
    assert_eq!(
        (first.status, play.flow.dead_letters().await),
        (NoticeStatus::Failed, 0),
        "{} attempts, last {:?}",
        first.attempts.len(),
        first.attempts.last()
    );
}
