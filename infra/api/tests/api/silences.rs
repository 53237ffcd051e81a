use std::time::Duration;

use domain::{
    Source, Timestamp,
    alarm::{About, Change, ChangeKind, Severity},
    routing::Why,
};
use engine_http::axum::http::{Method, StatusCode};
use records::held::{self, Held};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site, mac},
};

const PATH: &str = "/api/silences";
const INHIBITIONS: &str = "/api/inhibitions";

async fn ask(site: &Site, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token(user)).json(body).send().await
}

fn for_an_hour(site: &Site, matcher: &Value) -> Value {
    let until = site.now().plus(Duration::from_hours(1)).rfc3339();
    json!({ "matcher": matcher, "window": { "kind": "once", "until": until }, "why": "cleaning" })
}

fn everybodys(mut form: Value) -> Value {
    form["everybody"] = json!(true);
    form
}

async fn made(site: &Site, user: &str, form: &Value) -> Value {
    let answer = ask(site, user, Method::POST, PATH, form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

fn path_of(silence: &Value) -> String {
    format!("{PATH}/{}", silence["id"].as_str().unwrap())
}

async fn seen_by(site: &Site, user: &str) -> Vec<Value> {
    site.seen_by(user, PATH).await["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
}

/// Something that is held for a user for a day, with its timer.
async fn holds(site: &Site, user: &str) {
    let about = About { alarm: "a", rule: "timeout", severity: Severity::Warning, since: site.now(), shadow: false };
    let change = Change::of(ChangeKind::Raised, about, site.now(), "");
    let held = Held {
        id: "h".to_owned(),
        user: user.to_owned(),
        channel: "email".to_owned(),
        source: Source::Terminal(mac(HERS)),
        node: None,
        place: String::new(),
        transition: "t".to_owned(),
        transitions: Vec::new(),
        changes: vec![change],
        why: Why::Silence,
        at: site.now(),
        is_by_name: false,
    };
    held::hold(&*site.table, &held, site.now().plus(Duration::from_hours(24))).await.unwrap();
}

/// Whose held notices are looked at now.
async fn looked_at(site: &Site) -> Vec<String> {
    held::due(&*site.table, site.now(), 10).await.unwrap().into_iter().map(|due| due.user).collect()
}

#[tokio::test]
async fn a_silence_is_made_shown_changed_and_ended() {
    let site = Site::new().await;
    let silence = made(&site, "ann", &for_an_hour(&site, &json!({ "terminal": HERS }))).await;
    assert_eq!((&silence["state"], &silence["by"], &silence["owner"]), (&json!("holds"), &json!("ann"), &json!("ann")));
    assert_eq!(silence["until"], json!(site.now().plus(Duration::from_hours(1)).rfc3339()));
    assert_eq!(site.seen_by("ann", &path_of(&silence)).await, silence);
    let weekly = json!({ "matcher": { "rule": "timeout" }, "window": { "kind": "weekly", "calendar": {
        "zone": "Europe/Berlin", "hours": [{ "days": ["sun"], "from": "22:00", "until": "04:00" }] } } });
    let changed = ask(&site, "ann", Method::PUT, &path_of(&silence), &weekly).await.fine();
    assert_eq!((&changed["state"], &changed["until"]), (&json!("pending"), &Value::Null));
    assert_eq!(changed["window"]["calendar"], weekly["window"]["calendar"]);
    holds(&site, "ann").await;
    holds(&site, "bob").await;
    assert_eq!(
        ask(&site, "ann", Method::DELETE, &path_of(&silence), &Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(looked_at(&site).await, ["ann"], "what it held back is told");
    assert_eq!(ask(&site, "ann", Method::GET, &path_of(&silence), &Value::Null).await.problem(404), "not-found");
}

#[tokio::test]
async fn a_silence_that_is_over_is_shown_for_a_while() {
    let site = Site::new().await;
    let silence = made(&site, "ann", &for_an_hour(&site, &json!({}))).await;
    site.clock.advance(Duration::from_hours(2));
    assert_eq!(site.seen_by("ann", &path_of(&silence)).await["state"], "over");
    site.clock.advance(Duration::from_hours(30 * 24));
    assert_eq!(seen_by(&site, "ann").await, Vec::<Value>::new());
}

#[tokio::test]
async fn somebody_silences_for_themselves_alone_and_what_they_may_see() {
    let site = Site::new().await;
    let device = json!({ "device": { "mac": OTHER, "pid": 1 } });
    for foreign in [json!({ "terminal": OTHER }), json!({ "source": device }), json!({ "node": "node-1" })] {
        let form = for_an_hour(&site, &foreign);
        assert_eq!(ask(&site, "ann", Method::POST, PATH, &form).await.problem(404), "not-found");
        made(&site, "root", &form).await;
    }
    let everybody = everybodys(for_an_hour(&site, &json!({})));
    assert_eq!(ask(&site, "ann", Method::POST, PATH, &everybody).await.problem(403), "admins-only");
    let common = made(&site, "root", &everybody).await;
    for method in [Method::PUT, Method::DELETE] {
        let answer = ask(&site, "ann", method, &path_of(&common), &everybody).await;
        assert_eq!(answer.problem(403), "admins-only");
    }
    let hers = made(&site, "ann", &for_an_hour(&site, &json!({ "terminal": HERS }))).await;
    for other in ["bob", "root"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = ask(&site, other, method, &path_of(&hers), &for_an_hour(&site, &json!({}))).await;
            assert_eq!(answer.problem(404), "not-found", "{other}");
        }
    }
    assert_eq!(seen_by(&site, "ann").await, [common["id"].clone(), hers["id"].clone()]);
    assert_eq!(seen_by(&site, "bob").await, [common["id"].clone()]);
    let hers = everybodys(for_an_hour(&site, &json!({})));
    let path = path_of(&made(&site, "root", &for_an_hour(&site, &json!({}))).await);
    assert_eq!(ask(&site, "root", Method::PUT, &path, &hers).await.problem(400), "other-owner");
    for (method, path) in [(Method::GET, PATH), (Method::POST, PATH), (Method::DELETE, path.as_str())] {
        assert_eq!(site.ask(method, path).json(&json!({})).send().await.problem(401), "not-signed-in");
    }
}

#[tokio::test]
async fn silences_are_paged() {
    let site = Site::new().await;
    let common = made(&site, "root", &everybodys(for_an_hour(&site, &json!({})))).await;
    let (first, second) = (made(&site, "ann", &for_an_hour(&site, &json!({}))).await, for_an_hour(&site, &json!({})));
    let second = made(&site, "ann", &second).await;
    let page = site.seen_by("ann", &format!("{PATH}?limit=2")).await;
    let next = page["next"].as_str().unwrap();
    let rest = site.seen_by("ann", &format!("{PATH}?limit=2&after={next}")).await;
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&page), [common["id"].clone(), first["id"].clone()]);
    assert_eq!((ids(&rest), &rest["next"]), (vec![second["id"].clone()], &Value::Null));
}

#[tokio::test]
async fn a_silence_that_makes_no_sense_is_refused() {
    let site = Site::new().await;
    let at = |time: Timestamp| time.rfc3339();
    let (past, ahead) = (at(Timestamp(site.now().0 - 1000)), at(site.now().plus(Duration::from_hours(1))));
    let late = at(site.now().plus(Duration::from_hours(400 * 24)));
    let always = json!({ "zone": "UTC", "hours": [{ "from": "00:00", "until": "00:00" }] });
    for (window, code) in [
        (json!({ "kind": "once", "until": past }), "bad-silence"),
        (json!({ "kind": "once", "from": ahead, "until": ahead }), "bad-silence"),
        (json!({ "kind": "once", "until": late }), "bad-silence"),
        (json!({ "kind": "once", "until": "tomorrow" }), "bad-time"),
        (json!({ "kind": "weekly", "calendar": always }), "bad-silence"),
        (json!({ "kind": "weekly", "calendar": { "zone": "Mars/Base", "hours": [] } }), "bad-body"),
        (json!({ "kind": "never" }), "bad-body"),
    ] {
        let answer = ask(&site, "ann", Method::POST, PATH, &json!({ "window": window })).await;
        assert_eq!(answer.problem(400), code, "{window}");
    }
    let mut typo = for_an_hour(&site, &json!({ "terminals": HERS }));
    assert_eq!(ask(&site, "ann", Method::POST, PATH, &typo).await.problem(400), "bad-body");
    typo = for_an_hour(&site, &json!({}));
    typo["why"] = json!("x".repeat(501));
    assert_eq!(ask(&site, "ann", Method::POST, PATH, &typo).await.problem(400), "bad-silence");
}

#[tokio::test]
async fn administrators_say_which_alarm_speaks_for_which() {
    let site = Site::new().await;
    let form =
        json!({ "standing": { "rule": "offline" }, "mutes": { "rule": "timeout" }, "same": "node", "why": "one line" });
    for (method, path) in
        [(Method::GET, INHIBITIONS), (Method::POST, INHIBITIONS), (Method::DELETE, "/api/inhibitions/x")]
    {
        assert_eq!(ask(&site, "ann", method, path, &form).await.problem(403), "admins-only");
    }
    let answer = ask(&site, "root", Method::POST, INHIBITIONS, &form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    for member in ["standing", "mutes", "same", "why"] {
        assert_eq!(answer.body[member], form[member], "{member}");
    }
    assert_eq!(site.seen_by("root", INHIBITIONS).await["items"], json!([answer.body]));
    let anything = json!({ "standing": {}, "mutes": { "rule": "timeout" } });
    assert_eq!(ask(&site, "root", Method::POST, INHIBITIONS, &anything).await.problem(400), "bad-inhibition");
    holds(&site, "bob").await;
    let path = format!("{INHIBITIONS}/{}", answer.body["id"].as_str().unwrap());
    let gone = ask(&site, "root", Method::DELETE, &path, &Value::Null).await;
    assert_eq!((gone.status, looked_at(&site).await), (StatusCode::NO_CONTENT, vec!["bob".to_owned()]));
    assert_eq!(ask(&site, "root", Method::DELETE, &path, &Value::Null).await.problem(404), "not-found");
}

#[tokio::test]
async fn a_silence_for_everybody_shows_nobody_what_they_may_not_see() {
    let site = Site::new().await;
    let root = async |matcher: Value| made(&site, "root", &everybodys(for_an_hour(&site, &matcher))).await;
    let device = |mac: &str| json!({ "source": { "device": { "mac": mac, "pid": 1 } } });
    let hers = [root(device(HERS)).await, root(json!({ "terminal": HERS })).await];
    let others = [root(device(OTHER)).await, root(json!({ "terminal": OTHER })).await];
    let all = root(json!({ "rule": "timeout" })).await;
    assert_eq!(seen_by(&site, "ann").await.len(), 3);
    assert_eq!(seen_by(&site, "bob").await, [all["id"].clone()]);
    assert_eq!(seen_by(&site, "root").await.len(), 5);
    for silence in &others {
        assert_eq!(ask(&site, "ann", Method::GET, &path_of(silence), &json!({})).await.problem(404), "not-found");
    }
    for silence in &hers {
        assert_eq!(ask(&site, "ann", Method::GET, &path_of(silence), &json!({})).await.status, StatusCode::OK);
    }
}
