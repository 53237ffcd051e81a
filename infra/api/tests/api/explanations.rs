//! Why an alarm is: for those who may see it, and of the notices what they may know.

use std::time::Duration;

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Comparison, Condition, Evidence, Fact, Frame, Frames, Observed, Rule, Severity},
    identity::derived_id,
    reading::{Datum, Quality},
};
use records::{
    Table, Versioned,
    alarms::{self, Alarm, AlarmLife},
    notices::{self, Attempt, EVERYBODY, Notice, NoticeStatus},
};
use serde_json::{Value, json};

use crate::{
    machine::{active, hears},
    site::{HERS, OTHER, Site, mac},
};

const SENT: &str = "010300000002c40b";

fn on(terminal: &str) -> Source {
    Source::Device(DeviceId { mac: mac(terminal), pid: 1 })
}

fn hot() -> Rule {
    let (name, is, to, deadband) = ("temperature".to_owned(), Comparison::Greater, 30.0, 0.0);
    let rule = Rule::new("rule:1", Condition::Compare { name, is, to, deadband }, Severity::Warning);
    Rule { version: Some(3), ..rule }
}

fn value(name: &str, number: f64, unit: &str) -> Observed {
    let (value, display) = (Datum::Number(number), number.to_string());
    Observed { name: name.to_owned(), value, display, unit: unit.to_owned(), quality: Quality::Good }
}

/// A device says how hot it is, and the machine steps.
async fn says(site: &Site, source: &Source, rule: Rule, celsius: f64) {
    site.clock.advance(Duration::from_secs(10));
    let fact = Fact::Values { values: vec![value("temperature", celsius, "℃"), value("humidity", 60.0, "%")] };
    let frames = Frames::of([Frame::new(SENT, &[1, 3, 4], None), Frame::new("bad", &[9], Some("crc"))]);
    let evidence = Evidence::new(site.now().sortable(), source.clone(), site.now(), fact).read_from(frames);
    hears(site, source, rule, &evidence).await;
}

async fn transition(site: &Site, source: &Source) -> String {
    alarms::transitions(&*site.table, source, Timestamp(0), 10, None).await.unwrap().items.remove(0).id
}

/// Somebody was told of a transition some time ago, and the other side took it.
async fn told(site: &Site, user: &str, of: (&Source, &str), at: Timestamp) {
    let (source, transition) = of;
    let notice = Notice {
        id: derived_id(at, &[user, transition]),
        user: user.to_owned(),
        channel: "email".to_owned(),
        source: source.clone(),
        transition: "a later one".to_owned(),
        transitions: vec![transition.to_owned(), "a later one".to_owned()],
        incident: "i1".to_owned(),
        sequence: 1,
        subject: "hot".to_owned(),
        text: "It is hot.".to_owned(),
        at,
        status: NoticeStatus::Sent,
        attempts: vec![Attempt { at, outcome: "250 ok".to_owned() }],
        way: notices::Way::default(),
        facts: None,
    };
    assert!(site.table.write(notices::put_new(&notice).unwrap()).await.unwrap().applied());
}

fn listeners(explained: &Value) -> Vec<&str> {
    let notices = explained["steps"][0]["notices"].as_array().unwrap();
    notices.iter().map(|notice| notice["user"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_alarm_is_explained_from_the_frame_to_the_receipt() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let (alarm, transition) = (active(&site).await, transition(&site, &on(HERS)).await);
    told(&site, "ann", (&on(HERS), &transition), site.now()).await;
    let at = site.now().rfc3339();
    let explained = site.seen_by("ann", &format!("/api/alarms/{alarm}/explain")).await;
    assert_eq!(explained["alarm"], site.seen_by("ann", &format!("/api/alarms/{alarm}")).await);
    assert_eq!(explained["whole"], true);
    let step = &explained["steps"][0];
    assert_eq!((&step["transition"], &step["at"]), (&json!(transition), &json!(at)));
    let change = json!({
        "kind": "raised", "at": at, "since": at, "severity": "warning", "detail": explained["alarm"]["detail"], "told": true,
        "by": null, "note": null,
    });
    assert_eq!(step["changes"], json!([change]));
    let fact = json!({
        "evidence": site.now().sortable(), "at": at, "kind": "values", "began": false, "words": null,
        "values": [{ "name": "temperature", "value": 35.0, "display": "35", "unit": "℃", "quality": "good" }],
        "values_left_out": 0,
        "frames": [
            { "sent": SENT, "reply": "010304", "rejected": null }, { "sent": "bad", "reply": "09", "rejected": "crc" },
        ],
        "frames_left_out": 0,
    });
    assert_eq!(step["cause"]["facts"], json!([fact]));
    let rule = &step["cause"]["rule"];
    assert_eq!((&rule["id"], &rule["version"], &rule["fingerprint"]), (&json!("rule:1"), &json!(3), &Value::Null));
    assert_eq!(
        (&rule["definition"]["condition"]["to"], &rule["definition"]["severity"]),
        (&json!(30.0), &json!("warning"))
    );
    let receipt = &step["notices"][0];
    assert_eq!((&receipt["user"], &receipt["status"]), (&json!("ann"), &json!("sent")));
    assert_eq!(receipt["attempts"], json!([{ "at": at, "outcome": "250 ok" }]));
}

#[tokio::test]
async fn an_alarm_is_explained_to_those_who_see_it_and_to_nobody_else() {
    let site = Site::new().await;
    says(&site, &on(OTHER), hot(), 35.0).await;
    let path = format!("/api/alarms/{}/explain", active(&site).await);
    for user in ["ann", "bob"] {
        assert_eq!(site.get(&path).by(&site.token(user)).send().await.problem(404), "not-found", "{user}");
    }
    assert_eq!(site.get(&path).send().await.status, 401);
    let nonsense = site.get("/api/alarms/nonsense/explain").by(&site.token("root")).send().await;
    assert_eq!(nonsense.problem(404), "not-found");
    assert_eq!(site.seen_by("root", &path).await["steps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_persons_own_rule_raised_is_explained_to_them_and_administrators() {
    let site = Site::new().await;
    records::users::bind(&*site.table, "bob", &mac(HERS)).await.unwrap();
    says(&site, &on(HERS), Rule { id: domain::alarm::owned("ann", "rule:1"), ..hot() }, 35.0).await;
    let path = format!("/api/alarms/{}/explain", active(&site).await);
    let transition = transition(&site, &on(HERS)).await;
    told(&site, "ann", (&on(HERS), &transition), site.now()).await;
    assert_eq!(site.get(&path).by(&site.token("bob")).send().await.problem(404), "not-found");
    for user in ["ann", "root"] {
        assert_eq!(listeners(&site.seen_by(user, &path).await), ["ann"], "{user}");
    }
}

#[tokio::test]
async fn a_user_sees_their_own_notices_and_an_administrator_everybodys() {
    let site = Site::new().await;
    let source = on(HERS);
    says(&site, &source, hot(), 35.0).await;
    let (alarm, transition) = (active(&site).await, transition(&site, &source).await);
    for user in ["ann", "bob", "root", EVERYBODY] {
        site.clock.advance(Duration::from_secs(1));
        told(&site, user, (&source, &transition), site.now()).await;
        told(&site, user, (&source, "another"), site.now()).await;
    }
    // Before the alarm nobody can have been told of it.
    told(&site, "ann", (&source, &transition), site.now().minus(Duration::from_hours(1))).await;
    let path = format!("/api/alarms/{alarm}/explain");
    assert_eq!(listeners(&site.seen_by("ann", &path).await), ["ann"]);
    assert_eq!(listeners(&site.seen_by("root", &path).await), ["ann", "bob", "root", EVERYBODY], "bob was on call");
}

#[tokio::test]
async fn notices_that_are_too_many_to_look_through_are_said_to_be() {
    let site = Site::new().await;
    let source = on(HERS);
    says(&site, &source, hot(), 35.0).await;
    let (alarm, transition) = (active(&site).await, transition(&site, &source).await);
    let path = format!("/api/alarms/{alarm}/explain");
    told(&site, "ann", (&source, &transition), site.now()).await;
    for number in 0..200 {
        site.clock.advance(Duration::from_secs(1));
        told(&site, "ann", (&source, &format!("another {number}")), site.now()).await;
    }
    let explained = site.seen_by("ann", &path).await;
    assert_eq!((listeners(&explained), &explained["whole"]), (vec!["ann"], &json!(false)));
    // The end is looked for from the end on.
    site.clock.advance(Duration::from_hours(1));
    says(&site, &source, hot(), 20.0).await;
    let explained = site.seen_by("ann", &path).await;
    let steps: Vec<&Value> =
        explained["steps"].as_array().unwrap().iter().map(|step| &step["changes"][0]["kind"]).collect();
    assert_eq!(steps, [&json!("raised"), &json!("cleared")]);
}

#[tokio::test]
async fn an_alarm_of_before_causes_were_kept_is_explained_as_far_as_it_goes() {
    let site = Site::new().await;
    let id = derived_id(site.now(), &["old"]);
    let alarm = Alarm {
        id: id.clone(),
        source: on(HERS),
        rule: "timeout".to_owned(),
        severity: Severity::Critical,
        detail: "11 queries in a row without an answer".to_owned(),
        raised_at: site.now(),
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    };
    assert!(
        site.table.transact(alarms::put(&Versioned { value: alarm, version: 0 }).unwrap()).await.unwrap().applied()
    );
    let path = format!("/api/alarms/{id}/explain");
    assert_eq!(site.seen_by("ann", &path).await["steps"], json!([]));
    let change = json!({
        "alarm": id, "rule": "timeout", "severity": "critical", "kind": "raised", "at": site.now(), "since": site.now(),
        "detail": "11 queries in a row without an answer"
    });
    let old =
        json!({ "id": derived_id(site.now(), &["t"]), "source": on(HERS), "at": site.now(), "changes": [change] });
    let old = serde_json::from_value(old).unwrap();
    assert!(site.table.write(alarms::put_transition(&old).unwrap()).await.unwrap().applied());
    let step = &site.seen_by("ann", &path).await["steps"][0];
    assert_eq!((&step["cause"], &step["changes"][0]["kind"]), (&Value::Null, &json!("raised")));
}
