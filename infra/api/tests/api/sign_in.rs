use std::time::Duration;

use engine_http::axum::http::{StatusCode, header};
use serde_json::json;

use crate::{
    answer::Answer,
    site::{HERS, PASSWORD, SESSION, Site},
};

async fn sign_in(site: &Site, user: &str, password: &str) -> Answer {
    site.post("/api/auth/login").json(&json!({ "user": user, "password": password })).send().await
}

async fn fail(site: &Site, user: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(sign_in(site, user, "wrong").await.problem(401), "wrong-sign-in");
    }
}

#[tokio::test]
async fn the_right_password_opens_the_api() {
    let site = Site::new().await;
    let answer = sign_in(&site, "ann", PASSWORD).await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let body = answer.fine();
    assert_eq!((&body["user"], &body["role"]), (&json!("ann"), &json!("user")));
    assert_eq!(body["expires"], "2026-05-29T08:26:40.000Z");
    let path = format!("/api/terminals/{HERS}");
    site.get(&path).by(body["token"].as_str().unwrap()).send().await.fine();
}

#[tokio::test]
async fn a_browser_is_signed_in_by_its_cookie() {
    let site = Site::new().await;
    let answer = sign_in(&site, "ann", PASSWORD).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let (token, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, format!("HttpOnly; SameSite=Lax; Path=/; Max-Age={}", SESSION.as_secs()));
    site.get("/api/terminals").header("cookie", token).send().await.fine();
}

#[tokio::test]
async fn behind_https_the_cookie_stays_there() {
    let answer = sign_in(&Site::new().await.behind_https(), "ann", PASSWORD).await;
    assert!(answer.headers[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_the_same() {
    let site = Site::new().await;
    let wrong = sign_in(&site, "ann", "wrong").await;
    let unknown = sign_in(&site, "nobody", "wrong").await;
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.headers, unknown.headers);
    assert_eq!(unknown.problem(401), "wrong-sign-in");
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_name_for_half_an_hour() {
    let site = Site::new().await;
    fail(&site, "ann", 5).await;
    site.clock.advance(Duration::from_mins(29));
    let locked = sign_in(&site, "ann", PASSWORD).await;
    assert_eq!(locked.headers[header::RETRY_AFTER], "60");
    assert_eq!(locked.problem(429), "sign-in-locked");
    sign_in(&site, "bob", PASSWORD).await.fine();
    site.clock.advance(Duration::from_mins(1));
    sign_in(&site, "ann", PASSWORD).await.fine();
}

#[tokio::test]
async fn a_restart_does_not_unlock() {
    let site = Site::new().await;
    fail(&site, "ann", 5).await;
    assert_eq!(sign_in(&site.restarted(), "ann", PASSWORD).await.problem(429), "sign-in-locked");
}

#[tokio::test]
async fn a_name_nobody_has_is_locked_like_any_other() {
    let site = Site::new().await;
    fail(&site, "nobody", 5).await;
    assert_eq!(sign_in(&site, "nobody", "wrong").await.problem(429), "sign-in-locked");
}

#[tokio::test]
async fn the_right_password_wipes_the_slate() {
    let site = Site::new().await;
    for _ in 0..2 {
        fail(&site, "ann", 4).await;
        sign_in(&site, "ann", PASSWORD).await.fine();
    }
}

#[tokio::test]
async fn wrong_passwords_of_long_ago_do_not_count() {
    let site = Site::new().await;
    fail(&site, "ann", 4).await;
    site.clock.advance(Duration::from_mins(30));
    fail(&site, "ann", 4).await;
    sign_in(&site, "ann", PASSWORD).await.fine();
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_too() {
    let site = Site::new().await;
    let guesses = (0..20).map(|_| sign_in(&site, "ann", "wrong"));
    let answers = futures::future::join_all(guesses).await;
    let checked = answers.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
    assert!((5..=6).contains(&checked), "{checked} of 20 guesses were checked");
}

#[tokio::test]
async fn names_and_passwords_that_can_be_nobodys_are_refused() {
    let site = Site::new().await;
    let long = "x".repeat(2000);
    for (user, password) in [("", "x"), ("a\0b", "x"), (long.as_str(), "x"), ("ann", long.as_str())] {
        assert_eq!(sign_in(&site, user, password).await.problem(400), "bad-body");
    }
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let site = Site::new().await;
    let token = site.token("ann");
    site.clock.advance(SESSION);
    assert_eq!(site.get("/api/terminals").by(&token).send().await.problem(401), "token-expired");
}

#[tokio::test]
async fn a_token_of_nobody_or_nothing_opens_nothing() {
    let site = Site::new().await;
    for token in [site.token("gone").as_str(), "a.b.c"] {
        let answer = site.get("/api/terminals").by(token).send().await;
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(answer.problem(401), "token-invalid");
    }
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let site = Site::new().await;
    let answer = site.post("/api/auth/logout").send().await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers[header::SET_COOKIE], "token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookie_to_change_anything() {
    let site = Site::new().await;
    let cookie = format!("token={}", site.token("ann"));
    for path in ["/api/auth/logout", "/api/alarms/01J00000000000000000000000/acknowledge"] {
        let post = || site.post(path).header("cookie", &cookie);
        assert_eq!(post().send().await.problem(403), "foreign-origin");
        assert_eq!(post().header("origin", "http://evil.test").send().await.problem(403), "foreign-origin");
        let own = post().header("origin", "https://site.test").send().await;
        assert_ne!(own.status, StatusCode::FORBIDDEN);
    }
}
