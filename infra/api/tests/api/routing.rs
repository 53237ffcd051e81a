//! Policies, rotas and incidents: what is kept of them, and who may have to do with them.

use engine_http::axum::http::{Method, StatusCode};
use records::{
    Versioned,
    incidents::{self, Audience, Incident, Named},
};
use serde_json::{Value, json};

use crate::site::Site;

const POLICIES: &str = "/api/alerts/policies";
const ROTAS: &str = "/api/alerts/rotas";

fn policy() -> Value {
    json!({
        "name": "Nights", "scope": { "kind": "everywhere" }, "enabled": true, "group_by": "cause", "least": "critical",
        "steps": [{ "after_ms": 600_000, "users": ["ann"], "roles": ["admin"], "rotas": [] }]
    })
}

fn rota() -> Value {
    json!({
        "name": "Pager",
        "rota": { "zone": "Europe/Berlin", "people": ["ann", "bob"], "turn": "weekly", "hand_over": "08:00", "since": "2026-01-05" }
    })
}

async fn made(site: &Site, path: &str, form: &Value) -> Value {
    let answer = site.post(path).by(&site.token("root")).json(form).send().await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_policy_and_a_rota_are_kept_changed_and_deleted() {
    let site = Site::new().await;
    let root = site.token("root");
    for (path, form) in [(POLICIES, policy()), (ROTAS, rota())] {
        let kept = made(&site, path, &form).await;
        let one = format!("{path}/{}", kept["id"].as_str().unwrap());
        assert_eq!((&kept["version"], &kept["changed_by"]), (&json!(1), &json!("root")));
        assert_eq!(site.seen_by("root", path).await["items"], json!([kept]));
        let mut changed = form.clone();
        changed["name"] = json!("Days");
        let put = |version: u64| site.ask(Method::PUT, &format!("{one}?version={version}")).by(&root).json(&changed);
        let now = put(1).send().await.fine();
        assert_eq!((&now["version"], &now["name"]), (&json!(2), &json!("Days")));
        assert_eq!(site.seen_by("root", &one).await, now);
        assert_eq!(put(1).send().await.problem(409), "version-conflict");
        let delete = |version: u64| site.ask(Method::DELETE, &format!("{one}?version={version}")).by(&root).send();
        assert_eq!(delete(1).await.problem(409), "version-conflict");
        assert_eq!(delete(2).await.status, StatusCode::NO_CONTENT);
        assert_eq!(site.get(&one).by(&root).send().await.problem(404), "not-found");
    }
}

#[tokio::test]
async fn routing_is_for_administrators() {
    let site = Site::new().await;
    let mut tries = Vec::new();
    for (path, form) in [(POLICIES, policy()), (ROTAS, rota())] {
        let id = made(&site, path, &form).await["id"].as_str().unwrap().to_owned();
        let one = format!("{path}/{id}");
        tries.extend([(Method::GET, path.to_owned(), None), (Method::GET, one.clone(), None)]);
        tries.push((Method::POST, path.to_owned(), Some(form.clone())));
        tries.push((Method::PUT, format!("{one}?version=1"), Some(form)));
        tries.push((Method::DELETE, format!("{one}?version=1"), None));
        tries.extend((path == ROTAS).then(|| (Method::GET, format!("{one}/on-call"), None)));
    }
    for (method, path, body) in tries {
        let ask = || {
            let asking = site.ask(method.clone(), &path);
            body.iter().fold(asking, crate::answer::Asking::json)
        };
        assert_eq!(ask().send().await.problem(401), "not-signed-in", "{method} {path}");
        assert_eq!(ask().by(&site.token("ann")).send().await.problem(403), "admins-only", "{method} {path}");
    }
    assert_eq!(site.seen_by("root", POLICIES).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(site.seen_by("root", ROTAS).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let site = Site::new().await;
    let root = site.token("root");
    let mut bad = policy();
    bad["steps"] = json!([
        { "after_ms": 600_000, "users": ["nobody"], "rotas": ["none"] }, { "after_ms": 0 }
    ]);
    let answer = site.post(POLICIES).by(&root).json(&bad).send().await;
    let faults = answer.body["errors"].to_string();
    assert_eq!(answer.problem(400), "bad-routing");
    for place in ["steps: after_ms", "steps[0].users", "steps[0].rotas", "steps[1]: it names nobody"] {
        assert!(faults.contains(place), "{place}: {faults}");
    }
    let mut stranger = rota();
    stranger["rota"]["people"] = json!(["ann", "nobody"]);
    assert_eq!(site.post(ROTAS).by(&root).json(&stranger).send().await.problem(400), "bad-routing");
    let mut nowhere = rota();
    nowhere["rota"]["zone"] = json!("Berlin");
    let answer = site.post(ROTAS).by(&root).json(&nowhere).send().await;
    assert!(answer.body.to_string().contains("Europe/Berlin"), "{}", answer.body);
    assert!(answer.status.is_client_error());
}

#[tokio::test]
async fn who_is_on_call_is_told_for_an_instant() {
    let site = Site::new().await;
    let id = made(&site, ROTAS, &rota()).await["id"].as_str().unwrap().to_owned();
    let told = site.seen_by("root", &format!("{ROTAS}/{id}/on-call?at=2026-01-12T06:59:59Z")).await;
    assert_eq!(told, json!({ "person": "ann", "until": "2026-01-12T07:00:00.000Z" }));
}

#[tokio::test]
async fn a_rule_of_everybodys_may_name_recipients_that_are_there_and_a_persons_own_may_not() {
    let site = Site::new().await;
    let rule = |everybody: bool, recipients: Value| {
        json!({
            "name": "Damp", "everybody": everybody, "scope": { "kind": "everywhere" }, "severity": "warning",
            "condition": { "kind": "compare", "name": "humidity", "is": ">", "to": 70 }, "recipients": recipients
        })
    };
    let post = |user: &str, form: Value| site.post("/api/alerts/rules").by(&site.token(user)).json(&form).send();
    let made = post("root", rule(true, json!({ "users": ["bob"] }))).await;
    assert_eq!((made.status, &made.body["recipients"]["users"]), (StatusCode::CREATED, &json!(["bob"])));
    for (user, form) in [
        ("root", rule(true, json!({ "users": ["nobody"] }))),
        ("root", rule(true, json!({ "rotas": ["none"] }))),
        ("ann", rule(false, json!({ "users": ["bob"] }))),
    ] {
        let answer = post(user, form).await;
        assert!(answer.body["errors"].to_string().contains("recipients"), "{}", answer.body);
        assert_eq!(answer.problem(400), "bad-rule");
    }
}

#[tokio::test]
async fn everybody_sees_their_own_incidents_and_administrators_those_of_policies() {
    let site = Site::new().await;
    let begin = async |audience: Audience| {
        let (group, place) = ("terminal:AABBCCDDEE01".to_owned(), "Cold store".to_owned());
        let incident = Incident::new(audience, group, place, "t1", site.now());
        let writes = incidents::put(&Versioned { value: incident.clone(), version: 0 }, None, Some("t1"), site.now());
        assert!(records::Table::transact(&*site.table, writes.unwrap()).await.unwrap().applied());
        incident.id
    };
    let hers = begin(Audience::User("ann".to_owned())).await;
    let of_policy = begin(Audience::Policy("p1".to_owned())).await;
    let named = |id: &str| Named { audience: Audience::Policy("p1".to_owned()), id: id.to_owned() };
    let list = "/api/alerts/incidents";
    assert_eq!(site.seen_by("ann", list).await["items"][0]["id"], json!(hers));
    assert_eq!(site.seen_by("ann", &format!("{list}/{hers}")).await["state"], "gathering");
    assert_eq!(site.seen_by("bob", list).await["items"], json!([]));
    assert_eq!(site.get(&format!("{list}/{hers}")).by(&site.token("bob")).send().await.problem(404), "not-found");
    let mut told = incidents::get(&*site.table, &named(&of_policy)).await.unwrap().unwrap();
    told.value.people = ["ann".to_owned()].into();
    let mut writes = incidents::put(&told, None, None, site.now()).unwrap();
    writes.extend(incidents::put_told("ann", &told.value, site.now()).unwrap());
    assert!(records::Table::transact(&*site.table, writes).await.unwrap().applied());
    assert_eq!(site.seen_by("ann", &format!("{list}/{of_policy}")).await["id"], json!(of_policy));
    assert_eq!(site.seen_by("ann", list).await["items"].as_array().unwrap().len(), 2);
    let first = site.seen_by("ann", &format!("{list}?limit=1")).await;
    let rest = site.seen_by("ann", &format!("{list}?limit=1&after={}", first["next"].as_str().unwrap())).await;
    assert_ne!(first["items"][0]["id"], rest["items"][0]["id"]);
    assert_eq!(site.get(&format!("{list}/{of_policy}")).by(&site.token("bob")).send().await.problem(404), "not-found");
    assert_eq!(site.seen_by("root", &format!("{list}?policy=p1")).await["items"][0]["id"], json!(of_policy));
    for path in [format!("{list}?policy=p1"), format!("{list}/{of_policy}?policy=p1")] {
        assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(403), "admins-only");
        assert_eq!(site.get(&path).send().await.problem(401), "not-signed-in");
    }
}
