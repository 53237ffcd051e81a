use std::sync::{Arc, Mutex};

use domain::{DeviceId, Source, Timestamp, alarm::Severity};
use records::{
    Table, Versioned,
    alarms::{self, Acknowledgement, Alarm, AlarmLife},
};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::{
    site::{HERS, OTHER, Site, mac},
    tables::Contended,
};

fn id(number: u128) -> String {
    Ulid::from(number).to_string()
}

fn on(terminal: &str) -> Source {
    Source::Device(DeviceId { mac: mac(terminal), pid: 1 })
}

fn alarm(number: u128, source: Source) -> Alarm {
    Alarm {
        id: id(number),
        source,
        rule: "threshold:temperature".to_owned(),
        severity: Severity::Warning,
        detail: "temperature 35.2 ℃, limits 10 ~ 30".to_owned(),
        raised_at: Timestamp(1_700_000_000_000),
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    }
}

fn cleared(alarm: Alarm) -> Alarm {
    Alarm { cleared_at: Some(Timestamp(1_700_000_060_000)), cleared_by: Some("temperature 25 ℃".to_owned()), ..alarm }
}

async fn store(site: &Site, alarm: Alarm) {
    let writes = alarms::put(&Versioned { value: alarm, version: 0 }).unwrap();
    assert!(site.table.transact(writes).await.unwrap().applied());
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|alarm| alarm["id"].as_str().unwrap().to_owned()).collect()
}

async fn found(site: &Site, user: &str, query: &str) -> Vec<u128> {
    let list = site.seen_by(user, &format!("/api/alarms{query}")).await;
    ids(&list).iter().map(|id| u128::from(Ulid::from_string(id).unwrap())).collect()
}

/// 1 and 2 hers, 3 and 4 another's, 5 a node's; 2 and 4 are over.
async fn five_alarms() -> Site {
    let site = Site::new().await;
    store(&site, alarm(1, on(HERS))).await;
    store(&site, cleared(alarm(2, Source::Terminal(mac(HERS))))).await;
    store(&site, alarm(3, on(OTHER))).await;
    store(&site, cleared(alarm(4, on(OTHER)))).await;
    store(&site, alarm(5, Source::Node("node-2".to_owned()))).await;
    site
}

#[tokio::test]
async fn an_administrator_finds_all_alarms_newest_first() {
    let site = five_alarms().await;
    assert_eq!(found(&site, "root", "").await, [5, 4, 3, 2, 1]);
    assert_eq!(found(&site, "root", "?state=active").await, [5, 3, 1]);
    assert_eq!(found(&site, "root", "?state=cleared").await, [4, 2]);
    assert_eq!(found(&site, "root", &format!("?terminal={OTHER}")).await, [4, 3]);
    assert_eq!(found(&site, "root", &format!("?terminal={OTHER}&state=active")).await, [3]);
}

#[tokio::test]
async fn an_alarm_of_the_platform_is_shown_to_administrators_and_to_nobody_else() {
    let site = five_alarms().await;
    let need = domain::Need { part: "broker:8081".to_owned(), needs: "queue".to_owned() };
    store(&site, alarm(6, Source::Platform(need))).await;
    assert_eq!(found(&site, "root", "?state=active").await, [6, 5, 3, 1]);
    assert_eq!(found(&site, "ann", "?state=active").await, [1]);
    let list = site.seen_by("root", "/api/alarms?limit=1").await;
    assert_eq!(list["items"][0]["source"], json!({ "kind": "platform", "part": "broker:8081", "needs": "queue" }));
    let path = format!("/api/alarms/{}", ids(&list)[0]);
    assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(404), "not-found");
}

#[tokio::test]
async fn a_user_finds_the_alarms_of_their_terminals_alone() {
    let site = five_alarms().await;
    assert_eq!(found(&site, "ann", "").await, [2, 1]);
    assert_eq!(found(&site, "ann", "?state=active").await, [1]);
    assert_eq!(found(&site, "ann", &format!("?terminal={HERS}&state=cleared")).await, [2]);
    assert_eq!(found(&site, "bob", "").await, [0_u128; 0]);
    let foreign = site.get(&format!("/api/alarms?terminal={OTHER}")).by(&site.token("ann")).send().await;
    assert_eq!(foreign.problem(404), "not-found");
}

#[tokio::test]
async fn a_user_sees_the_alarms_of_a_node_that_their_terminal_hangs_on_and_of_no_other() {
    let site = five_alarms().await;
    store(&site, alarm(6, Source::Node("node-1".to_owned()))).await;
    store(&site, cleared(alarm(7, Source::Node("node-1".to_owned())))).await;
    assert_eq!(found(&site, "ann", "").await, [7, 6, 2, 1]);
    assert_eq!(found(&site, "ann", "?state=active").await, [6, 1]);
    assert_eq!(found(&site, "ann", &format!("?terminal={HERS}")).await, [2, 1], "a terminal's own");
    assert_eq!(found(&site, "bob", "").await, [0_u128; 0], "nothing of his hangs there");
    let path = format!("/api/alarms/{}", id(6));
    assert_eq!(site.seen_by("ann", &path).await["source"]["name"], "node-1");
    for refused in [site.get(&path), site.post(&format!("{path}/acknowledge")), site.post(&format!("{path}/shelve"))] {
        assert_eq!(refused.by(&site.token("bob")).send().await.problem(404), "not-found");
    }
    let acknowledged = site.post(&format!("{path}/acknowledge")).by(&site.token("ann")).send().await.fine();
    assert_eq!(acknowledged["acknowledged"]["by"], "ann");
}

/// Every alarm that these pages hold, in their order.
async fn paged(site: &Site, user: &str, query: &str) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = site.seen_by(user, &format!("/api/alarms?limit=20{query}{after}")).await;
        assert!(ids(&page).len() <= 20);
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { return seen };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn pages_go_on_across_terminals_without_gap_or_repetition() {
    let site = Site::new().await;
    records::users::bind(&*site.table, "ann", &mac(OTHER)).await.unwrap();
    // Many in a row on one terminal, the newest of them active: what is read of one list ends long before the other,
    // and much of it is not wanted.
    let is_active = |number: u128| number > 80 && !number.is_multiple_of(25);
    for number in 1..=150 {
        let alarm = alarm(number, on(if number.is_multiple_of(25) { OTHER } else { HERS }));
        store(&site, if is_active(number) { alarm } else { cleared(alarm) }).await;
    }
    for user in ["ann", "root"] {
        let all: Vec<String> = (1..=150).rev().map(id).collect();
        assert_eq!(paged(&site, user, "").await, all, "{user}");
        let over: Vec<String> = (1..=150).rev().filter(|number| !is_active(*number)).map(id).collect();
        assert_eq!(paged(&site, user, "&state=cleared").await, over, "{user}");
    }
}

#[tokio::test]
async fn an_alarm_is_shown_with_its_life() {
    let site = five_alarms().await;
    let expected = json!({
        "id": id(1),
        "source": { "kind": "device", "mac": HERS, "pid": 1 },
        "rule": "threshold:temperature",
        "severity": "warning",
        "state": "active",
        "detail": "temperature 35.2 ℃, limits 10 ~ 30",
        "raised_at": "2023-11-14T22:13:20.000Z",
        "cleared_at": null,
        "cleared_by": null,
        "acknowledged": null,
        "lasted_ms": site.now().since(Timestamp(1_700_000_000_000)).as_millis(),
        "occurrence": 0,
        "first_raised_at": null,
        "over_at": null,
        "shelved": null,
        "unknown": null,
        "out_of_service": null,
        "late_readings": null,
        "severities": [],
        "severities_between": 0,
        "events": [],
    });
    assert_eq!(site.seen_by("ann", &format!("/api/alarms/{}", id(1))).await, expected);
    let over = site.seen_by("ann", &format!("/api/alarms/{}", id(2))).await;
    assert_eq!((&over["state"], &over["cleared_at"]), (&json!("cleared"), &json!("2023-11-14T22:14:20.000Z")));
    assert_eq!(over["lasted_ms"], 60_000);
    assert_eq!(site.seen_by("root", &format!("/api/alarms/{}", id(5))).await["source"]["name"], "node-2");
}

#[tokio::test]
async fn an_alarm_of_somebody_else_can_neither_be_seen_nor_acknowledged() {
    let site = five_alarms().await;
    for unseen in [id(3), id(5), id(99), "no-id".to_owned()] {
        let path = format!("/api/alarms/{unseen}");
        assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(404), "not-found");
        let post = site.post(&format!("{path}/acknowledge")).by(&site.token("ann"));
        assert_eq!(post.send().await.problem(404), "not-found");
    }
    assert_eq!(site.seen_by("root", &format!("/api/alarms/{}", id(3))).await["acknowledged"], Value::Null);
}

#[tokio::test]
async fn the_first_word_on_an_alarm_stands() {
    let site = five_alarms().await;
    let path = format!("/api/alarms/{}/acknowledge", id(1));
    let first = site.post(&path).by(&site.token("ann")).json(&json!({ "note": "on my way" })).send().await.fine();
    let expected = json!({ "by": "ann", "at": site.now().rfc3339(), "note": "on my way" });
    assert_eq!(first["acknowledged"], expected);
    site.clock.advance(std::time::Duration::from_mins(1));
    let second = site.post(&path).by(&site.token("root")).send().await.fine();
    assert_eq!(second["acknowledged"], expected);
    assert_eq!(site.seen_by("ann", &format!("/api/alarms/{}", id(1))).await["acknowledged"], expected);
    assert_eq!(found(&site, "ann", "?state=active").await, [1], "an acknowledged alarm stays active");
}

#[tokio::test]
async fn a_note_may_be_left_out_but_not_be_a_book() {
    let site = five_alarms().await;
    let post = || site.post(&format!("/api/alarms/{}/acknowledge", id(1))).by(&site.token("ann"));
    let book = post().json(&json!({ "note": "x".repeat(1001) })).send().await;
    assert_eq!(book.problem(400), "bad-body");
    assert_eq!(post().json(&json!({ "note": 1 })).send().await.problem(400), "bad-body");
    assert_eq!(post().json(&json!({})).send().await.fine()["acknowledged"]["note"], Value::Null);
}

#[tokio::test]
async fn an_acknowledgement_survives_a_change_that_comes_in_between() {
    let site = five_alarms().await;
    let mut cleared_meanwhile = alarms::get(&*site.table, &id(1)).await.unwrap().unwrap();
    cleared_meanwhile.value = cleared(cleared_meanwhile.value);
    let site = contended(site, &cleared_meanwhile);
    let answer = site.post(&format!("/api/alarms/{}/acknowledge", id(1))).by(&site.token("ann")).send().await.fine();
    assert_eq!((&answer["state"], &answer["acknowledged"]["by"]), (&json!("cleared"), &json!("ann")));
}

#[tokio::test]
async fn of_two_who_acknowledge_at_once_the_first_stands() {
    let site = five_alarms().await;
    let mut taken_meanwhile = alarms::get(&*site.table, &id(1)).await.unwrap().unwrap();
    let word = Acknowledgement { by: "root".to_owned(), at: site.now(), note: None, until: None, severity: None };
    taken_meanwhile.value.acknowledged = Some(word);
    let site = contended(site, &taken_meanwhile);
    let answer = site.post(&format!("/api/alarms/{}/acknowledge", id(1))).by(&site.token("ann")).send().await.fine();
    assert_eq!(answer["acknowledged"]["by"], "root");
}

/// The site, with this change of an alarm done by somebody else just before the first transaction.
fn contended(site: Site, change: &Versioned<Alarm>) -> Site {
    let writes = alarms::put(change).unwrap();
    site.over_another(|table| Arc::new(Contended { table, before: Mutex::new(Some(writes)) }))
}
