use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::Inspect;
use records::{
    Table,
    channels::{self, Disabled},
    notices::{self, Notice, NoticeStatus, Way},
    users,
};
use serde_json::{Value, json};

use crate::{answer::Answer, site::Site};

const PATH: &str = "/api/channels/webhooks";

fn form() -> Value {
    json!({ "name": "My server", "url": "https://example.org/hook" })
}

fn with(form: &Value, member: &str, value: Value) -> Value {
    let mut form = form.clone();
    form[member] = value;
    form
}

async fn ask(site: &Site, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token(user)).json(body).send().await
}

async fn made(site: &Site, user: &str, form: &Value) -> Value {
    let answer = ask(site, user, Method::POST, PATH, form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

fn path_of(webhook: &Value) -> String {
    format!("{PATH}/{}", webhook["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_secret_is_told_when_it_is_made_and_never_again() {
    let site = Site::new().await;
    let webhook = made(&site, "ann", &form()).await;
    let secret = webhook["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{secret}");
    let path = path_of(&webhook);
    for seen in [site.seen_by("ann", PATH).await, site.seen_by("ann", &path).await] {
        assert!(!seen.to_string().contains("whsec_"), "{seen}");
    }
    let rotated = ask(&site, "ann", Method::POST, &format!("{path}/rotate"), &Value::Null).await.fine();
    assert_ne!(rotated["secret"], secret.as_str());
    let until = site.now().plus(channels::OVERLAP).rfc3339();
    assert_eq!(rotated["overlaps_until"], until);
    let stored = channels::endpoint(&*site.table, "ann", webhook["id"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.value.retired_at(site.now()), Some(secret.as_str()));
    assert_eq!(stored.value.retired_at(site.now().plus(channels::OVERLAP)), None);
    assert!(!format!("{:?}", stored.value).contains(&secret), "nor to a log");
}

#[tokio::test]
async fn a_webhook_is_changed_and_deleted_and_stays_what_it_was_made_as() {
    let site = Site::new().await;
    let path = path_of(&made(&site, "ann", &form()).await);
    let changed = with(&with(&form(), "events", json!(["alarm.raised"])), "name", json!("Another"));
    let answer = ask(&site, "ann", Method::PUT, &path, &changed).await.fine();
    assert_eq!((&answer["name"], &answer["events"]), (&json!("Another"), &json!(["alarm.raised"])));
    let other = with(&form(), "kind", json!("slack"));
    assert_eq!(ask(&site, "ann", Method::PUT, &path, &other).await.problem(400), "other-kind");
    assert_eq!(ask(&site, "ann", Method::DELETE, &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(404), "not-found");
}

#[tokio::test]
async fn a_chats_url_is_not_shown_since_whoever_knows_it_may_write_there() {
    let site = Site::new().await;
    let url = "https://api.telegram.org/bot123:hunter2";
    let telegram = json!({ "name": "Room", "kind": "telegram", "url": url, "chat": "-100" });
    let ding = json!({ "name": "Group", "kind": "ding_talk", "url": "https://oapi.dingtalk.com/robot/send?access_token=hunter2",
        "secret": "SEC-hunter2" });
    for form in [telegram, ding] {
        let webhook = made(&site, "ann", &form).await;
        let seen = site.seen_by("ann", &path_of(&webhook)).await;
        assert!(!webhook.to_string().contains("hunter2") && !seen.to_string().contains("hunter2"), "{webhook} {seen}");
        let changed = ["name", "kind", "url", "chat"].iter().fold(json!({}), |changed, member| {
            if seen[member].is_null() { changed } else { with(&changed, member, seen[member].clone()) }
        });
        let path = path_of(&webhook);
        ask(&site, "ann", Method::PUT, &path, &with(&changed, "name", json!("Renamed"))).await.fine();
        let id = webhook["id"].as_str().unwrap();
        let stored = channels::endpoint(&*site.table, "ann", id).await.unwrap().unwrap().value;
        assert_eq!((stored.url.as_str(), stored.name.as_str()), (form["url"].as_str().unwrap(), "Renamed"));
        let elsewhere = with(&changed, "url", json!("https://example.org/…"));
        assert_eq!(ask(&site, "ann", Method::PUT, &path, &elsewhere).await.problem(400), "bad-webhook");
        let rotate = format!("{}/rotate", path_of(&webhook));
        assert_eq!(ask(&site, "ann", Method::POST, &rotate, &Value::Null).await.problem(400), "not-ours");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let site = Site::new().await;
    for (member, value) in [
        ("name", json!(" ")),
        ("url", json!("ftp://example.org/")),
        ("url", json!("https:///hook")),
        ("url", json!("example.org")),
        ("events", json!(["alarm.rised"])),
        ("secret", json!("mine")),
        ("chat", json!("-100")),
    ] {
        let answer = ask(&site, "ann", Method::POST, PATH, &with(&form(), member, value)).await;
        let place = answer.body["errors"][0].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer.problem(400), "bad-webhook");
        assert!(place.starts_with(member), "{member}: {place}");
    }
    assert_eq!(site.seen_by("ann", PATH).await["items"], json!([]));
}

#[tokio::test]
async fn one_person_has_twenty_webhooks_at_most() {
    let site = Site::new().await;
    for _ in 0..channels::MOST_OF_A_USER {
        made(&site, "ann", &form()).await;
    }
    assert_eq!(ask(&site, "ann", Method::POST, PATH, &form()).await.problem(409), "too-many-webhooks");
    made(&site, "bob", &form()).await;
}

#[tokio::test]
async fn nobody_reaches_anothers_webhook() {
    let site = Site::new().await;
    let webhook = made(&site, "ann", &form()).await;
    let path = path_of(&webhook);
    let since = json!({ "since": "0" });
    for user in ["bob", "root"] {
        for (method, action, body) in [
            (Method::GET, "", &Value::Null),
            (Method::PUT, "", &form()),
            (Method::DELETE, "", &Value::Null),
            (Method::POST, "/rotate", &Value::Null),
            (Method::POST, "/enable", &Value::Null),
            (Method::POST, "/test", &Value::Null),
            (Method::POST, "/replay", &since),
        ] {
            let answer = ask(&site, user, method.clone(), &format!("{path}{action}"), body).await;
            assert_eq!(answer.problem(404), "not-found", "{user} {method} {action}");
        }
        let channel = json!({ "channels": [webhook["channel"]] });
        let answer = ask(&site, user, Method::PUT, "/api/channels/order", &channel).await;
        assert_eq!(answer.problem(400), "no-such-channel", "{user}");
    }
    let after = site.seen_by("ann", &path).await;
    assert_eq!((&after["id"], &after["overlaps_until"]), (&webhook["id"], &Value::Null));
}

#[tokio::test]
async fn nobody_does_anything_without_signing_in() {
    let site = Site::new().await;
    let path = path_of(&made(&site, "ann", &form()).await);
    for (method, path) in [
        (Method::GET, "/api/channels".to_owned()),
        (Method::PUT, "/api/channels/order".to_owned()),
        (Method::POST, "/api/channels/email/test".to_owned()),
        (Method::GET, PATH.to_owned()),
        (Method::POST, PATH.to_owned()),
        (Method::GET, path.clone()),
        (Method::PUT, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/rotate")),
        (Method::POST, format!("{path}/enable")),
        (Method::POST, format!("{path}/test")),
        (Method::POST, format!("{path}/replay")),
    ] {
        assert_eq!(site.ask(method, &path).json(&form()).send().await.problem(401), "not-signed-in", "{path}");
    }
}

#[tokio::test]
async fn channels_stand_in_the_order_their_owner_chose() {
    let site = Site::new().await;
    let ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
    let ann = users::User { mail: Some("ann@example.org".to_owned()), wechat: Some("openid".to_owned()), ..ann };
    users::put(&*site.table, &ann).await.unwrap();
    let webhook = made(&site, "ann", &form()).await["channel"].clone();
    let names =
        |list: &Value| list["items"].as_array().unwrap().iter().map(|item| item["channel"].clone()).collect::<Vec<_>>();
    let list = site.seen_by("ann", "/api/channels").await;
    assert_eq!(
        (names(&list), &list["one_by_one"]),
        (vec![json!("email"), json!("wechat"), webhook.clone()], &json!(false))
    );
    let order = json!({ "channels": [webhook, "wechat"], "one_by_one": true });
    let list = ask(&site, "ann", Method::PUT, "/api/channels/order", &order).await.fine();
    assert_eq!((names(&list), &list["one_by_one"]), (vec![webhook, json!("wechat"), json!("email")], &json!(true)));
}

async fn notice(site: &Site, channel: &str, id: &str, status: NoticeStatus) {
    let notice = Notice {
        id: id.to_owned(),
        user: "ann".to_owned(),
        channel: channel.to_owned(),
        source: domain::Source::Node("n".to_owned()),
        transition: id.to_owned(),
        transitions: Vec::new(),
        incident: String::new(),
        sequence: 0,
        subject: String::new(),
        text: String::new(),
        at: site.now(),
        status,
        attempts: Vec::new(),
        way: Way::default(),
        facts: None,
    };
    assert!(site.table.write(notices::put_new(&notice).unwrap()).await.unwrap().applied());
}

#[tokio::test]
async fn what_failed_there_is_sent_again_and_nothing_else() {
    let site = Site::new().await;
    let webhook = made(&site, "ann", &form()).await;
    let (path, channel) = (path_of(&webhook), webhook["channel"].as_str().unwrap());
    notice(&site, channel, "n1", NoticeStatus::Failed).await;
    notice(&site, channel, "n2", NoticeStatus::Sent).await;
    notice(&site, "email", "n3", NoticeStatus::Failed).await;
    let replay = async |since: String| {
        ask(&site, "ann", Method::POST, &format!("{path}/replay"), &json!({ "since": since })).await
    };
    let later = site.now().plus(std::time::Duration::from_secs(1)).rfc3339();
    assert_eq!(replay(later).await.fine()["replayed"], 0);
    assert_eq!(replay(site.now().rfc3339()).await.fine()["replayed"], 1);
    assert_eq!(replay(site.now().rfc3339()).await.fine()["replayed"], 0, "it is on its way by now");
    let waiting = site.queue.waiting("deliver_notice", 10).await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.message.key.as_str()).collect::<Vec<_>>(), ["n1"]);
    assert_eq!(replay("yesterday".to_owned()).await.problem(400), "bad-time");
}

#[tokio::test]
async fn a_disabled_webhook_shows_it_and_is_enabled_again() {
    let site = Site::new().await;
    let webhook = made(&site, "ann", &form()).await;
    let path = path_of(&webhook);
    let mut stored = channels::endpoint(&*site.table, "ann", webhook["id"].as_str().unwrap()).await.unwrap().unwrap();
    stored.value.disabled = Some(Disabled { at: site.now(), why: "it took nothing".to_owned() });
    assert!(site.table.write(channels::put_endpoint(&stored).unwrap()).await.unwrap().applied());
    assert_eq!(site.seen_by("ann", &path).await["disabled"]["why"], "it took nothing");
    let replay = ask(&site, "ann", Method::POST, &format!("{path}/replay"), &json!({ "since": "0" })).await;
    assert_eq!(replay.problem(409), "webhook-disabled");
    let enabled = ask(&site, "ann", Method::POST, &format!("{path}/enable"), &Value::Null).await.fine();
    assert_eq!(enabled["disabled"], Value::Null);
}
