use std::collections::BTreeSet;

use engine_http::axum::http::{StatusCode, header};
use serde_json::Value;

use crate::site::Site;

const ROUTES: [&str; 111] = [
    "delete /api/alerts/policies/{id}",
    "delete /api/alerts/rotas/{id}",
    "delete /api/alerts/rules/{id}",
    "delete /api/channels/webhooks/{id}",
    "delete /api/inhibitions/{id}",
    "delete /api/jobs/{job}/dead-letters/{id}",
    "delete /api/jobs/{job}/waiting/{key}",
    "delete /api/me/alarm-setups/{protocol}",
    "delete /api/nodes/{name}",
    "delete /api/notifications/{id}",
    "delete /api/protocols/{name}",
    "delete /api/protocols/{name}/constants",
    "delete /api/silences/{id}",
    "delete /api/terminals/{mac}",
    "delete /api/terminals/{mac}/out-of-service",
    "get /api/alarms",
    "get /api/alarms/{id}",
    "get /api/alarms/{id}/explain",
    "get /api/alerts/incidents",
    "get /api/alerts/incidents/{id}",
    "get /api/alerts/metrics",
    "get /api/alerts/policies",
    "get /api/alerts/policies/{id}",
    "get /api/alerts/quality",
    "get /api/alerts/rotas",
    "get /api/alerts/rotas/{id}",
    "get /api/alerts/rotas/{id}/on-call",
    "get /api/alerts/rules",
    "get /api/alerts/rules/export",
    "get /api/alerts/rules/{id}",
    "get /api/alerts/rules/{id}/versions",
    "get /api/alerts/statistics",
    "get /api/alerts/summary",
    "get /api/channels",
    "get /api/channels/webhooks",
    "get /api/channels/webhooks/{id}",
    "get /api/counters",
    "get /api/inhibitions",
    "get /api/jobs",
    "get /api/jobs/{job}/dead-letters",
    "get /api/jobs/{job}/waiting",
    "get /api/me/alarm-setups",
    "get /api/me/alarm-setups/{protocol}",
    "get /api/me/locale",
    "get /api/nodes",
    "get /api/nodes/refused",
    "get /api/nodes/{name}",
    "get /api/nodes/{name}/operations",
    "get /api/notices",
    "get /api/notifications",
    "get /api/notifications/preferences",
    "get /api/notifications/unread-count",
    "get /api/protocols",
    "get /api/protocols/{name}",
    "get /api/protocols/{name}/constants",
    "get /api/silences",
    "get /api/silences/{id}",
    "get /api/terminals",
    "get /api/terminals/{mac}",
    "get /api/terminals/{mac}/devices/{pid}/history",
    "get /api/terminals/{mac}/devices/{pid}/latest",
    "get /api/terminals/{mac}/operations",
    "get /api/terminals/{mac}/out-of-service",
    "get /api/users/{user}/locale",
    "get /health",
    "get /health/ready",
    "post /api/alarms/{id}/acknowledge",
    "post /api/alarms/{id}/reset",
    "post /api/alarms/{id}/shelve",
    "post /api/alarms/{id}/unshelve",
    "post /api/alerts/policies",
    "post /api/alerts/quality/suggestions",
    "post /api/alerts/rotas",
    "post /api/alerts/rules",
    "post /api/alerts/rules/backtest",
    "post /api/alerts/rules/import",
    "post /api/auth/login",
    "post /api/auth/logout",
    "post /api/channels/webhooks",
    "post /api/channels/webhooks/{id}/enable",
    "post /api/channels/webhooks/{id}/replay",
    "post /api/channels/webhooks/{id}/rotate",
    "post /api/channels/webhooks/{id}/test",
    "post /api/channels/{channel}/test",
    "post /api/inhibitions",
    "post /api/jobs/{job}/dead-letters/{id}/redrive",
    "post /api/nodes",
    "post /api/nodes/{name}/restart",
    "post /api/nodes/{name}/token",
    "post /api/notifications/bulk",
    "post /api/protocols/import",
    "post /api/silences",
    "post /api/terminals/{mac}/at",
    "post /api/terminals/{mac}/devices/{pid}/operations",
    "put /api/alerts/policies/{id}",
    "put /api/alerts/rotas/{id}",
    "put /api/alerts/rules/{id}",
    "put /api/channels/order",
    "put /api/channels/webhooks/{id}",
    "put /api/me/alarm-setups/{protocol}",
    "put /api/me/locale",
    "put /api/nodes/{name}",
    "put /api/notifications/preferences",
    "put /api/notifications/read-all",
    "put /api/notifications/{id}/read",
    "put /api/protocols/{name}",
    "put /api/protocols/{name}/constants",
    "put /api/silences/{id}",
    "put /api/terminals/{mac}",
    "put /api/terminals/{mac}/out-of-service",
    "put /api/users/{user}/locale",
];

async fn document() -> Value {
    Site::new().await.get("/api/openapi.json").send().await.fine()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_of_openapi_3_1_and_lists_every_route() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        routes.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    assert_eq!(routes, ROUTES.map(str::to_owned).into());
}

#[tokio::test]
async fn the_document_refers_to_nothing_it_does_not_hold() {
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Problem"));
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_document_says_of_every_route_who_may_call_it_and_how_it_fails() {
    let document = document().await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let failure = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(failure["$ref"], "#/components/schemas/Problem", "{path}");
            let is_open = operation.get("security").is_some();
            assert_eq!(is_open, path.starts_with("/health") || path.starts_with("/api/auth/"), "{path}");
        }
    }
    assert_eq!(document["security"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_and_every_answer_a_description() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            for answer in operation["responses"].as_object().unwrap().values() {
                assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_can_be_tried_in_a_browser_without_the_internet() {
    let site = Site::new().await;
    assert_eq!(site.get("/api/docs").send().await.status, StatusCode::SEE_OTHER);
    let page = site.get("/api/docs/").send().await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert_eq!(site.get("/api/docs/swagger-ui-bundle.js").send().await.status, StatusCode::OK);
}
