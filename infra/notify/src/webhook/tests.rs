use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jobs::ports::{Address, Forms, Receipt};
use sha2::Sha256;

use super::*;
use crate::guard::SystemResolver;
use crate::receiver::{Receiver, Then};

const NOW: Timestamp = Timestamp(1_614_265_330_999);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn letter(id: &str, data: Value) -> Letter {
    Letter {
        id: id.to_owned(),
        address: Address::Webhook { url: String::new(), secret: String::new(), retired: None },
        subject: "Pump is hot".to_owned(),
        text: "It is 90 °C.".to_owned(),
        data,
        forms: Forms::default(),
    }
}

async fn send(receiver: &Receiver, letter: &Letter, secret: &str) -> Delivery {
    let client = GuardedClient::new(vec!["127.0.0.0/8".parse().unwrap()], Arc::new(SystemResolver)).unwrap();
    WebhookChannel::new(client).send(letter, &receiver.url(), &[secret], NOW).await
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

#[tokio::test]
async fn a_receiver_can_verify_what_it_gets() {
    let receiver = Receiver::answering("202 Accepted", "").await;

    let delivery = send(&receiver, &letter("msg_1", json!({"type": "alarm.raised", "value": 90.5})), SECRET).await;

    assert_eq!(delivery, Delivery::Sent(Receipt("202 Accepted".to_owned())));
    let requests = receiver.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1"), "{head}");
    assert_eq!(header(head, "content-type"), "application/json");
    assert_eq!((header(head, "webhook-id"), header(head, "webhook-timestamp")), ("msg_1", "1614265330"));
    let signature = STANDARD.decode(header(head, "webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()).unwrap();
    mac.update(b"msg_1.1614265330.");
    mac.update(body.as_bytes());
    mac.verify_slice(&signature).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({"type": "alarm.raised", "timestamp": "2021-02-25T15:02:10.999Z", "data": {"type": "alarm.raised", "value": 90.5}})
    );
}

#[tokio::test]
async fn data_without_a_type_is_a_notice() {
    let receiver = Receiver::answering("200 OK", "").await;
    send(&receiver, &letter("msg_1", json!({"value": 1})), SECRET).await;
    assert!(receiver.requests()[0].contains(r#""type":"notice""#));
}

#[tokio::test]
async fn a_busy_receiver_says_when_to_come_back() {
    let receiver = Receiver::answering("503 Service Unavailable", "Retry-After: 30\r\n").await;
    let delivery = send(&receiver, &letter("msg_1", Value::Null), SECRET).await;
    let Delivery::TryLater { after, why } = delivery else { panic!("{delivery:?}") };
    assert_eq!(after.unwrap().as_secs(), 30);
    assert!(why.contains("503"), "{why}");
}

#[tokio::test]
async fn a_receiver_that_breaks_off_is_tried_later() {
    let receiver = Receiver::that(Then::HangUp).await;
    let delivery = send(&receiver, &letter("msg_1", Value::Null), SECRET).await;
    assert!(matches!(delivery, Delivery::TryLater { after: None, .. }), "{delivery:?}");
    assert_eq!(receiver.requests().len(), 1, "one attempt is one request");
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_refused() {
    let receiver = Receiver::answering("410 Gone", "").await;
    let delivery = send(&receiver, &letter("msg_1", Value::Null), SECRET).await;
    assert_eq!(delivery, Delivery::Refused { why: "the receiver answered 410 Gone".to_owned() });
}

#[tokio::test]
async fn what_cannot_be_signed_or_sent_is_refused_before_the_call_and_the_secret_is_not_told() {
    let receiver = Receiver::answering("200 OK", "").await;
    for (id, secret) in [("msg_1", "whsec_!hunter2"), ("msg\r\nx-evil: 1", SECRET)] {
        let delivery = send(&receiver, &letter(id, Value::Null), secret).await;
        let Delivery::Refused { why } = delivery else { panic!("{delivery:?}") };
        assert!(!why.contains("hunter2"), "{why}");
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn while_a_secret_is_changed_what_is_sent_is_signed_with_both() {
    let receiver = Receiver::answering("200 OK", "").await;
    let client = GuardedClient::new(vec!["127.0.0.0/8".parse().unwrap()], Arc::new(SystemResolver)).unwrap();
    let old = "whsec_AAAA";
    WebhookChannel::new(client).send(&letter("msg_1", Value::Null), &receiver.url(), &[SECRET, old], NOW).await;
    let request = receiver.requests().concat();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let signed = |secret| signature::sign(secret, "msg_1", 1_614_265_330, body).unwrap();
    assert_eq!(header(head, "webhook-signature"), format!("{} {}", signed(SECRET), signed(old)));
}
