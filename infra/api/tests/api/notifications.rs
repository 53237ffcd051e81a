use domain::{
    Source,
    alarm::Severity,
    routing::{Category, Preferences},
};
use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{Audience, Push, ToBroker};
use records::{
    Table,
    inbox::{self, Entry},
    preferences, users,
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, Site, mac},
};

const PATH: &str = "/api/notifications";

fn id(number: u32) -> String {
    format!("{number:026}")
}

/// Tells a user the notification of that number: of odd ones that something is critical, of even ones that it recovered.
async fn told(site: &Site, user: &str, number: u32) {
    let is_odd = number % 2 == 1;
    let entry = Entry {
        id: id(number),
        category: Some(if is_odd { Category::Alarms } else { Category::Recoveries }),
        severity: if is_odd { Severity::Critical } else { Severity::Info },
        title: format!("notification {number}"),
        content: "text".to_owned(),
        source: Some(Source::Terminal(mac(HERS))),
        transition: Some("t1".to_owned()),
        at: site.now(),
        read_at: None,
    };
    assert!(site.table.transact(inbox::put_new(user, &entry).unwrap()).await.unwrap().applied());
}

async fn of_ann(count: u32) -> Site {
    let site = Site::new().await;
    for number in 1..=count {
        told(&site, "ann", number).await;
    }
    site
}

async fn ask(site: &Site, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, &format!("{PATH}{path}")).by(&site.token(user)).json(body).send().await
}

async fn found(site: &Site, user: &str, query: &str) -> Vec<String> {
    let list = site.seen_by(user, &format!("{PATH}{query}")).await;
    list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn unread(site: &Site, user: &str) -> Value {
    site.seen_by(user, &format!("{PATH}/unread-count")).await["unread"].clone()
}

/// What the user's browsers were told since.
fn pushed(site: &mut Site) -> Vec<Value> {
    let mut all = Vec::new();
    while let Ok(ToBroker::Publish { pushes, .. }) = site.inbox.try_recv() {
        all.extend(pushes);
    }
    let of_ann = |push: Push| {
        assert_eq!((push.event.as_str(), push.audience), ("notification", Audience::User("ann".to_owned())));
        push.data
    };
    all.into_iter().map(of_ann).collect()
}

#[tokio::test]
async fn a_notification_is_shown_to_whom_it_was_told() {
    let site = of_ann(1).await;
    let expected = json!([{
        "id": id(1),
        "type": "alarms",
        "priority": "critical",
        "title": "notification 1",
        "content": "text",
        "source": format!("terminal:{HERS}"),
        "transition": "t1",
        "created_at": site.now().rfc3339(),
        "is_read": false,
        "read_at": null,
    }]);
    assert_eq!(site.seen_by("ann", PATH).await["items"], expected);
    assert_eq!((found(&site, "bob", "").await, found(&site, "root", "").await), (Vec::new(), Vec::new()));
    assert_eq!((unread(&site, "ann").await, unread(&site, "bob").await), (json!(1), json!(0)));
}

#[tokio::test]
async fn notifications_are_found_by_what_they_are_and_paged_newest_first() {
    let site = of_ann(6).await;
    ask(&site, "ann", Method::PUT, &format!("/{}/read", id(5)), &json!({})).await.fine();
    let ids = |numbers: &[u32]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
    assert_eq!(found(&site, "ann", "").await, ids(&[6, 5, 4, 3, 2, 1]));
    assert_eq!(found(&site, "ann", "?isRead=false").await, ids(&[6, 4, 3, 2, 1]));
    assert_eq!(found(&site, "ann", "?isRead=true").await, ids(&[5]));
    assert_eq!(found(&site, "ann", "?type=recoveries").await, ids(&[6, 4, 2]));
    assert_eq!(found(&site, "ann", "?priority=critical&isRead=false").await, ids(&[3, 1]));
    let first = site.seen_by("ann", &format!("{PATH}?limit=2&type=alarms")).await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(found(&site, "ann", &format!("?limit=2&type=alarms&after={next}")).await, ids(&[1]));
    let strange = ask(&site, "ann", Method::GET, "?type=weather", &json!({})).await;
    assert_eq!(strange.problem(400), "bad-query");
}

#[tokio::test]
async fn to_mark_twice_changes_nothing_and_all_browsers_hear_of_the_first() {
    let mut site = of_ann(3).await;
    let path = format!("/{}/read", id(2));
    let first = ask(&site, "ann", Method::PUT, &path, &json!({})).await.fine();
    assert_eq!(first, json!({ "changed": 1, "unread": 2 }));
    assert_eq!(pushed(&mut site), [json!({ "change": "read", "ids": [id(2)], "unread": 2 })]);
    let second = ask(&site, "ann", Method::PUT, &path, &json!({})).await.fine();
    assert_eq!((second, pushed(&mut site)), (json!({ "changed": 0, "unread": 2 }), Vec::new()));
}

#[tokio::test]
async fn all_are_read_at_once_and_what_is_deleted_is_gone_and_not_counted() {
    let mut site = of_ann(250).await;
    let gone = ask(&site, "ann", Method::DELETE, &format!("/{}", id(7)), &json!({})).await;
    assert_eq!((gone.status, unread(&site, "ann").await), (StatusCode::NO_CONTENT, json!(249)));
    assert_eq!(pushed(&mut site), [json!({ "change": "deleted", "ids": [id(7)], "unread": 249 })]);
    let all = ask(&site, "ann", Method::PUT, "/read-all", &json!({})).await.fine();
    assert_eq!((all, unread(&site, "ann").await), (json!({ "changed": 249, "unread": 0 }), json!(0)));
    assert_eq!(pushed(&mut site), [json!({ "change": "read_all", "unread": 0 })]);
    let again = ask(&site, "ann", Method::DELETE, &format!("/{}", id(7)), &json!({})).await;
    assert_eq!(again.problem(404), "not-found");
}

#[tokio::test]
async fn many_are_marked_or_deleted_by_their_ids() {
    let mut site = of_ann(4).await;
    let bulk = |action: &str, ids: &[String]| json!({ "action": action, "ids": ids });
    let some = [id(1), id(3), id(3), id(99), "no id".to_owned()];
    let read = ask(&site, "ann", Method::POST, "/bulk", &bulk("read", &some)).await.fine();
    assert_eq!(read, json!({ "changed": 2, "unread": 2 }));
    assert_eq!(pushed(&mut site), [json!({ "change": "read", "ids": [id(1), id(3)], "unread": 2 })]);
    let gone = ask(&site, "ann", Method::POST, "/bulk", &bulk("delete", &[id(3), id(4)])).await.fine();
    assert_eq!((gone, found(&site, "ann", "").await), (json!({ "changed": 2, "unread": 1 }), vec![id(2), id(1)]));
    let many: Vec<String> = (0..201).map(id).collect();
    assert_eq!(ask(&site, "ann", Method::POST, "/bulk", &bulk("read", &many)).await.problem(400), "too-many-ids");
}

#[tokio::test]
async fn the_count_is_right_however_many_mark_at_once() {
    let site = of_ann(12).await;
    let path = |number: u32| format!("/{}/read", id(number));
    let marks = (0..48).map(|turn| {
        let number = turn % 12 + 1;
        let site = &site;
        async move {
            match turn % 3 {
                0 => ask(site, "ann", Method::PUT, &path(number), &json!({})).await.status,
                1 => ask(site, "ann", Method::PUT, "/read-all", &json!({})).await.status,
                _ if number <= 6 => {
                    ask(site, "ann", Method::DELETE, &format!("/{}", id(number)), &json!({})).await.status
                }
                _ => ask(site, "ann", Method::GET, "/unread-count", &json!({})).await.status,
            }
        }
    });
    let ended = futures::future::join_all(marks).await;
    assert!(ended.iter().all(|status| !status.is_server_error()), "{ended:?}");
    assert_eq!((unread(&site, "ann").await, found(&site, "ann", "?isRead=false").await), (json!(0), Vec::new()));
    told(&site, "ann", 20).await;
    assert_eq!(unread(&site, "ann").await, json!(1));
}

#[tokio::test]
async fn nobody_reads_marks_or_deletes_anothers() {
    let site = of_ann(2).await;
    for other in ["bob", "root"] {
        let read = ask(&site, other, Method::PUT, &format!("/{}/read", id(1)), &json!({})).await;
        assert_eq!(read.problem(404), "not-found");
        let delete = ask(&site, other, Method::DELETE, &format!("/{}", id(1)), &json!({})).await;
        assert_eq!(delete.problem(404), "not-found");
        ask(&site, other, Method::PUT, "/read-all", &json!({})).await.fine();
        let body = json!({ "action": "delete", "ids": [id(1), id(2)] });
        assert_eq!(ask(&site, other, Method::POST, "/bulk", &body).await.fine()["changed"], 0);
    }
    assert_eq!((unread(&site, "ann").await, found(&site, "ann", "").await.len()), (json!(2), 2));
    let one = format!("/{}/read", id(1));
    for (method, path) in [
        (Method::GET, ""),
        (Method::GET, "/unread-count"),
        (Method::GET, "/preferences"),
        (Method::PUT, "/preferences"),
        (Method::PUT, "/read-all"),
        (Method::PUT, one.as_str()),
        (Method::POST, "/bulk"),
        (Method::DELETE, &one[..27]),
    ] {
        let answer = site.ask(method, &format!("{PATH}{path}")).json(&json!({})).send().await;
        assert_eq!(answer.problem(401), "not-signed-in", "{path}");
    }
}

#[tokio::test]
async fn somebody_says_how_they_are_told_and_sees_what_comes_of_it() {
    let site = Site::new().await;
    let mut ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
    (ann.mail, ann.phone) = (Some("ann@example.org".to_owned()), Some("+8613800138000".to_owned()));
    users::put(&*site.table, &ann).await.unwrap();
    let unchosen = site.seen_by("ann", &format!("{PATH}/preferences")).await;
    assert_eq!(unchosen["effective"]["alarms"], json!({ "email": "now", "sms": "now", "inbox": "now" }));
    let one_is_enough = json!({ "email": "off", "sms": "now", "inbox": "now" });
    assert_eq!(unchosen["effective"]["connections"], one_is_enough);
    let chosen = json!({ "zone": "Asia/Shanghai", "digest_at": "07:30", "sms_a_day": 5,
        "quiet": { "calendar": { "zone": "Asia/Shanghai", "hours": [{ "from": "22:00", "until": "07:00" }] } },
        "ways": { "alarms": { "sms": "digest" }, "connections": { "email": "now" } } });
    let stored = ask(&site, "ann", Method::PUT, "/preferences", &chosen).await.fine();
    assert_eq!(stored["chosen"]["quiet"]["passes"], "critical");
    assert_eq!(stored["effective"]["alarms"]["sms"], "digest");
    assert_eq!(stored["effective"]["connections"]["email"], "now");
    assert_eq!(site.seen_by("ann", &format!("{PATH}/preferences")).await, stored);
    assert_eq!(preferences::get(&*site.table, "bob").await.unwrap(), Preferences::default());
}

#[tokio::test]
async fn preferences_that_make_no_sense_are_refused() {
    let site = Site::new().await;
    let always = json!({ "zone": "UTC", "hours": [{ "from": "00:00", "until": "00:00" }] });
    for (body, code) in [
        (json!({ "zone": "Mars/Base" }), "bad-body"),
        (json!({ "digest_at": "25:00" }), "bad-body"),
        (json!({ "digest_at": "7" }), "bad-body"),
        (json!({ "quiet_hours": null }), "bad-body"),
        (json!({ "quiet": { "calendar": always } }), "bad-preferences"),
        (json!({ "ways": { "alarms": { "inbox": "off" } } }), "bad-preferences"),
        (json!({ "ways": { "weather": { "sms": "off" } } }), "bad-body"),
        (json!({ "ways": { "alarms": { "x".repeat(41): "off" } } }), "bad-preferences"),
    ] {
        assert_eq!(ask(&site, "ann", Method::PUT, "/preferences", &body).await.problem(400), code, "{body}");
    }
}
