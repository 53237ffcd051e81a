//! What SNS and SES say of single people.

use std::{future::pending, sync::Arc};

use axum::Router;
use jobs::ports::{Address, Delivery, Forms, Letter, Notifier, Receipt};
use notify::{AwsChannels, NotifySettings, Post, SesSettings, SmsSettings, SystemResolver};
use serde_json::Value;
use telltale_tests::{Aws, ManualClock, PATIENCE};
use tokio::{net::TcpListener, time::timeout};

async fn send(aws: &Aws, address: Address) -> Delivery {
    send_by(&engine_aws::emulated(aws.endpoint()).await, address).await
}

async fn send_by(aws: &engine_aws::SdkConfig, address: Address) -> Delivery {
    let channels = AwsChannels {
        ses: Some(SesSettings { from: "nobody@example.org".to_owned(), configuration_set: None }),
        sms: Some(SmsSettings { enabled: true, sender_id: None }),
        topics: None,
    };
    let post = Post::new(NotifySettings::default(), Arc::new(ManualClock::new()), Arc::new(SystemResolver)).unwrap();
    let post = post.with_aws(aws, channels).unwrap();
    let (subject, text) = ("Alarm".to_owned(), "It is hot.".to_owned());
    post.send(&Letter { id: "n1".to_owned(), address, subject, text, data: Value::Null, forms: Forms::default() }).await
}

/// Why a letter is never sent.
async fn why_refused(aws: &Aws, address: Address) -> String {
    match send(aws, address).await {
        Delivery::Refused { why } => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn who_wants_no_text_messages_gets_none() {
    let mut aws = Aws::start().await.unwrap();
    // The emulator takes every number that ends so for one.
    let why = why_refused(&aws, Address::Sms { to: "+120655501099".to_owned() }).await;
    assert!(why.contains("opted out"), "{why}");
    assert_eq!(aws.sent().await.unwrap().sms, []);
}

#[tokio::test]
async fn what_is_no_number_is_not_dialled() {
    let mut aws = Aws::start().await.unwrap();
    for number in ["", "0", "2065550100", "+1206555010x", "tel:+12065550100"] {
        let why = why_refused(&aws, Address::Sms { to: number.to_owned() }).await;
        assert!(why.contains("E.164"), "{number}: {why}");
    }
    assert_eq!(aws.sent().await.unwrap().sms, []);
}

#[tokio::test]
async fn a_number_that_is_written_like_home_is_dialled_in_full() {
    let mut aws = Aws::start().await.unwrap();
    let sent = send(&aws, Address::Sms { to: "138 0013 8000".to_owned() }).await;
    assert!(matches!(sent, Delivery::Sent(_)), "{sent:?}");
    let sms = aws.sent().await.unwrap().sms;
    assert_eq!((sms[0].to.as_str(), sms[0].text.as_str()), ("+8613800138000", "Alarm\nIt is hot."));
}

#[tokio::test]
async fn a_letter_from_a_sender_that_ses_does_not_know_yet_is_tried_later() {
    let aws = Aws::start().await.unwrap();
    let sent = send(&aws, Address::Email { to: "ann@example.org".to_owned() }).await;
    let Delivery::TryLater { why, .. } = sent else { panic!("not tried later: {sent:?}") };
    assert!(why.contains("MessageRejected"), "{why}");
}

/// An SNS that says nothing to who asks for those that opted out, and takes every message.
async fn sns_that_hangs_when_asked() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = async |request: String| {
        if request.contains("Action=CheckIfPhoneNumberIsOptedOut") {
            pending::<()>().await;
        }
        "<PublishResponse><PublishResult><MessageId>m1</MessageId></PublishResult></PublishResponse>"
    };
    let sns = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, sns).await });
    endpoint
}

#[tokio::test]
async fn who_cannot_be_asked_whether_they_want_text_messages_is_sent_them_all_the_same() {
    let config = engine_aws::emulated(&sns_that_hangs_when_asked().await).await;
    // Without the SDK's own limits on time: the question has one of its own, which leaves time for the message.
    let mut config = config.into_builder();
    config.set_timeout_config(None);
    let config = config.build();
    let sending = send_by(&config, Address::Sms { to: "+12065550100".to_owned() });
    let sent = timeout(PATIENCE, sending).await.expect("it does not ask for ever");
    assert!(matches!(sent, Delivery::Sent(Receipt(ref id)) if id == "m1"), "{sent:?}");
}
