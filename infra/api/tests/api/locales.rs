use engine_http::axum::http::{Method, StatusCode};
use records::{
    locale::{Language, Locale},
    users,
};
use serde_json::{Value, json};

use crate::{answer::Answer, site::Site};

const OWN: &str = "/api/me/locale";
const OF_BOB: &str = "/api/users/bob/locale";

async fn put(site: &Site, user: &str, path: &str, body: &Value) -> Answer {
    site.ask(Method::PUT, path).by(&site.token(user)).json(body).send().await
}

async fn stored(site: &Site, user: &str) -> Locale {
    users::get(&*site.table, user).await.unwrap().unwrap().locale
}

fn chinese() -> Value {
    json!({ "language": "zh", "zone": "Asia/Shanghai" })
}

#[tokio::test]
async fn a_user_says_how_they_are_spoken_to_and_nothing_else_of_them_changes() {
    let site = Site::new().await;
    let before = users::get(&*site.table, "ann").await.unwrap().unwrap();
    assert_eq!(site.seen_by("ann", OWN).await, json!({ "language": null, "zone": null }));
    assert_eq!(put(&site, "ann", OWN, &chinese()).await.fine(), chinese());
    assert_eq!(site.seen_by("ann", OWN).await, chinese());
    let locale = Locale { language: Some(Language::Zh), zone: Some("Asia/Shanghai".to_owned()) };
    let after = users::get(&*site.table, "ann").await.unwrap().unwrap();
    assert!(after == users::User { locale, ..before }, "{after:?}");
    assert_eq!(stored(&site, "bob").await, Locale::default());
    put(&site, "ann", OWN, &json!({ "zone": "Europe/Berlin" })).await.fine();
    assert_eq!(site.seen_by("ann", OWN).await, json!({ "language": null, "zone": "Europe/Berlin" }));
}

#[tokio::test]
async fn an_administrator_says_it_of_anybody_and_nobody_else_of_another() {
    let site = Site::new().await;
    put(&site, "root", OF_BOB, &chinese()).await.fine();
    assert_eq!(site.seen_by("root", OF_BOB).await, chinese());
    assert_eq!(site.seen_by("bob", OWN).await, chinese());
    for user in ["ann", "bob"] {
        let english = json!({ "language": "en" });
        assert_eq!(put(&site, user, OF_BOB, &english).await.problem(403), "admins-only", "{user}");
        let read = site.ask(Method::GET, OF_BOB).by(&site.token(user)).send().await;
        assert_eq!(read.problem(403), "admins-only", "{user}");
    }
    for path in [OWN, OF_BOB] {
        assert_eq!(site.ask(Method::PUT, path).json(&chinese()).send().await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(site.get(path).send().await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(stored(&site, "bob").await.language, Some(Language::Zh));
    for nobody in ["/api/users/carl/locale", "/api/users/%00/locale"] {
        assert_eq!(put(&site, "root", nobody, &chinese()).await.problem(404), "not-found");
    }
}

#[tokio::test]
async fn what_nobody_could_be_spoken_to_by_is_refused() {
    let site = Site::new().await;
    for (wrong, code) in [
        (json!({ "zone": "Asia/Nowhere" }), "bad-locale"),
        (json!({ "zone": "" }), "bad-locale"),
        (json!({ "zone": "+08:00" }), "bad-locale"),
        (json!({ "language": "fr" }), "bad-body"),
        (json!({ "language": "zh", "role": "admin" }), "bad-body"),
    ] {
        let answer = put(&site, "ann", OWN, &wrong).await;
        assert!(answer.status.is_client_error(), "{wrong}");
        let status = answer.status.as_u16();
        assert_eq!(answer.problem(status), code, "{wrong}");
    }
    assert_eq!(stored(&site, "ann").await, Locale::default());
}
