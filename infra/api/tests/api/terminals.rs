use engine_http::axum::http::Method;
use records::{
    Table, nodes, protocols,
    terminals::{self, Presence},
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site, mac},
};

fn macs(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|terminal| terminal["mac"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_the_terminals_that_are_theirs() {
    let site = Site::new().await;
    for (user, expected) in [("root", vec![HERS, OTHER]), ("ann", vec![HERS]), ("bob", vec![])] {
        assert_eq!(macs(&site.seen_by(user, "/api/terminals").await), expected, "{user}");
    }
}

#[tokio::test]
async fn a_terminal_is_shown_with_its_standing_and_its_devices() {
    let site = Site::new().await;
    let path = format!("/api/terminals/{HERS}");
    let never_heard_of = site.seen_by("ann", &path).await;
    assert_eq!((&never_heard_of["presence"], &never_heard_of["since"]), (&json!("unknown"), &Value::Null));

    let mut standing = terminals::standing(&*site.table, &mac(HERS)).await.unwrap();
    standing.value.presence = Presence::Online;
    standing.value.since = domain::Timestamp(1_700_000_000_000);
    standing.value.misses.insert(2, 3);
    standing.value.rejected.insert("crc".to_owned(), 5);
    let write = terminals::put_standing(&mac(HERS), &standing).unwrap();
    assert!(site.table.write(write).await.unwrap().applied());

    let expected = json!({
        "mac": HERS,
        "name": format!("terminal {HERS}"),
        "node": "node-1",
        "site": null,
        "presence": "online",
        "since": "2023-11-14T22:13:20.000Z",
        "devices": [
            { "pid": 1, "model": "sensor model", "kind": "sensor", "protocol": "sensor protocol", "min_interval_ms": 0 },
            { "pid": 2, "model": "UPS model", "kind": "UPS", "protocol": "UPS protocol", "min_interval_ms": 0 },
        ],
        "iccid": null,
        "data_plan": null,
        "info": {},
        "line": { "misses": { "2": 3 }, "unanswered": {}, "rejected": { "crc": 5 } },
    });
    assert_eq!(site.seen_by("ann", &path).await, expected);
    assert_eq!(site.seen_by("ann", &path.to_lowercase()).await, expected);
    assert_eq!(site.seen_by("ann", "/api/terminals").await["items"], json!([expected]));
}

#[tokio::test]
async fn pages_go_on_where_they_ended() {
    let site = Site::new().await;
    records::users::bind(&*site.table, "ann", &mac(OTHER)).await.unwrap();
    for user in ["root", "ann"] {
        let first = site.seen_by(user, "/api/terminals?limit=1").await;
        assert_eq!(macs(&first), [HERS]);
        let next = first["next"].as_str().unwrap();
        let second = site.seen_by(user, &format!("/api/terminals?limit=10&after={next}")).await;
        assert_eq!((macs(&second), &second["next"]), (vec![OTHER], &Value::Null), "{user}");
        let of_another_list = format!("/api/alarms?after={next}");
        let answer = site.get(&of_another_list).by(&site.token(user)).send().await;
        assert_eq!(answer.problem(400), "bad-cursor");
    }
}

const NEW: &str = "/api/terminals/98D863CC870D";

fn form(node: &str, pids: &[u8]) -> Value {
    let device = |pid: &u8| json!({ "pid": pid, "model": "TH-10", "kind": "th", "protocol": "gauge" });
    json!({ "name": "Cold store", "node": node, "devices": pids.iter().map(device).collect::<Vec<_>>() })
}

/// A site with a node and a protocol to mount things on.
async fn with_places() -> Site {
    let site = Site::new().await;
    let node = nodes::Node {
        name: "hill".to_owned(),
        ip: None,
        port: 9000,
        max_connections: 10,
        token_sha256: Some(nodes::token_sha256("sesame")),
    };
    nodes::put(&*site.table, &node).await.unwrap();
    let gauge = serde_json::from_value(json!({ "Type": 485, "Protocol": "gauge" })).unwrap();
    protocols::put(&*site.table, &gauge).await.unwrap();
    site
}

async fn put(site: &Site, path: &str, body: &Value) -> Answer {
    site.ask(Method::PUT, path).by(&site.token("root")).json(body).send().await
}

#[tokio::test]
async fn a_terminal_is_mounted_with_its_devices_and_changed() {
    let site = with_places().await;
    let mounted = put(&site, NEW, &form("hill", &[1, 2])).await.fine();
    assert_eq!((&mounted["node"], &mounted["presence"]), (&json!("hill"), &json!("unknown")));
    assert_eq!(mounted, site.seen_by("root", NEW).await);
    let changed = put(&site, NEW, &form("hill", &[3])).await.fine();
    let device = json!({ "pid": 3, "model": "TH-10", "kind": "th", "protocol": "gauge", "min_interval_ms": 0 });
    assert_eq!(changed["devices"], json!([device]));
    assert_eq!(terminals::of_node(&*site.table, "hill").await.unwrap(), [mac("98D863CC870D")]);
}

#[tokio::test]
async fn what_a_node_found_out_about_a_terminal_outlives_a_change() {
    let site = with_places().await;
    put(&site, NEW, &form("hill", &[1])).await.fine();
    let mut known = terminals::get(&*site.table, &mac("98D863CC870D")).await.unwrap().unwrap();
    known.iccid = Some("89860".to_owned());
    terminals::put(&*site.table, &known).await.unwrap();
    put(&site, NEW, &form("hill", &[2])).await.fine();
    let changed = terminals::get(&*site.table, &mac("98D863CC870D")).await.unwrap().unwrap();
    assert_eq!(changed.iccid.as_deref(), Some("89860"));
}

#[tokio::test]
async fn a_terminal_with_a_sim_says_what_its_plan_allows() {
    let site = with_places().await;
    let mut body = form("hill", &[1]);
    let short = json!({ "name": "ali_1", "flow_kb": 30720 });
    let plan = json!({ "name": "ali_1", "version": "", "flow_kb": 30720, "used_kb": 30000, "left_kb": 720,
        "expires": "2026-12-31T16:00:00.000Z", "renews_itself": true, "told": null });
    body["iccid"] = json!("89860117851014783481");
    body["data_plan"] = plan.clone();
    let mounted = put(&site, NEW, &body).await.fine();
    assert_eq!((&mounted["iccid"], &mounted["data_plan"]), (&body["iccid"], &plan));
    let changed = put(&site, NEW, &form("hill", &[2])).await.fine();
    assert_eq!((&changed["iccid"], &changed["data_plan"]), (&body["iccid"], &plan), "what is known stays");
    body["data_plan"] = short;
    let unknown = put(&site, NEW, &body).await.fine()["data_plan"].clone();
    assert_eq!(
        (&unknown["left_kb"], &unknown["expires"], &unknown["renews_itself"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    body["data_plan"]["expires"] = json!("next year");
    assert!(put(&site, NEW, &body).await.status.is_client_error());
    body["data_plan"]["expires"] = Value::Null;
    body["iccid"] = json!("89860");
    assert!(put(&site, NEW, &body).await.body["errors"].to_string().contains("18 to 22 digits"));
}

#[tokio::test]
async fn a_terminal_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let site = with_places().await;
    let mut body = form("dale", &[1, 1, 255]);
    body["devices"][2]["protocol"] = json!("nothing");
    let answer = put(&site, NEW, &body).await;
    let errors = answer.body["errors"].to_string();
    for fault in ["no node", "devices[1].pid: two", "devices[2].protocol", "devices[2].pid: an address"] {
        assert!(errors.contains(fault), "{fault}: {errors}");
    }
    assert_eq!(answer.problem(400), "bad-terminal");
    assert_eq!(put(&site, "/api/terminals/hall", &form("hill", &[])).await.problem(400), "bad-mac");
    assert_eq!(site.get(NEW).by(&site.token("root")).send().await.problem(404), "not-found");
}

#[tokio::test]
async fn terminals_are_mounted_by_administrators_alone() {
    let site = with_places().await;
    for path in [NEW, &format!("/api/terminals/{HERS}")] {
        let asked = || site.ask(Method::PUT, path).json(&form("hill", &[1]));
        assert_eq!(asked().send().await.problem(401), "not-signed-in");
        assert_eq!(asked().by(&site.token("ann")).send().await.problem(403), "admins-only");
    }
}

#[tokio::test]
async fn a_terminal_is_at_a_site_until_somebody_says_otherwise_and_is_found_by_it() {
    let site = with_places().await;
    let at = |name: &str| {
        let mut at = form("hill", &[1]);
        at["site"] = json!(name);
        at
    };
    assert_eq!(put(&site, NEW, &at("North yard")).await.fine()["site"], json!("North yard"));
    assert_eq!(put(&site, NEW, &form("hill", &[1])).await.fine()["site"], json!("North yard"), "it stays");
    records::sites::put(&*site.table, &mac(HERS), Some("North yard")).await.unwrap();
    records::sites::put(&*site.table, &mac(OTHER), Some("South yard")).await.unwrap();
    let list = "/api/terminals?site=North%20yard";
    for (user, found) in [("root", vec!["98D863CC870D", HERS]), ("ann", vec![HERS]), ("bob", vec![])] {
        assert_eq!(macs(&site.seen_by(user, list).await), found, "{user}");
    }
    assert_eq!(macs(&site.seen_by("ann", "/api/terminals?site=South%20yard").await), Vec::<&str>::new(), "not hers");
    let first = site.seen_by("root", &format!("{list}&limit=1")).await;
    let rest = site.seen_by("root", &format!("{list}&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((macs(&first), macs(&rest)), (vec!["98D863CC870D"], vec![HERS]));
    assert_eq!(put(&site, NEW, &at("")).await.fine()["site"], Value::Null);
    assert_eq!(macs(&site.seen_by("root", list).await), [HERS]);
    assert_eq!(put(&site, NEW, &at("a\nb")).await.problem(400), "bad-terminal");
    let wrong = site.get("/api/terminals?site=").by(&site.token("root")).send().await;
    assert_eq!(wrong.problem(400), "bad-query");
    let gone = site.ask(Method::DELETE, &format!("/api/terminals/{HERS}")).by(&site.token("root")).send().await;
    assert_eq!(gone.status.as_u16(), 204);
    assert_eq!(macs(&site.seen_by("root", list).await), Vec::<&str>::new(), "nothing is left at it");
}
