//! The adapters of services that check signatures and say no in an answer 200: their fixtures, and what their codes mean.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::join_all};
use jobs::ports::{Address, Chat, ChatApp, Clock, Delivery, Letter, Notifier};
use notify::{NotifySettings, Post, SystemResolver};
use serde_json::{Value, json};
use telltale_tests::{ManualClock, Services};
use tokio::sync::Mutex;

use super::{Fixture, IdAndText, NOWHERE, is_sent, letter, named_by_text, post};

impl Fixture {
    pub(super) async fn aliyun_sms() -> Self {
        let services = services().await;
        let nobody = json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] }, "aliyun_sms": {
            "access_key_id": "a", "access_key_secret": "b", "sign_name": "c", "endpoint": format!("http://{NOWHERE}") } });
        let address = Address::Sms { to: "+8613800138000".to_owned() };
        let read = |taken: &Value| {
            let text = &taken["variables"]["remind"];
            (taken["id"].as_str().unwrap().to_owned(), text.as_str().unwrap().to_owned())
        };
        Self::at_a_service(services, "aliyun", address.clone(), (post(nobody), address), read)
    }

    pub(super) async fn wechat() -> Self {
        let services = services().await;
        let nobody = json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] }, "wechat": {
            "app_id": "a", "app_secret": "b", "template_id": "c", "endpoint": format!("http://{NOWHERE}") } });
        let address = ann();
        let read = |taken: &Value| named_by_text(taken["data"]["remark"]["value"].as_str().unwrap());
        Self::at_a_service(services, "wechat", address.clone(), (post(nobody), address), read)
    }

    pub(super) async fn dingtalk() -> Self {
        Self::chat("dingtalk", ChatApp::DingTalk).await
    }

    pub(super) async fn feishu() -> Self {
        Self::chat("feishu", ChatApp::Feishu).await
    }

    pub(super) async fn slack() -> Self {
        Self::chat("slack", ChatApp::Slack).await
    }

    pub(super) async fn telegram() -> Self {
        Self::chat("telegram", ChatApp::Telegram).await
    }

    async fn chat(service: &'static str, app: ChatApp) -> Self {
        let services = services().await;
        let room = room(&services, service, app);
        let nowhere = Address::Chat(Chat { url: format!("http://{NOWHERE}/hook"), ..room.clone() });
        let nobody = (post(services.settings()), nowhere);
        let read = |taken: &Value| named_by_text(taken["text"].as_str().unwrap());
        Self::at_a_service(services, service, Address::Chat(room), nobody, read)
    }

    fn at_a_service(
        services: Services,
        service: &'static str,
        address: Address,
        nobody: (Arc<dyn Notifier>, Address),
        read: fn(&Value) -> IdAndText,
    ) -> Self {
        let notifier = post(services.settings());
        let services = Arc::new(Mutex::new(services));
        let received = move || {
            let services = Arc::clone(&services);
            async move { services.lock().await.taken(service).await.unwrap().iter().map(read).collect() }.boxed()
        };
        Self { notifier, address, received: Box::new(received), nobody }
    }
}

async fn services() -> Services {
    Services::start(Some(ManualClock::new().now())).await.unwrap()
}

fn room(services: &Services, service: &str, app: ChatApp) -> Chat {
    let (url, secret) = services.room(service);
    Chat {
        app,
        url,
        secret: secret.map(str::to_owned),
        room: (service == "telegram").then(|| "-100".to_owned()),
        edits: None,
    }
}

fn ann() -> Address {
    Address::WeChat { to: "openid-ann".to_owned() }
}

fn to_ann(id: &str) -> Letter {
    letter(id, ann())
}

/// Pauses in seconds of what is tried later; none when it is refused.
fn pause(delivery: &Delivery) -> Option<u64> {
    match delivery {
        Delivery::TryLater { after, .. } => Some(after.map_or(0, |after| after.as_secs())),
        Delivery::Refused { .. } => None,
        Delivery::Sent(receipt) => panic!("{receipt:?}"),
    }
}

#[tokio::test]
async fn wechats_token_is_asked_for_once_by_many_letters_and_again_before_it_ends() {
    let mut services = services().await;
    let clock = Arc::new(ManualClock::new());
    let settings: NotifySettings = serde_json::from_value(services.settings()).unwrap();
    let post = Post::new(settings, Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SystemResolver)).unwrap();
    let letters: Vec<Letter> = (0..20).map(|number| to_ann(&format!("n{number}"))).collect();
    let deliveries = join_all(letters.iter().map(|letter| post.send(letter))).await;
    assert!(deliveries.iter().all(is_sent), "{deliveries:?}");
    assert_eq!(services.tokens().await.unwrap(), (1, 0), "twenty letters at once, and one asks");

    clock.advance(Duration::from_mins(114));
    assert!(is_sent(&post.send(&to_ann("later")).await));
    assert_eq!(services.tokens().await.unwrap(), (1, 0), "it lasts 2 h, and is used up to 5 min before its end");
    clock.advance(Duration::from_mins(2));
    assert!(is_sent(&post.send(&to_ann("at the end")).await));
    assert_eq!(services.tokens().await.unwrap(), (2, 0));
}

#[tokio::test]
async fn a_token_of_wechats_that_does_not_count_any_more_is_replaced_once_for_all_letters() {
    let mut services = services().await;
    let post = post(services.settings());
    assert!(is_sent(&post.send(&to_ann("n1")).await));
    services.spend_token().await.unwrap();
    let letters: Vec<Letter> = (0..10).map(|number| to_ann(&format!("m{number}"))).collect();
    let deliveries = join_all(letters.iter().map(|letter| post.send(letter))).await;
    assert!(deliveries.iter().all(is_sent), "{deliveries:?}");
    assert_eq!(services.tokens().await.unwrap(), (3, 1), "asked for again, which gave the same, and then by force");
    assert_eq!(services.taken("wechat").await.unwrap().len(), 11);
}

#[tokio::test]
async fn a_token_of_wechats_that_never_counts_is_not_asked_for_for_ever() {
    let mut services = services().await;
    let post = post(services.settings());
    assert!(is_sent(&post.send(&to_ann("n1")).await));
    services.spend_token().await.unwrap();
    let spent = json!({ "errcode": 40001, "errmsg": "invalid credential" });
    services.answer("wechat", spent, 4).await.unwrap();
    let delivery = post.send(&to_ann("n2")).await;
    assert_eq!(pause(&delivery), Some(0), "{delivery:?}");
    assert_eq!(services.taken("wechat").await.unwrap().len(), 1);
}

#[tokio::test]
async fn wechats_codes_refuse_a_letter_or_put_it_off() {
    let mut services = services().await;
    let post = post(services.settings());
    for stranger in ["openid-gone", "openid-of-nobody"] {
        let delivery = post.send(&letter("n1", Address::WeChat { to: stranger.to_owned() })).await;
        assert_eq!(pause(&delivery), None, "{stranger}: {delivery:?}");
    }
    for (code, expected) in [(45_009, Some(3600)), (-1, Some(0)), (40_037, Some(0)), (47_003, None)] {
        services.answer("wechat", json!({ "errcode": code, "errmsg": "no" }), 1).await.unwrap();
        assert_eq!(pause(&post.send(&to_ann("n2")).await), expected, "{code}");
    }
}

#[tokio::test]
async fn alibaba_clouds_codes_refuse_a_letter_or_put_it_off() {
    let mut services = services().await;
    let post = post(services.settings());
    let to = |number: &str| letter("n1", Address::Sms { to: number.to_owned() });
    let limit = "isv.BUSINESS_LIMIT_CONTROL";
    for (code, message, expected) in [
        (limit, "触发分钟级流控Permits:1", Some(60)),
        (limit, "触发小时级流控Permits:5", Some(3600)),
        (limit, "触发天级流控Permits:10", None),
        ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足", Some(0)),
        ("isp.SYSTEM_ERROR", "", Some(0)),
        ("Throttling.User", "", Some(0)),
        ("SignatureDoesNotMatch", "", Some(0)),
        ("isv.SMS_TEMPLATE_ILLEGAL", "", Some(0)),
        ("isv.MOBILE_NUMBER_ILLEGAL", "", None),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "", None),
    ] {
        services.answer("aliyun", json!({ "Code": code, "Message": message }), 1).await.unwrap();
        let delivery = post.send(&to("+8613800138000")).await;
        assert_eq!(pause(&delivery), expected, "{code} {message}: {delivery:?}");
    }
    assert_eq!(pause(&post.send(&to("12345")).await), None, "it is no number");
    assert!(is_sent(&post.send(&to("+4915112345678")).await));
    assert_eq!(services.taken("aliyun").await.unwrap()[0]["to"], "4915112345678");
}

#[tokio::test]
async fn a_wrong_secret_is_found_out_by_each_service_that_checks_one() {
    let services = services().await;
    let mut settings = services.settings();
    settings["aliyun_sms"]["access_key_secret"] = json!("another");
    settings["wechat"]["app_secret"] = json!("another");
    let post = post(settings);
    let sms = Address::Sms { to: "+8613800138000".to_owned() };
    for (address, said) in [(sms, "SignatureDoesNotMatch"), (ann(), "40125")] {
        let Delivery::TryLater { why, .. } = post.send(&letter("n1", address)).await else { panic!("{said}") };
        assert!(why.contains(said), "{why}");
    }
    for (service, app, said) in [("dingtalk", ChatApp::DingTalk, "310000"), ("feishu", ChatApp::Feishu, "19021")] {
        let chat = Chat { secret: Some("another".to_owned()), ..room(&services, service, app) };
        let Delivery::Refused { why } = post.send(&letter("n1", Address::Chat(chat))).await else { panic!("{said}") };
        assert!(why.contains(said), "{why}");
    }
}

#[tokio::test]
async fn a_later_letter_to_telegram_changes_the_message_of_an_earlier_one() {
    let mut services = services().await;
    let post = post(services.settings());
    let room = room(&services, "telegram", ChatApp::Telegram);
    let Delivery::Sent(receipt) = post.send(&letter("n1", Address::Chat(room.clone()))).await else {
        panic!("not sent")
    };
    let edits = receipt.message().map(str::to_owned);
    assert!(is_sent(&post.send(&letter("n2", Address::Chat(Chat { edits, ..room.clone() }))).await));
    let gone = Some("77".to_owned());
    assert!(is_sent(&post.send(&letter("n3", Address::Chat(Chat { edits: gone, ..room }))).await));
    let taken: Vec<(Value, Value)> = services
        .taken("telegram")
        .await
        .unwrap()
        .into_iter()
        .map(|taken| (taken["method"].clone(), taken["message"].clone()))
        .collect();
    let said = |method: &str, message: i64| (json!(method), json!(message));
    assert_eq!(taken, [said("sendMessage", 1), said("editMessageText", 1), said("sendMessage", 2)]);
}
