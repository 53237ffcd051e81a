use engine_http::axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{answer::Answer, site::Site};

const GAUGE: &str = "/api/protocols/gauge";
const CONSTANTS: &str = "/api/protocols/gauge/constants";
const IMPORT: &str = "/api/protocols/import";

fn protocol(name: &str) -> Value {
    let field = json!({ "name": "level", "regx": "1-2", "bl": "0.1", "unit": "m" });
    let instruct = json!({ "name": "0300000001", "resultType": "hex", "formResize": [field] });
    json!({ "Type": 485, "Protocol": name, "ProtocolType": "io", "instruct": [instruct] })
}

fn constants(name: &str, max: i32) -> Value {
    json!({ "Protocol": name, "Threshold": [{ "name": "level", "min": 0, "max": max }] })
}

async fn by_root(site: &Site, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token("root")).json(body).send().await
}

async fn change(site: &Site, path: &str, body: &Value) -> Value {
    by_root(site, Method::PUT, path, body).await.fine()["change"].clone()
}

#[tokio::test]
async fn a_protocol_is_created_read_replaced_and_deleted() {
    let site = Site::new().await;
    assert_eq!(change(&site, GAUGE, &protocol("gauge")).await, "created");
    assert_eq!(change(&site, GAUGE, &protocol("gauge")).await, "unchanged");
    let mut other = protocol("gauge");
    other["remark"] = json!("the new one");
    assert_eq!(change(&site, GAUGE, &other).await, "replaced");

    assert_eq!(site.seen_by("root", GAUGE).await["remark"], "the new one");
    let expected = json!([{ "name": "gauge", "line": 485, "kind": "io", "instructions": 1, "values": ["level"] }]);
    assert_eq!(site.seen_by("root", "/api/protocols").await["items"], expected);

    let gone = by_root(&site, Method::DELETE, GAUGE, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(by_root(&site, Method::DELETE, GAUGE, &Value::Null).await.problem(404), "not-found");
}

#[tokio::test]
async fn what_was_put_comes_back_word_for_word_of_what_counts() {
    let site = Site::new().await;
    change(&site, GAUGE, &protocol("gauge")).await;
    let document = site.seen_by("root", GAUGE).await;
    assert_eq!(change(&site, GAUGE, &document).await, "unchanged");
}

#[tokio::test]
async fn a_protocol_that_a_device_speaks_stays() {
    let site = Site::new().await;
    let path = "/api/protocols/sensor%20protocol";
    assert_eq!(change(&site, path, &protocol("sensor protocol")).await, "created");
    assert_eq!(by_root(&site, Method::DELETE, path, &Value::Null).await.problem(409), "protocol-in-use");
    assert_eq!(site.seen_by("root", path).await["Protocol"], "sensor protocol");
}

#[tokio::test]
async fn what_watches_a_value_that_is_not_there_is_stored_with_a_warning() {
    let site = Site::new().await;
    change(&site, GAUGE, &protocol("gauge")).await;
    let typo = json!({ "Protocol": "gauge", "Threshold": [{ "name": "leval", "max": 5 }] });
    let answer = by_root(&site, Method::PUT, CONSTANTS, &typo).await.fine();
    let warning = answer["warnings"][0].as_str().unwrap();
    assert_eq!(warning, "Threshold \"leval\" watches nothing: the protocol has no such value");
    let right = by_root(&site, Method::PUT, CONSTANTS, &constants("gauge", 5)).await.fine();
    assert!(right.get("warnings").is_none(), "{right}");

    let mut renamed = protocol("gauge");
    renamed["instruct"][0]["formResize"][0]["name"] = json!("height");
    let answer = by_root(&site, Method::PUT, GAUGE, &renamed).await.fine();
    assert_eq!(answer["warnings"][0], "Threshold \"level\" watches nothing: the protocol has no such value");
}

#[tokio::test]
async fn constants_belong_to_a_protocol_and_go_with_it() {
    let site = Site::new().await;
    assert_eq!(by_root(&site, Method::PUT, CONSTANTS, &constants("gauge", 5)).await.problem(404), "not-found");
    change(&site, GAUGE, &protocol("gauge")).await;
    assert_eq!(site.get(CONSTANTS).by(&site.token("root")).send().await.problem(404), "not-found");
    assert_eq!(change(&site, CONSTANTS, &constants("gauge", 5)).await, "created");
    assert_eq!(change(&site, CONSTANTS, &constants("gauge", 6)).await, "replaced");
    assert_eq!(site.seen_by("root", CONSTANTS).await["Threshold"][0]["max"], 6.0);

    by_root(&site, Method::DELETE, GAUGE, &Value::Null).await;
    change(&site, GAUGE, &protocol("gauge")).await;
    assert_eq!(site.get(CONSTANTS).by(&site.token("root")).send().await.problem(404), "not-found");
}

#[tokio::test]
async fn a_document_that_makes_no_sense_is_refused_with_its_place_and_nothing_changes() {
    let site = Site::new().await;
    change(&site, GAUGE, &protocol("gauge")).await;
    let mut bad = protocol("gauge");
    bad["instruct"][0]["formResize"][0]["regx"] = json!("first");
    let answer = by_root(&site, Method::PUT, GAUGE, &bad).await;
    assert!(answer.body["errors"][0].as_str().unwrap().contains("instruct[0].formResize[0].regx"), "{}", answer.body);
    assert_eq!(answer.problem(400), "bad-protocol");
    assert_eq!(by_root(&site, Method::PUT, GAUGE, &protocol("other")).await.problem(400), "other-name");
    let wrong_limits = json!({ "Protocol": "gauge", "Threshold": [{ "name": "level", "min": 5, "max": 1 }] });
    assert_eq!(by_root(&site, Method::PUT, CONSTANTS, &wrong_limits).await.problem(400), "bad-protocol");
    assert_eq!(change(&site, GAUGE, &protocol("gauge")).await, "unchanged");
}

#[tokio::test]
async fn an_import_is_tried_then_done() {
    let site = Site::new().await;
    change(&site, GAUGE, &protocol("gauge")).await;
    let body = json!({ "protocols": [protocol("gauge"), protocol("valve")], "constants": [constants("valve", 9)] });
    let expected = json!({
        "protocols": [{ "name": "gauge", "change": "unchanged" }, { "name": "valve", "change": "created" }],
        "constants": [{ "name": "valve", "change": "created" }],
    });
    for (query, dry_run) in [("?dry_run=true", true), ("?dryRun=true", true), ("", false)] {
        let answer = by_root(&site, Method::POST, &format!("{IMPORT}{query}"), &body).await.fine();
        assert_eq!(answer["dry_run"], dry_run);
        assert_eq!((&answer["protocols"], &answer["constants"]), (&expected["protocols"], &expected["constants"]));
    }
    assert_eq!(site.seen_by("root", "/api/protocols/valve/constants").await["Threshold"][0]["max"], 9.0);
}

#[tokio::test]
async fn an_import_with_anything_wrong_stores_nothing_and_tells_all_of_it() {
    let site = Site::new().await;
    let mut bad = protocol("bad");
    bad["instruct"] = json!([]);
    let body = json!({
        "protocols": [protocol("gauge"), protocol("gauge"), bad],
        "constants": [constants("nowhere", 9)],
    });
    let answer = by_root(&site, Method::POST, IMPORT, &body).await;
    let errors = answer.body["errors"].to_string();
    for fault in
        ["gauge: it is there twice", "protocol bad: instruct", "constants of nowhere: there is no such protocol"]
    {
        assert!(errors.contains(fault), "{fault}: {errors}");
    }
    assert_eq!(answer.problem(400), "bad-protocol");
    assert_eq!(site.seen_by("root", "/api/protocols").await["items"], json!([]));
    for body in [json!({}), json!({ "protocols": vec![protocol("gauge"); 101] })] {
        assert_eq!(by_root(&site, Method::POST, IMPORT, &body).await.problem(400), "bad-count");
    }
    assert_eq!(by_root(&site, Method::POST, IMPORT, &json!({ "protocol": [] })).await.problem(400), "bad-body");
}

#[tokio::test]
async fn an_import_may_be_larger_than_other_bodies_and_a_document_no_larger_than_its_place() {
    let site = Site::new().await;
    let mut long = protocol("gauge");
    long["remark"] = json!("x".repeat(290 * 1024));
    let import = |document: &Value| json!({ "protocols": [document] });
    by_root(&site, Method::POST, IMPORT, &import(&long)).await.fine();
    long["remark"] = json!("x".repeat(310 * 1024));
    assert_eq!(by_root(&site, Method::POST, IMPORT, &import(&long)).await.problem(400), "bad-protocol");
    long["remark"] = json!("x".repeat(5 * 1024 * 1024));
    assert_eq!(by_root(&site, Method::POST, IMPORT, &import(&long)).await.problem(413), "body-too-large");
}

#[tokio::test]
async fn protocols_are_for_administrators() {
    let site = Site::new().await;
    change(&site, GAUGE, &protocol("gauge")).await;
    for (method, path, body) in [
        (Method::GET, "/api/protocols", Value::Null),
        (Method::GET, GAUGE, Value::Null),
        (Method::PUT, GAUGE, protocol("gauge")),
        (Method::DELETE, GAUGE, Value::Null),
        (Method::GET, CONSTANTS, Value::Null),
        (Method::PUT, CONSTANTS, constants("gauge", 5)),
        (Method::DELETE, CONSTANTS, Value::Null),
        (Method::POST, IMPORT, json!({ "protocols": [protocol("gauge")] })),
    ] {
        let asked = || site.ask(method.clone(), path).json(&body);
        assert_eq!(asked().send().await.problem(401), "not-signed-in", "{method} {path}");
        assert_eq!(asked().by(&site.token("ann")).send().await.problem(403), "admins-only", "{method} {path}");
    }
    assert_eq!(site.seen_by("root", GAUGE).await["Protocol"], "gauge");
}
