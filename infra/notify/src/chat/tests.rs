use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    guard::SystemResolver,
    receiver::{Receiver, Then},
};
use jobs::ports::{Address, Forms, Receipt};

const NOW: Timestamp = Timestamp(1_599_360_473_000);

fn letter(subject: &str) -> Letter {
    let address = Address::Email { to: String::new() };
    let (subject, text) = (subject.to_owned(), "It is 90 °C.\n".to_owned());
    Letter { id: "n1".to_owned(), address, subject, text, data: Value::Null, forms: Forms::default() }
}

fn chat(app: ChatApp, url: String) -> Chat {
    Chat { app, url, secret: Some("this is secret".to_owned()), room: Some("-100".to_owned()), edits: None }
}

async fn send(receiver: &Receiver, chat: Chat) -> Delivery {
    let client = GuardedClient::new(vec!["127.0.0.0/8".parse().unwrap()], Arc::new(SystemResolver)).unwrap();
    let url = format!("{}{}", receiver.url(), chat.url);
    ChatChannel::new(client).send(&letter("Pump is <!channel> hot"), &Chat { url, ..chat }, NOW).await
}

async fn answering(status: &str, body: &str) -> Receiver {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    Receiver::that(Then::Answer(answer.into_bytes())).await
}

/// What a chat that answers so makes of a letter.
async fn told(app: ChatApp, status: &str, body: &str) -> Delivery {
    send(&answering(status, body).await, chat(app, String::new())).await
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn dingtalk_gets_a_text_at_a_signed_url() {
    let receiver = answering("200 OK", r#"{"errcode":0,"errmsg":"ok"}"#).await;
    let delivery = send(&receiver, chat(ChatApp::DingTalk, "robot/send?access_token=t".to_owned())).await;
    assert_eq!(delivery, Delivery::Sent(Receipt("errcode 0".to_owned())));
    let request = receiver.requests().concat();
    let sign = hmac_sha256(b"this is secret", b"1599360473000\nthis is secret").unwrap();
    let sign = STANDARD.encode(sign).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let line = format!("POST /robot/send?access_token=t&timestamp=1599360473000&sign={sign} HTTP/1.1");
    assert_eq!(request.lines().next(), Some(line.as_str()));
    let text = "Pump is <!channel> hot\nIt is 90 °C.";
    assert_eq!(body(&request), json!({ "msgtype": "text", "text": { "content": text } }));
}

#[tokio::test]
async fn feishu_gets_a_signed_text() {
    let receiver = answering("200 OK", r#"{"code":0,"msg":"success","data":{}}"#).await;
    let delivery = send(&receiver, chat(ChatApp::Feishu, String::new())).await;
    assert!(matches!(delivery, Delivery::Sent(_)), "{delivery:?}");
    let body = body(&receiver.requests().concat());
    assert_eq!((&body["msg_type"], &body["timestamp"]), (&json!("text"), &json!("1599360473")));
    let sign = STANDARD.encode(hmac_sha256(b"1599360473\nthis is secret", b"").unwrap());
    assert_eq!(body["sign"], sign);
}

#[tokio::test]
async fn slack_gets_a_text_that_rings_for_nobody() {
    let receiver = answering("200 OK", "ok").await;
    let delivery = send(&receiver, chat(ChatApp::Slack, String::new())).await;
    assert!(matches!(delivery, Delivery::Sent(_)), "{delivery:?}");
    let body = body(&receiver.requests().concat());
    assert_eq!(body, json!({ "text": "Pump is &lt;!channel&gt; hot\nIt is 90 °C." }));
}

#[tokio::test]
async fn telegrams_receipt_is_the_message_which_a_later_letter_changes() {
    let receiver = answering("200 OK", r#"{"ok":true,"result":{"message_id":42}}"#).await;
    let bot = || chat(ChatApp::Telegram, "bot123:token".to_owned());
    let Delivery::Sent(receipt) = send(&receiver, bot()).await else { panic!("it is taken") };
    assert_eq!(receipt.message(), Some("42"));
    send(&receiver, Chat { edits: Some("42".to_owned()), ..bot() }).await;
    let requests = receiver.requests();
    assert!(requests[0].starts_with("POST /bot123:token/sendMessage HTTP"), "{}", requests[0]);
    assert!(requests[1].starts_with("POST /bot123:token/editMessageText HTTP"), "{}", requests[1]);
    assert_eq!(body(&requests[1])["message_id"], 42);
}

#[tokio::test]
async fn a_message_that_cannot_be_changed_any_more_is_sent_anew_and_one_that_is_the_same_is_well() {
    let edit = Chat { edits: Some("42".to_owned()), ..chat(ChatApp::Telegram, String::new()) };
    let bad = |said: &str| json!({ "ok": false, "error_code": 400, "description": said }).to_string();
    let gone = answering("400 Bad Request", &bad("Bad Request: message to edit not found")).await;
    send(&gone, edit.clone()).await;
    assert!(gone.requests()[1].starts_with("POST /sendMessage HTTP"));
    let same = answering("400 Bad Request", &bad("Bad Request: message is not modified")).await;
    assert_eq!(send(&same, edit).await, Delivery::Sent(Receipt::of_message("42")));
}

#[tokio::test]
async fn what_each_chat_says_in_its_answer_is_refused_or_tried_later() {
    use ChatApp::{DingTalk, Feishu, Slack, Telegram};
    let fast = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#;
    for (app, status, body, expected) in [
        (DingTalk, "200 OK", r#"{"errcode":310000,"errmsg":"sign not match"}"#, None),
        (DingTalk, "200 OK", r#"{"errcode":300001,"errmsg":"token is not exist"}"#, None),
        (DingTalk, "200 OK", r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some(600)),
        (DingTalk, "200 OK", r#"{"errcode":-1,"errmsg":"系统繁忙"}"#, Some(0)),
        (Feishu, "200 OK", r#"{"code":19021,"msg":"sign match fail"}"#, None),
        (Feishu, "400 Bad Request", r#"{"code":9499,"msg":"Bad Request"}"#, None),
        (Feishu, "200 OK", r#"{"code":11232,"msg":"frequency limited"}"#, Some(60)),
        (Telegram, "429 Too Many Requests", fast, Some(7)),
        (Telegram, "403 Forbidden", r#"{"ok":false,"error_code":403,"description":"bot was kicked"}"#, None),
        (Telegram, "502 Bad Gateway", r#"{"ok":false,"error_code":502,"description":"Bad Gateway"}"#, Some(0)),
        (Slack, "404 Not Found", "no_service", None),
        (Slack, "404 Not Found", "<html>", Some(0)),
        (Slack, "500 Internal Server Error", "rollup_error", Some(0)),
    ] {
        match (told(app, status, body).await, expected) {
            (Delivery::Refused { .. }, None) => {}
            (Delivery::TryLater { after, .. }, Some(seconds)) => {
                assert_eq!(after.map_or(0, |after| after.as_secs()), seconds, "{app:?} {body}");
            }
            (other, _) => panic!("{app:?} {body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_200_that_is_not_the_chats_is_no_receipt() {
    for app in [ChatApp::DingTalk, ChatApp::Feishu, ChatApp::Slack, ChatApp::Telegram] {
        for garbage in ["<html>sign in</html>", "", "\u{0}\u{ff}", "[]", "{}"] {
            let delivery = told(app, "200 OK", garbage).await;
            assert!(matches!(delivery, Delivery::TryLater { .. }), "{app:?} {garbage:?}: {delivery:?}");
        }
    }
}
