mod by_name;
mod whole;

use std::{sync::Arc, time::Duration};

use domain::{
    Source, Timestamp,
    alarm::{About, Change, ChangeKind, Severity},
    routing::{Matcher, Window},
};
use engine_http::axum::http::{Method, StatusCode, header};
use futures::future::join_all;
use jobs::links::{Action, GOOD_FOR, Link, Links};
use records::{
    Versioned,
    alarms::{self, Acknowledgement, Alarm},
    facts::Facts,
    locale::{Language, Locale},
    notices::{self, Notice, NoticeStatus},
    silences, users,
};

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site, links, mac},
    tables::{Away, Full},
};

const ALARM: &str = "01JD0000000000000000000001";
const NOTICE: &str = "01JD0000000000000000000002";

fn change(alarm: &str) -> Change {
    let at = Timestamp(1_780_000_000_000);
    let about = About { alarm, rule: "offline", severity: Severity::Critical, since: at, shadow: false };
    Change::of(ChangeKind::Raised, about, at, "link lost: it left its node")
}

/// The alarm that a change raised stands, and nobody has it on.
async fn stands(site: &Site, source: Source, raised: Change) -> Alarm {
    let Change { alarm, severity, detail, rule, at, .. } = raised;
    let alarm = Alarm {
        id: alarm,
        source,
        rule,
        severity,
        detail,
        raised_at: at,
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: alarms::AlarmLife::default(),
    };
    let writes = alarms::put(&Versioned { value: alarm.clone(), version: 0 }).unwrap();
    assert!(site.table.transact(writes).await.unwrap().applied());
    alarm
}

/// An alarm of a terminal, and a notice of it to Ann.
async fn told_of(terminal: &str) -> Site {
    let site = Site::new().await;
    let source = Source::Terminal(mac(terminal));
    stands(&site, source.clone(), change(ALARM)).await;
    let facts = Facts::of_source(source.clone(), "Cold <store>".to_owned(), vec![change(ALARM)]);
    let notice = Notice {
        id: NOTICE.to_owned(),
        user: "ann".to_owned(),
        channel: "email".to_owned(),
        source,
        transition: "t1".to_owned(),
        transitions: vec!["t1".to_owned()],
        incident: "i1".to_owned(),
        sequence: 1,
        subject: String::new(),
        text: String::new(),
        at: site.now(),
        status: NoticeStatus::Sent,
        attempts: Vec::new(),
        way: notices::Way::default(),
        facts: Some(facts),
    };
    assert!(site.table.write(notices::put_new(&notice).unwrap()).await.unwrap().applied());
    site
}

use records::Table as _;

fn link(site: &Site) -> Link {
    Link::new(Action::Acknowledge, "ann", NOTICE, site.now())
}

fn path(links: &Links, link: &Link) -> String {
    format!("/act/{}", links.token(link))
}

/// Ann's link to her alarm.
fn hers(site: &Site) -> String {
    path(&links(), &link(site))
}

async fn word(site: &Site) -> Option<Acknowledgement> {
    alarms::get(&*site.table, ALARM).await.unwrap().unwrap().value.acknowledged
}

/// The page of this status; its headers are those of every page.
fn page(answer: &Answer, status: StatusCode) -> &str {
    assert_eq!(answer.status, status, "{}", answer.text);
    let told = |name| answer.headers[name].to_str().unwrap();
    assert_eq!(told(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!((told(header::CACHE_CONTROL), told(header::REFERRER_POLICY)), ("no-store", "no-referrer"));
    let policy = told(header::CONTENT_SECURITY_POLICY);
    for part in ["default-src 'none'", "style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !answer.text.contains("<script"), "{}", answer.text);
    &answer.text
}

#[tokio::test]
async fn to_look_at_a_link_changes_nothing_and_shows_what_it_is_about() {
    let site = told_of(HERS).await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let answer = site.ask(method.clone(), &hers(&site)).send().await;
        let shown = page(&answer, StatusCode::OK);
        assert_eq!(shown.is_empty(), method == Method::HEAD);
        if method == Method::GET {
            assert!(shown.contains("<form method=\"post\">") && shown.contains("Do you take this on?"), "{shown}");
            assert!(shown.contains("Cold &lt;store&gt;") && shown.contains("link lost: it left its node"), "{shown}");
        }
        assert_eq!(word(&site).await, None, "{method}");
    }
}

#[tokio::test]
async fn a_link_is_used_once_and_says_by_whom_and_that_it_was_a_link() {
    let site = told_of(HERS).await;
    let done = site.post(&hers(&site)).send().await;
    assert!(page(&done, StatusCode::OK).contains("You have taken it on."), "{}", done.text);
    let word_given = word(&site).await.unwrap();
    assert_eq!((word_given.by.as_str(), word_given.note.as_deref()), ("ann", Some("by link")));
    for again in [site.post(&hers(&site)).send().await, site.get(&hers(&site)).send().await] {
        let told = page(&again, StatusCode::GONE);
        assert!(told.contains("This link was used") && !told.contains("<form"), "{told}");
    }
    assert_eq!(word(&site).await, Some(word_given));
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_does() {
    let site = told_of(HERS).await;
    let answers = join_all((0..20).map(|_| site.post(&hers(&site)).send())).await;
    let done = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let others = answers.iter().filter(|it| matches!(it.status, StatusCode::CONFLICT | StatusCode::GONE)).count();
    assert_eq!((done, others), (1, 19));
}

#[tokio::test]
async fn what_we_did_not_sign_does_nothing() {
    let site = told_of(HERS).await;
    let elsewhere = Links::new("https://site.test", &[8; 32]).unwrap();
    let good = hers(&site);
    let mut changed = good.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'x' { b'y' } else { b'x' };
    let changed = String::from_utf8(changed).unwrap();
    for path in [&changed, &path(&elsewhere, &link(&site)), &good[..good.len() - 1], "/act/x", &format!("{good}A")] {
        for method in [Method::GET, Method::POST] {
            let answer = site.ask(method, path).send().await;
            assert!(page(&answer, StatusCode::NOT_FOUND).contains("This link does not work"), "{path}");
        }
    }
    assert_eq!(word(&site).await, None);
}

#[tokio::test]
async fn a_link_ends_after_a_day() {
    let site = told_of(HERS).await;
    let path = hers(&site);
    site.clock.advance(GOOD_FOR);
    for method in [Method::GET, Method::POST] {
        let answer = site.ask(method, &path).send().await;
        assert!(page(&answer, StatusCode::GONE).contains("This link is too old"), "{}", answer.text);
    }
    assert_eq!(word(&site).await, None);
}

#[tokio::test]
async fn a_link_does_no_more_than_its_user_may() {
    let unseen = told_of(OTHER).await;
    let unbound = told_of(HERS).await;
    users::unbind(&*unbound.table, "ann", &mac(HERS)).await.unwrap();
    for site in [unseen, unbound] {
        for method in [Method::GET, Method::POST] {
            let answer = site.ask(method, &hers(&site)).send().await;
            let told = page(&answer, StatusCode::FORBIDDEN);
            assert!(told.contains("You may not do this any more") && !told.contains("Cold"), "{told}");
        }
        assert_eq!(word(&site).await, None);
    }
}

#[tokio::test]
async fn a_link_of_somebody_who_is_no_user_any_more_does_nothing() {
    let site = told_of(HERS).await;
    let gone = path(&links(), &Link { user: "carl".to_owned(), ..link(&site) });
    assert_eq!(site.post(&gone).send().await.status, StatusCode::FORBIDDEN);
    // Bob has a good signature for Ann's notice, and no notice of that name.
    let bobs = path(&links(), &Link { user: "bob".to_owned(), ..link(&site) });
    assert_eq!(site.post(&bobs).send().await.status, StatusCode::FORBIDDEN);
    assert_eq!(word(&site).await, None);
}

#[tokio::test]
async fn what_somebody_took_on_before_is_theirs() {
    let site = told_of(HERS).await;
    let taken = format!("/api/alarms/{ALARM}/acknowledge");
    site.post(&taken).by(&site.token("root")).send().await.fine();
    for method in [Method::GET, Method::POST] {
        let answer = site.ask(method, &hers(&site)).send().await;
        let told = page(&answer, StatusCode::OK);
        assert!(told.contains("Taken on by root") && !told.contains("<form"), "{told}");
    }
    assert_eq!(word(&site).await.unwrap().by, "root");
}

#[tokio::test]
async fn pages_are_in_the_users_language_or_else_in_the_browsers() {
    let site = told_of(HERS).await;
    let mut ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
    ann.locale = Locale { language: Some(Language::Zh), zone: Some("Asia/Shanghai".to_owned()) };
    users::put(&*site.table, &ann).await.unwrap();
    let asked = site.get(&hers(&site)).header("accept-language", "en").send().await;
    assert!(page(&asked, StatusCode::OK).contains("确认由您处理此告警？"), "{}", asked.text);
    for (accepted, told) in
        [("zh-CN,en;q=0.5", "此链接无效"), ("fr", "This link does not work"), ("", "This link does not work")]
    {
        let answer = site.get("/act/x").header("accept-language", accepted).send().await;
        assert!(page(&answer, StatusCode::NOT_FOUND).contains(told), "{accepted}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_or_full_costs_no_link() {
    let away = told_of(HERS).await;
    let path_away = hers(&away);
    let answer = away.over_another(|_| Arc::new(Away)).post(&path_away).send().await;
    assert!(page(&answer, StatusCode::SERVICE_UNAVAILABLE).contains("The link is still good"), "{}", answer.text);
    let site = told_of(HERS).await;
    let table = site.table.clone();
    let path = hers(&site);
    let full = site.over_another(|table| Arc::new(Full(table)));
    assert_eq!(full.post(&path).send().await.status, StatusCode::SERVICE_UNAVAILABLE);
    let well = full.over_another(|_| table);
    assert_eq!(well.post(&path).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn links_are_not_looked_at_without_end() {
    let site = told_of(HERS).await;
    let last = async |path: &str, times: usize| {
        let mut last = None;
        for _ in 0..times {
            last = Some(site.get(path).send().await);
        }
        last.unwrap()
    };
    page(&last(&hers(&site), 60).await, StatusCode::OK);
    assert!(page(&last(&hers(&site), 1).await, StatusCode::TOO_MANY_REQUESTS).contains("Too many requests"));
    assert_eq!(last("/act/x", 600).await.status, StatusCode::NOT_FOUND);
    assert_eq!(last("/act/x", 1).await.status, StatusCode::TOO_MANY_REQUESTS);
    site.clock.advance(Duration::from_mins(1));
    assert_eq!(last(&hers(&site), 1).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_a_form_can_do_it() {
    let site = told_of(HERS).await;
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let answer = site.ask(method, &hers(&site)).send().await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(word(&site).await, None);
}

/// What is kept from being told, to whom: everybody's and Ann's.
async fn silenced(site: &Site) -> Vec<(Option<String>, Option<Source>, Option<String>, Duration)> {
    let mut all = Vec::new();
    for owner in [None, Some("ann"), Some("root")] {
        for kept in silences::of_owner(&*site.table, owner).await.unwrap() {
            let time = match kept.silence.window {
                Window::Once { from, until } => until.since(from),
                Window::Weekly { .. } => Duration::MAX,
            };
            let Matcher { source, rule, severity_at_most, .. } = kept.silence.matcher;
            assert!(severity_at_most.is_some(), "what comes to matter more is told");
            all.push((kept.owner, source, rule, time));
        }
    }
    all
}

#[tokio::test]
async fn who_snoozes_by_a_link_hears_nothing_of_it_for_that_time_and_everybody_else_does() {
    let site = told_of(HERS).await;
    for (action, hours) in [(Action::SnoozeHour, 1), (Action::SnoozeShift, 8)] {
        let before = silenced(&site).await;
        let path = path(&links(), &Link { action, ..link(&site) });
        let asked = site.get(&path).send().await;
        assert!(page(&asked, StatusCode::OK).contains("You will hear nothing of it"), "{}", asked.text);
        assert_eq!(silenced(&site).await, before, "it asks");
        page(&site.post(&path).send().await, StatusCode::OK);
        page(&site.post(&path).send().await, StatusCode::GONE);
        let (source, rule) = (Some(Source::Terminal(mac(HERS))), Some("offline".to_owned()));
        let made = (Some("ann".to_owned()), source, rule, Duration::from_hours(hours));
        let after = silenced(&site).await;
        assert!(after.len() == before.len() + 1 && after.contains(&made), "{after:?}");
    }
    assert_eq!(word(&site).await, None, "nobody took it on");
}

#[tokio::test]
async fn who_is_no_administrator_silences_nothing_for_others() {
    let site = told_of(HERS).await;
    let path = path(&links(), &Link { action: Action::Silence, ..link(&site) });
    for answer in [site.get(&path).send().await, site.post(&path).send().await] {
        page(&answer, StatusCode::FORBIDDEN);
    }
    assert_eq!(silenced(&site).await, []);
    let mut ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
    ann.role = users::Role::Admin;
    users::put(&*site.table, &ann).await.unwrap();
    let answer = site.post(&path).send().await;
    page(&answer, StatusCode::OK);
    let silenced = silenced(&site).await;
    assert!(
        matches!(&silenced[..], [(None, Some(_), Some(_), time)] if *time == Duration::from_hours(8)),
        "{silenced:?}"
    );
}

/// The alarm is over.
async fn ends(site: &Site, alarm: &str) {
    let mut alarm = alarms::get(&*site.table, alarm).await.unwrap().unwrap();
    alarm.value.cleared_at = Some(site.now());
    assert!(site.table.transact(alarms::put(&alarm).unwrap()).await.unwrap().applied());
}

#[tokio::test]
async fn a_link_about_what_is_over_says_so_and_takes_nothing_on() {
    let site = told_of(HERS).await;
    ends(&site, ALARM).await;
    for answer in [site.get(&hers(&site)).send().await, site.post(&hers(&site)).send().await] {
        let shown = page(&answer, StatusCode::OK);
        assert!(shown.contains("It is over") && !shown.contains("<form"), "{shown}");
    }
    assert_eq!(word(&site).await, None);
    let snooze = path(&links(), &Link { action: Action::SnoozeHour, ..link(&site) });
    let asked = site.get(&snooze).send().await;
    let shown = page(&asked, StatusCode::OK);
    assert!(shown.contains("It is over by now. You will hear nothing of it") && shown.contains("<form"), "{shown}");
}

#[tokio::test]
async fn of_several_alarms_a_link_takes_on_those_that_stand() {
    let site = told_of(HERS).await;
    let other = "01JD0000000000000000000007";
    let source = Source::Terminal(mac(HERS));
    stands(&site, source.clone(), change(other)).await;
    let mut notice = notices::get(&*site.table, "ann", NOTICE).await.unwrap().unwrap();
    notice.value.facts = Some(Facts::of_source(source, "Cold store".to_owned(), vec![change(ALARM), change(other)]));
    assert!(site.table.write(notices::update(&notice).unwrap()).await.unwrap().applied());
    ends(&site, other).await;
    let done = site.post(&hers(&site)).send().await;
    assert!(page(&done, StatusCode::OK).contains("You have taken it on."), "{}", done.text);
    assert!(word(&site).await.is_some());
    let other = alarms::get(&*site.table, other).await.unwrap().unwrap().value;
    assert_eq!(other.acknowledged, None);
}
