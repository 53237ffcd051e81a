//! What people do about alarms, through the machine: each act by those who see the alarm, and by nobody else.

use std::time::Duration;

use domain::{
    DeviceId, Source,
    alarm::{Comparison, Condition, Evidence, Fact, Level, Observed, Rule, Severity},
    reading::{Datum, Quality},
};
use engine_http::axum::http::Method;
use jobs::ports::{Push, ToBroker};
use records::alarms;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    machine::{active, hears},
    site::{HERS, OTHER, Site, WORD_LASTS_MS, mac},
};

const ACTS: [&str; 4] = ["acknowledge", "shelve", "unshelve", "reset"];

fn on(terminal: &str) -> Source {
    Source::Device(DeviceId { mac: mac(terminal), pid: 1 })
}

fn hot() -> Rule {
    let (name, is, to, deadband) = ("temperature".to_owned(), Comparison::Greater, 30.0, 0.0);
    Rule::new("threshold:temperature", Condition::Compare { name, is, to, deadband }, Severity::Warning)
}

/// A device says how hot it is, and the machine steps.
async fn says(site: &Site, source: &Source, rule: Rule, celsius: f64) {
    site.clock.advance(Duration::from_secs(10));
    let (name, value, unit) = ("temperature".to_owned(), Datum::Number(celsius), "℃".to_owned());
    let value = Observed { name, value, display: celsius.to_string(), unit, quality: Quality::Good };
    let fact = Fact::Values { values: vec![value] };
    let evidence = Evidence::new(site.now().sortable(), source.clone(), site.now(), fact);
    hears(site, source, rule, &evidence).await;
}

async fn acts(site: &Site, user: &str, alarm: &str, act: &str, body: Value) -> Answer {
    site.post(&format!("/api/alarms/{alarm}/{act}")).by(&site.token(user)).json(&body).send().await
}

async fn service(site: &Site, method: Method, user: &str, terminal: &str, query: &str) -> Answer {
    let path = format!("/api/terminals/{terminal}/out-of-service{query}");
    let body = json!({ "note": "cleaning" });
    site.ask(method, &path).by(&site.token(user)).json(&body).send().await
}

/// Whether something waits to be told.
async fn waits(site: &Site, source: &Source) -> bool {
    !alarms::watch(&*site.table, source).await.unwrap().value.outbox.is_empty()
}

#[tokio::test]
async fn nobody_acts_on_an_alarm_that_they_cannot_see() {
    let site = Site::new().await;
    says(&site, &on(OTHER), hot(), 35.0).await;
    let alarm = active(&site).await;
    let before = site.seen_by("root", &format!("/api/alarms/{alarm}")).await;
    for act in ACTS {
        for user in ["ann", "bob"] {
            assert_eq!(acts(&site, user, &alarm, act, json!({})).await.problem(404), "not-found", "{user} {act}");
        }
        let nobody = site.post(&format!("/api/alarms/{alarm}/{act}")).send().await;
        assert_eq!(nobody.status, 401, "{act}");
    }
    assert_eq!(site.seen_by("root", &format!("/api/alarms/{alarm}")).await, before);
}

#[tokio::test]
async fn nobody_acts_on_what_another_persons_own_rule_raised() {
    let site = Site::new().await;
    records::users::bind(&*site.table, "bob", &mac(HERS)).await.unwrap();
    let own = Rule { id: domain::alarm::owned("ann", "threshold:temperature"), ..hot() };
    says(&site, &on(HERS), own.clone(), 35.0).await;
    let alarm = active(&site).await;
    for act in ACTS {
        assert_eq!(acts(&site, "bob", &alarm, act, json!({})).await.problem(404), "not-found", "{act}");
    }
    let query = format!("?rule={}", own.id);
    let bob = service(&site, Method::PUT, "bob", HERS, &query).await;
    assert_eq!(bob.problem(404), "not-found");
    assert_eq!(service(&site, Method::PUT, "ann", HERS, &query).await.status, 204);
    assert_eq!(site.seen_by("bob", &format!("/api/terminals/{HERS}/out-of-service")).await, json!([]));
}

#[tokio::test]
async fn an_acknowledgement_says_until_when_it_holds() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let alarm = active(&site).await;
    let shown =
        acts(&site, "ann", &alarm, "acknowledge", json!({ "note": "on my way", "for_ms": 60_000 })).await.fine();
    let until = site.now().plus(Duration::from_mins(1));
    let word = json!({ "by": "ann", "at": site.now().rfc3339(), "note": "on my way", "until": until.rfc3339() });
    assert_eq!(shown["acknowledged"], word);
    assert_eq!(shown["events"][0]["kind"], "acknowledged");
    assert_eq!(alarms::watch(&*site.table, &on(HERS)).await.unwrap().value.state.timer(), Some(until));
    assert_eq!(acts(&site, "root", &alarm, "acknowledge", json!({})).await.fine()["acknowledged"], word);
}

#[tokio::test]
async fn an_alarm_is_put_on_the_shelf_and_taken_off_by_those_who_see_it() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let alarm = active(&site).await;
    let body = json!({ "note": "it is being cleaned", "for_ms": 3_600_000 });
    let shown = acts(&site, "ann", &alarm, "shelve", body).await.fine();
    let until = site.now().plus(Duration::from_hours(1)).rfc3339();
    assert_eq!(shown["shelved"], json!({ "by": "ann", "note": "it is being cleaned", "until": until }));
    says(&site, &on(HERS), hot(), 20.0).await;
    let over = site.seen_by("ann", &format!("/api/alarms/{alarm}")).await;
    assert_eq!((&over["shelved"], &over["lasted_ms"]), (&Value::Null, &json!(10_000)));
    says(&site, &on(HERS), hot(), 36.0).await;
    let again = active(&site).await;
    let shown = site.seen_by("ann", &format!("/api/alarms/{again}")).await;
    assert_eq!((&shown["shelved"]["by"], &shown["occurrence"]), (&json!("ann"), &json!(2)));
    assert_eq!(acts(&site, "root", &again, "unshelve", json!({})).await.fine()["shelved"], Value::Null);
    assert!(waits(&site, &on(HERS)).await, "people are told that it stands");
    let watch = alarms::watch(&*site.table, &on(HERS)).await.unwrap().value;
    assert_eq!(watch.timer, Some(site.now()), "by whoever looks at its timer");
    assert_eq!(acts(&site, "ann", &alarm, "shelve", json!({})).await.problem(409), "cleared");
}

#[tokio::test]
async fn a_latched_alarm_is_reset_when_it_is_over_and_acknowledged() {
    let site = Site::new().await;
    let latched = || Rule { latched: true, ..hot() };
    says(&site, &on(HERS), latched(), 35.0).await;
    let alarm = active(&site).await;
    assert_eq!(acts(&site, "ann", &alarm, "reset", json!({})).await.problem(409), "not-over");
    says(&site, &on(HERS), latched(), 20.0).await;
    let over = site.seen_by("ann", &format!("/api/alarms/{alarm}")).await;
    assert_eq!((&over["state"], &over["over_at"]), (&json!("active"), &json!(site.now().rfc3339())));
    assert_eq!(acts(&site, "ann", &alarm, "reset", json!({})).await.problem(409), "not-acknowledged");
    acts(&site, "ann", &alarm, "acknowledge", json!({})).await.fine();
    site.clock.advance(Duration::from_mins(1));
    let reset = acts(&site, "ann", &alarm, "reset", json!({ "note": "looked at" })).await.fine();
    assert_eq!((&reset["state"], &reset["lasted_ms"]), (&json!("cleared"), &json!(10_000)));
    let last = &reset["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["kind"], &last["by"], &last["note"]), (&json!("cleared"), &json!("ann"), &json!("looked at")));
    assert_eq!(acts(&site, "ann", &alarm, "reset", json!({})).await.problem(409), "cleared");
}

#[tokio::test]
async fn nobody_takes_out_of_service_what_they_cannot_see() {
    let site = Site::new().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for user in ["ann", "bob"] {
            let answer = service(&site, method.clone(), user, OTHER, "").await;
            assert_eq!(answer.problem(404), "not-found", "{user} {method}");
        }
        let path = format!("/api/terminals/{OTHER}/out-of-service");
        assert_eq!(site.ask(method, &path).send().await.status, 401);
    }
    assert_eq!(site.seen_by("root", &format!("/api/terminals/{OTHER}/out-of-service")).await, json!([]));
}

#[tokio::test]
async fn a_terminal_is_out_of_service_with_its_devices_until_it_is_put_back() {
    let site = Site::new().await;
    let path = format!("/api/terminals/{HERS}/out-of-service");
    assert_eq!(service(&site, Method::PUT, "ann", HERS, "").await.status, 204);
    let listed = site.seen_by("ann", &path).await;
    let pids: Vec<&Value> = listed.as_array().unwrap().iter().map(|quiet| &quiet["pid"]).collect();
    assert_eq!(pids, [&Value::Null, &json!(1), &json!(2)]);
    let first = json!({ "pid": null, "rule": null, "by": "ann", "note": "cleaning", "since": site.now().rfc3339(), "until": null });
    assert_eq!(listed[0], first);
    says(&site, &on(HERS), hot(), 35.0).await;
    assert!(!waits(&site, &on(HERS)).await, "nobody is told");
    assert_eq!(service(&site, Method::DELETE, "ann", HERS, "?pid=1").await.status, 204);
    assert!(waits(&site, &on(HERS)).await, "now they are");
    assert_eq!(site.seen_by("ann", &path).await.as_array().unwrap().len(), 2);
    assert_eq!(service(&site, Method::PUT, "ann", HERS, "?pid=9").await.problem(404), "not-found");
    for no_rule in
        ["", "nosuch", "rule:nosuch", "threshold:nosuch", "rule:%00", "user:ann:rule:01JZZZZZZZZZZZZZZZZZZZZZZ1"]
    {
        let query = format!("?rule={no_rule}");
        assert_eq!(service(&site, Method::PUT, "ann", HERS, &query).await.problem(404), "not-found", "{no_rule:?}");
    }
    for rule in ["timeout", "offline", "user:ann:offline"] {
        let query = format!("?rule={rule}");
        assert_eq!(service(&site, Method::PUT, "ann", HERS, &query).await.status, 204, "{rule}");
        assert_eq!(service(&site, Method::DELETE, "ann", HERS, &query).await.status, 204, "{rule}");
    }
}

#[tokio::test]
async fn an_alarm_of_which_nothing_is_known_says_what_was_lost_and_since_when_in_the_list_and_alone() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let alarm = active(&site).await;
    site.clock.advance(Duration::from_secs(10));
    let lost = Fact::ParentLost { parent: Source::Node("node-1".to_owned()) };
    hears(&site, &on(HERS), hot(), &Evidence::new("lost", on(HERS), site.now(), lost)).await;
    let unknown = json!({ "cause": { "kind": "node", "name": "node-1" }, "since": site.now().rfc3339() });
    let shown = || async {
        let listed = site.seen_by("ann", "/api/alarms?state=active").await["items"][0].clone();
        assert_eq!(listed, site.seen_by("ann", &format!("/api/alarms/{alarm}")).await);
        listed
    };
    assert_eq!((&shown().await["unknown"], &shown().await["state"]), (&unknown, &json!("active")));
    says(&site, &on(HERS), hot(), 36.0).await;
    assert_eq!(shown().await["unknown"], Value::Null);
}

#[tokio::test]
async fn an_alarm_that_is_out_of_service_says_who_took_it_out_and_its_browsers_look_again() {
    let mut site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    for part in ["", "?pid=1&rule=threshold:temperature"] {
        site.clock.advance(Duration::from_secs(1));
        let taken_out = site.now().rfc3339();
        assert_eq!(service(&site, Method::PUT, "ann", HERS, part).await.status, 204);
        let listed = site.seen_by("ann", "/api/alarms").await["items"][0].clone();
        let by_ann = json!({ "by": "ann", "note": "cleaning", "since": taken_out, "until": null });
        assert_eq!(listed["out_of_service"], by_ann, "{part}");
        assert_eq!(service(&site, Method::DELETE, "ann", HERS, part).await.status, 204);
        let alone = site.seen_by("ann", &format!("/api/alarms/{}", active(&site).await)).await;
        assert_eq!(alone["out_of_service"], Value::Null, "{part}");
    }
    for _ in 0..4 {
        let Ok(ToBroker::Publish { pushes, .. }) = site.inbox.try_recv() else { panic!("browsers are told") };
        assert!(matches!(&pushes[..], [Push { event, .. }] if *event == format!("MacUpdate{HERS}")));
    }
}

#[tokio::test]
async fn a_time_that_cannot_be_and_a_note_that_is_a_book_are_refused() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let alarm = active(&site).await;
    for body in
        [json!({ "for_ms": 0 }), json!({ "for_ms": 1_000_000_000_000_000_u64 }), json!({ "note": "x".repeat(1001) })]
    {
        for act in ACTS {
            assert_eq!(acts(&site, "ann", &alarm, act, body.clone()).await.problem(400), "bad-body", "{act} {body}");
        }
        let path = format!("/api/terminals/{HERS}/out-of-service");
        let refused = site.ask(Method::PUT, &path).by(&site.token("ann")).json(&body).send().await;
        assert_eq!(refused.problem(400), "bad-body");
    }
    assert_eq!(alarms::watch(&*site.table, &on(HERS)).await.unwrap().value.state.newest.len(), 1);
}

#[tokio::test]
async fn when_a_word_holds_no_more_another_may_be_given() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let alarm = active(&site).await;
    let path = format!("/api/alarms/{alarm}");
    acts(&site, "ann", &alarm, "acknowledge", json!({})).await;
    site.clock.advance(Duration::from_millis(WORD_LASTS_MS - 1));
    assert_eq!(acts(&site, "root", &alarm, "acknowledge", json!({})).await.fine()["acknowledged"]["by"], "ann");
    site.clock.advance(Duration::from_millis(1));
    for of_alarm in [site.seen_by("ann", &path).await, site.seen_by("ann", "/api/alarms").await["items"][0].clone()] {
        assert_eq!(of_alarm["acknowledged"], Value::Null);
    }
    assert_eq!(acts(&site, "root", &alarm, "acknowledge", json!({})).await.fine()["acknowledged"]["by"], "root");
    assert_eq!(site.seen_by("ann", &path).await["acknowledged"]["by"], "root");
}

#[tokio::test]
async fn a_word_that_is_given_again_holds_as_long_as_was_said_and_for_what_it_mattered_then() {
    let site = Site::new().await;
    let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
    let above = vec![level(30.0, Severity::Warning), level(40.0, Severity::Critical)];
    let levels = Condition::Levels { name: "temperature".to_owned(), above, below: vec![] };
    let rule = Rule::new("threshold:temperature", levels, Severity::Warning);
    says(&site, &on(HERS), rule.clone(), 35.0).await;
    let alarm = active(&site).await;
    acts(&site, "ann", &alarm, "acknowledge", json!({})).await.fine();
    site.clock.advance(Duration::from_millis(WORD_LASTS_MS));

    let again = acts(&site, "root", &alarm, "acknowledge", json!({ "for_ms": 60_000 })).await.fine();
    assert_ne!(again["acknowledged"]["until"], Value::Null, "{again}");
    says(&site, &on(HERS), rule, 45.0).await;
    let summary = site.seen_by("ann", "/api/alerts/summary").await;
    assert_eq!(summary["unacknowledged"], 1, "it matters more than when the word was given: {summary}");
    let shown = site.seen_by("ann", &format!("/api/alarms/{alarm}")).await;
    let words = shown["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "acknowledged");
    assert_eq!(words.map(|event| &event["by"]).collect::<Vec<_>>(), ["ann", "root"], "each word is in its life");
}

#[tokio::test]
async fn an_act_may_say_that_it_is_json_and_say_nothing() {
    let site = Site::new().await;
    says(&site, &on(HERS), hot(), 35.0).await;
    let path = format!("/api/alarms/{}/acknowledge", active(&site).await);
    let empty = site.post(&path).by(&site.token("ann")).header("content-type", "application/json");
    assert_eq!(empty.send().await.fine()["acknowledged"]["by"], "ann");
}
