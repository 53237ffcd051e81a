//! Many rules: exported, imported, listed, and as many as there may be.

use std::time::Duration;

use engine_http::axum::http::{Method, StatusCode};
use records::{
    Condition, Item, Key, Table, Write,
    alert_rules::{MOST, MOST_AT_ONCE, MOST_OF_A_USER},
};
use serde_json::{Value, json};

use super::{IMPORT, PATH, ask, everybodys, hot, ids_seen_by, made, path_of, with, with_protocol};

#[tokio::test]
async fn an_import_takes_all_rules_or_none_and_a_dry_run_takes_none() {
    let site = with_protocol().await;
    let rule = made(&site, "root", &hot(30.0)).await;
    let same = with(&hot(30.0), "id", rule["id"].clone());
    let other = with(&hot(29.0), "id", rule["id"].clone());
    let offered = json!({ "items": [same, everybodys(&hot(25.0))] });
    let became = |answer: &Value| {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|item| item["change"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let tried = ask(&site, "root", Method::POST, &format!("{IMPORT}?dry_run=true"), &offered).await.fine();
    assert_eq!((&tried["dry_run"], became(&tried)), (&json!(true), vec!["unchanged".to_owned(), "created".to_owned()]));
    assert_eq!(ids_seen_by(&site, "root").await.len(), 1);
    let bad = with(&hot(1.0), "condition", json!({ "kind": "any", "of": [] }));
    for (items, places) in [
        (vec![other.clone(), bad.clone(), bad], vec!["items[1].condition.of: ", "items[2].condition.of: "]),
        (vec![other.clone(), other.clone()], vec!["items[1].id: "]),
        (vec![everybodys(&other)], vec!["items[0].everybody: "]),
    ] {
        let refused = ask(&site, "root", Method::POST, IMPORT, &json!({ "items": items })).await;
        let errors = refused.body["errors"].as_array().unwrap().clone();
        assert_eq!(errors.len(), places.len(), "{errors:?}");
        assert!(
            errors.iter().zip(places).all(|(error, place)| error.as_str().unwrap().starts_with(place)),
            "{errors:?}"
        );
        assert_eq!(refused.problem(400), "bad-rule");
    }
    assert_eq!(site.seen_by("root", &path_of(&rule)).await, rule);
    let taken =
        ask(&site, "root", Method::POST, IMPORT, &json!({ "items": [other, everybodys(&hot(25.0))] })).await.fine();
    assert_eq!(became(&taken), ["replaced", "created"]);
    let common = &taken["items"][1]["id"];
    assert_eq!(ids_seen_by(&site, "root").await, [common.clone(), rule["id"].clone()], "everybody's come first");
}

#[tokio::test]
async fn what_is_exported_can_be_imported_as_it_is_as_many_as_there_may_be_at_once() {
    let site = with_protocol().await;
    let many: Vec<Value> = (0..MOST_AT_ONCE).map(|limit| hot(f64::from(u32::try_from(limit).unwrap()))).collect();
    ask(&site, "ann", Method::POST, IMPORT, &json!({ "items": many })).await.fine();
    let exported = site.seen_by("ann", &format!("{PATH}/export?limit={MOST_AT_ONCE}")).await;
    assert_eq!(exported["items"].as_array().unwrap().len(), MOST_AT_ONCE);
    let taken = ask(&site, "ann", Method::POST, IMPORT, &exported).await.fine();
    let is_unchanged = |item: &Value| item["change"] == "unchanged";
    assert!(taken["items"].as_array().unwrap().iter().all(is_unchanged));
    let bobs = ask(&site, "bob", Method::POST, IMPORT, &exported).await.fine();
    assert!(bobs["items"].as_array().unwrap().iter().all(|item| item["change"] == "created"), "hers are not his");
    for items in [Vec::new(), vec![hot(1.0); MOST_AT_ONCE + 1]] {
        assert_eq!(ask(&site, "ann", Method::POST, IMPORT, &json!({ "items": items })).await.problem(400), "bad-count");
    }
}

#[tokio::test]
async fn what_is_exported_goes_into_another_installation_and_the_same_again_changes_nothing() {
    let (site, another) = (with_protocol().await, with_protocol().await);
    let common = made(&site, "root", &everybodys(&hot(30.0))).await;
    let id = common["id"].as_str().unwrap();
    made(&site, "root", &with(&hot(35.0), "replaces", json!(format!("rule:{id}")))).await;
    let exported = site.seen_by("root", &format!("{PATH}/export")).await;
    for change in ["created", "unchanged"] {
        let taken = ask(&another, "root", Method::POST, IMPORT, &exported).await.fine();
        assert!(taken["items"].as_array().unwrap().iter().all(|item| item["change"] == change), "{taken}");
    }
    assert_eq!(ids_seen_by(&another, "root").await, ids_seen_by(&site, "root").await);

    ask(&another, "root", Method::DELETE, &path_of(&common), &Value::Null).await;
    let alone = json!({ "items": [exported["items"][0]] });
    assert_eq!(ask(&another, "root", Method::POST, IMPORT, &alone).await.fine()["items"][0]["change"], "created");
    let again = another.seen_by("root", &path_of(&common)).await;
    assert_eq!(again["version"], 2, "what it was stays: {again}");
}

#[tokio::test]
async fn a_list_goes_on_from_everybodys_rules_to_ones_own() {
    let site = with_protocol().await;
    for rule in [everybodys(&hot(1.0)), everybodys(&hot(2.0)), hot(3.0), hot(4.0)] {
        site.clock.advance(Duration::from_millis(1));
        made(&site, "root", &rule).await;
    }
    let (mut limits, mut after) = (Vec::new(), String::new());
    loop {
        let page = site.seen_by("root", &format!("{PATH}?limit=1{after}")).await;
        limits.extend(page["items"].as_array().unwrap().iter().map(|rule| rule["condition"]["to"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(limits, [1.0, 2.0, 3.0, 4.0]);
    let first = site.seen_by("ann", &format!("{PATH}?limit=2")).await;
    assert_eq!(first["next"], Value::Null, "she has none of her own");
}

#[tokio::test]
async fn a_person_has_no_more_rules_than_there_may_be() {
    let site = with_protocol().await;
    for count in [MOST_AT_ONCE, MOST_AT_ONCE, MOST_OF_A_USER - 2 * MOST_AT_ONCE] {
        ask(&site, "ann", Method::POST, IMPORT, &json!({ "items": vec![hot(1.0); count] })).await.fine();
    }
    let one_more = ask(&site, "ann", Method::POST, PATH, &hot(1.0)).await;
    assert_eq!(one_more.problem(409), "too-many-rules");
    let first = ids_seen_by(&site, "ann").await[0].clone();
    let path = format!("{PATH}/{}", first.as_str().unwrap());
    ask(&site, "ann", Method::PUT, &path, &with(&hot(2.0), "version", json!(1))).await.fine();
    assert_eq!(ask(&site, "ann", Method::DELETE, &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    made(&site, "ann", &hot(1.0)).await;
    made(&site, "bob", &hot(1.0)).await;
}

#[tokio::test]
async fn there_are_no_more_rules_than_there_may_be() {
    let site = with_protocol().await;
    let rule = made(&site, "ann", &hot(1.0)).await;
    let key = Key::new("alert-rules", "marker");
    let full = Item { key, version: 2, expires: None, body: format!("{{\"rules\":{MOST}}}").into() };
    assert!(Table::write(&*site.table, Write::Put(full, Condition::Always)).await.unwrap().applied());
    assert_eq!(ask(&site, "bob", Method::POST, PATH, &hot(1.0)).await.problem(409), "too-many-rules");
    ask(&site, "ann", Method::DELETE, &path_of(&rule), &Value::Null).await;
    made(&site, "bob", &hot(1.0)).await;
}
