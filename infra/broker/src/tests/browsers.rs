use jobs::ports::{Audience, Push, ToBroker};
use records::users;
use serde_json::{Value, json};

use super::site::{Client, MAC, Site};
use crate::fakes::eventually;

fn about_terminal(event: &str) -> Push {
    Push { event: event.to_owned(), audience: Audience::Terminal(MAC.parse().unwrap()), data: json!({ "mac": MAC }) }
}

fn own(user: &str) -> Push {
    Push { event: "alarm".to_owned(), audience: Audience::User(user.to_owned()), data: json!({ "for": user }) }
}

async fn publish(site: &Site, pushes: Vec<Push>) {
    site.link.send(ToBroker::Publish { pushes, position: None }).await.unwrap();
}

async fn signed_in(site: &Site, user: &str) -> Client {
    let cookie = format!("theme=dark; token={}", site.signed_in(user));
    let mut browser = site.browser(&[("cookie", &cookie)]).await;
    browser.say("register", json!([{ "user": user }])).await;
    assert_eq!(browser.expect("registerSuccess").await, [json!(format!("hello,{user}"))]);
    browser
}

async fn refused(browser: &mut Client, event: &str) {
    browser.say("subscribe", json!([{ "event": event }])).await;
    assert_eq!(browser.expect("error").await[0]["event"], event);
}

#[tokio::test]
async fn a_browser_hears_what_it_subscribed_to_and_may_see() {
    let site = Site::start().await;
    let mut ann = signed_in(&site, "ann").await;
    for event in ["98D863CC870D1", "MacUpdate98D863CC870D", "alarm"] {
        ann.say("subscribe", json!([{ "event": event }])).await;
    }
    refused(&mut ann, "nonsense").await;
    let pushes = ["98D863CC870D2", "98D863CC870D1", "MacUpdate98D863CC870D"].map(about_terminal);
    publish(&site, pushes.into_iter().chain([own("bob"), own("ann")]).collect()).await;
    let heard: Vec<(String, Vec<Value>)> =
        [ann.event().await, ann.event().await, ann.event().await].into_iter().flatten().collect();
    assert_eq!(heard[0].0, "98D863CC870D1");
    assert_eq!(heard[1], ("MacUpdate98D863CC870D".to_owned(), vec![json!({ "mac": MAC })]));
    assert_eq!(heard[2], ("alarm".to_owned(), vec![json!({ "for": "ann" })]));
    assert_eq!(site.counters.pushes_sent.get(), 3);
}

#[tokio::test]
async fn a_browser_is_refused_what_its_user_may_not_see() {
    let site = Site::start().await;
    let mut bob = signed_in(&site, "bob").await;
    for event in ["98D863CC870D1", "MacUpdate98D863CC870D", "98D863CC870D_live", "MacUpdate", "mac_log", ""] {
        refused(&mut bob, event).await;
    }
    assert_eq!(site.counters.subscriptions_refused.get(), 6);
}

#[tokio::test]
async fn an_administrator_hears_of_any_terminal() {
    let site = Site::start().await;
    let mut root = signed_in(&site, "root").await;
    root.say("subscribe", json!(["MacUpdate"])).await;
    refused(&mut root, "nonsense").await;
    publish(&site, vec![about_terminal("MacUpdate98D863CC870D")]).await;
    assert_eq!(root.expect("MacUpdate").await, [json!({ "mac": MAC })]);
}

#[tokio::test]
async fn what_is_unsubscribed_is_heard_no_more() {
    let site = Site::start().await;
    let mut ann = signed_in(&site, "ann").await;
    for event in ["98D863CC870D1", "98D863CC870D2"] {
        ann.say("subscribe", json!([{ "event": event }])).await;
    }
    refused(&mut ann, "nonsense").await;
    ann.say("unSubscribe", json!([{ "event": "98D863CC870D1" }])).await;
    refused(&mut ann, "nonsense").await;
    publish(&site, ["98D863CC870D1", "98D863CC870D2"].map(about_terminal).to_vec()).await;
    ann.expect("98D863CC870D2").await;
}

#[tokio::test]
async fn who_is_not_signed_in_may_hear_nothing() {
    let site = Site::start().await;
    let mut stranger = site.browser(&[]).await;
    refused(&mut stranger, "alarm").await;
    stranger.say("register", json!([{ "user": "ann" }])).await;
    stranger.expect("error").await;
    let broken = site.signed_in("ann").replace('.', "x");
    let mut forger = site.browser(&[("authorization", &format!("Bearer {broken}"))]).await;
    refused(&mut forger, "alarm").await;
}

#[tokio::test]
async fn nobody_registers_as_somebody_else() {
    let site = Site::start().await;
    let mut bob = signed_in(&site, "bob").await;
    bob.say("register", json!([{ "user": "ann" }])).await;
    bob.expect("error").await;
}

#[tokio::test]
async fn a_cookie_does_not_count_on_another_sites_page() {
    let site = Site::start().await;
    let cookie = format!("token={}", site.signed_in("ann"));
    let mut elsewhere = site.browser(&[("cookie", &cookie), ("origin", "http://evil.test")]).await;
    refused(&mut elsewhere, "alarm").await;
    let here = format!("http://{}", site.address);
    let mut here = site.browser(&[("cookie", &cookie), ("origin", &here)]).await;
    here.say("register", json!(["ann"])).await;
    here.expect("registerSuccess").await;
}

#[tokio::test]
async fn who_lost_the_sight_of_a_terminal_hears_no_more_of_it() {
    let site = Site::start().await;
    let mut ann = signed_in(&site, "ann").await;
    ann.say("subscribe", json!([{ "event": "98D863CC870D1" }])).await;
    refused(&mut ann, "nonsense").await;
    users::unbind(site.table.as_ref(), "ann", &MAC.parse().unwrap()).await.unwrap();
    site.look_again().await;
    assert_eq!(ann.expect("error").await[0]["event"], "98D863CC870D1");
    publish(&site, vec![about_terminal("98D863CC870D1"), own("ann")]).await;
    assert_eq!(ann.expect("alarm").await, [json!({ "for": "ann" })]);
    assert_eq!(site.counters.pushes_sent.get(), 1);
}

#[tokio::test]
async fn garbage_from_a_browser_is_counted_and_nothing_worse() {
    let site = Site::start().await;
    let mut ann = signed_in(&site, "ann").await;
    for (event, arguments) in
        [("subscribe", json!([7])), ("unSubscribe", json!([])), ("x", json!([[[]]])), ("subscribe", json!([{}]))]
    {
        ann.say(event, arguments).await;
    }
    eventually("all are counted", || (site.counters.browser_events_strange.get() == 4).then_some(())).await;
    ann.say("disConnect", json!([{ "user": "ann" }])).await;
    refused(&mut ann, "nonsense").await;
}

#[tokio::test]
async fn whoever_watches_a_terminal_sees_what_is_said_of_it_as_it_is_said() {
    let site = Site::start().await;
    let (mut ann, mut root) = (signed_in(&site, "ann").await, signed_in(&site, "root").await);
    let live = format!("{MAC}_live");
    ann.say("subscribe", json!([{ "event": live }])).await;
    root.say("subscribe", json!([{ "event": "mac_log" }])).await;
    // What is answered after it was heard: the subscriptions stand.
    refused(&mut ann, "nonsense").await;
    refused(&mut root, "nonsense").await;
    let mut node = site.ready_node().await;
    node.say("terminalOn", json!([[MAC, "98D863CC870E"], false])).await;

    let shown = ann.expect(&live).await.remove(0);
    assert_eq!((&shown["type"], &shown["mac"]), (&json!("terminalOn"), &json!(MAC)));
    assert_eq!(shown["data"], json!([[MAC, "98D863CC870E"], false]));
    let logged: Vec<Value> = [root.expect("mac_log").await, root.expect("mac_log").await].concat();
    assert_eq!(logged.iter().map(|row| &row["mac"]).collect::<Vec<_>>(), [&json!(MAC), &json!("98D863CC870E")]);

    node.say("instructTimeOut", json!([MAC, 1, ["0103"]])).await;
    let message = format!("部分指令超时,mac:{MAC}/pid:1/instruct:0103");
    root.expect("mac_log").await;
    assert_eq!(root.expect("message").await, [json!(message)]);
    assert_eq!(ann.expect(&live).await[0]["type"], "instructTimeOut");
}
