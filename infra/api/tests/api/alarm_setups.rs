use domain::{DeviceId, Source, alarm::Severity};
use engine_http::axum::http::{Method, StatusCode};
use records::{
    Versioned,
    alarms::{self, Alarm, AlarmLife},
    protocols, users,
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, Site, mac},
};

const PATH: &str = "/api/me/alarm-setups/sensor%20protocol";

fn setup(max: f64) -> Value {
    json!({ "Protocol": "sensor protocol", "Threshold": [{ "name": "temperature", "min": null, "max": max }], "AlarmStat": [] })
}

async fn with_protocol() -> Site {
    let site = Site::new().await;
    let document = serde_json::from_value(json!({ "Type": 485, "Protocol": "sensor protocol" })).unwrap();
    protocols::put(&*site.table, &document).await.unwrap();
    site
}

async fn ask(site: &Site, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token(user)).json(body).send().await
}

#[tokio::test]
async fn a_user_says_what_is_normal_for_them_and_takes_it_back() {
    let site = with_protocol().await;
    assert_eq!(ask(&site, "ann", Method::PUT, PATH, &setup(20.0)).await.fine(), setup(20.0));
    assert_eq!(ask(&site, "ann", Method::PUT, PATH, &setup(22.0)).await.fine(), setup(22.0));
    assert_eq!(site.seen_by("ann", PATH).await, setup(22.0));
    assert_eq!(site.seen_by("ann", "/api/me/alarm-setups").await["items"], json!(["sensor protocol"]));
    assert_eq!(ask(&site, "ann", Method::DELETE, PATH, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&site, "ann", Method::GET, PATH, &Value::Null).await.problem(404), "not-found");
    assert_eq!(site.seen_by("ann", "/api/me/alarm-setups").await["items"], json!([]));
}

#[tokio::test]
async fn a_setup_is_its_owners_alone() {
    let site = with_protocol().await;
    ask(&site, "ann", Method::PUT, PATH, &setup(20.0)).await.fine();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let theirs = ask(&site, "bob", method.clone(), PATH, &setup(1.0)).await;
        assert_eq!(theirs.problem(404), "not-found", "{method}: no terminal of his speaks it");
        assert_eq!(site.ask(method, PATH).json(&setup(1.0)).send().await.problem(401), "not-signed-in");
    }
    assert_eq!(site.get("/api/me/alarm-setups").send().await.problem(401), "not-signed-in");
    assert_eq!(site.seen_by("bob", "/api/me/alarm-setups").await["items"], json!([]));
    assert_eq!(ask(&site, "root", Method::PUT, PATH, &setup(30.0)).await.fine(), setup(30.0));
    assert_eq!(site.seen_by("ann", PATH).await, setup(20.0), "an administrator's is another one");
}

#[tokio::test]
async fn a_setup_that_makes_no_sense_is_refused() {
    let site = with_protocol().await;
    let twice = json!({ "name": "temperature", "max": 1 });
    let many: Vec<Value> = (0..501).map(|number| json!({ "name": number.to_string(), "max": 1 })).collect();
    for (body, code) in [
        (json!({ "Protocol": "other" }), "other-name"),
        (json!({ "Protocol": "sensor protocol", "Threshold": [{ "name": "temperature" }] }), "bad-setup"),
        (json!({ "Protocol": "sensor protocol", "Threshold": [twice, twice] }), "bad-setup"),
        (json!({ "Protocol": "sensor protocol", "Threshold": many }), "setup-too-large"),
    ] {
        assert_eq!(ask(&site, "ann", Method::PUT, PATH, &body).await.problem(400), code);
    }
    let unknown = ask(&site, "ann", Method::PUT, "/api/me/alarm-setups/nothing", &setup(1.0)).await;
    assert_eq!(unknown.problem(404), "not-found");
}

#[tokio::test]
async fn an_alarm_of_a_persons_own_rule_is_shown_to_them_and_to_administrators() {
    let site = with_protocol().await;
    users::bind(&*site.table, "bob", &mac(HERS)).await.unwrap();
    let alarm = Alarm {
        id: "01JZZZZZZZZZZZZZZZZZZZZZZZ".to_owned(),
        source: Source::Device(DeviceId { mac: mac(HERS), pid: 1 }),
        rule: "user:ann:threshold:temperature".to_owned(),
        severity: Severity::Warning,
        detail: "temperature 21 ℃, at most 20".to_owned(),
        raised_at: site.now(),
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    };
    let writes = alarms::put(&Versioned { value: alarm.clone(), version: 0 }).unwrap();
    assert!(records::Table::transact(&*site.table, writes).await.unwrap().applied());
    for (user, seen) in [("ann", 1), ("root", 1), ("bob", 0)] {
        let list = site.seen_by(user, "/api/alarms").await;
        assert_eq!(list["items"].as_array().unwrap().len(), seen, "{user}");
    }
    let path = format!("/api/alarms/{}", alarm.id);
    assert_eq!(ask(&site, "bob", Method::GET, &path, &Value::Null).await.problem(404), "not-found");
    let acknowledge = format!("{path}/acknowledge");
    assert_eq!(ask(&site, "bob", Method::POST, &acknowledge, &json!({})).await.problem(404), "not-found");
    ask(&site, "ann", Method::POST, &acknowledge, &json!({})).await.fine();
}
