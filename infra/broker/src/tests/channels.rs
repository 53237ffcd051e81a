use jobs::ports::{Audience, Position, Push, ToBroker};
use records::users;
use serde_json::{Value, json};

use super::site::{Client, MAC, Site};
use crate::fakes::eventually;

async fn publish(site: &Site, pushes: Vec<Push>) {
    site.link.send(ToBroker::Publish { pushes, position: None }).await.unwrap();
}

fn reading(number: u64) -> Push {
    let audience = Audience::Terminal(MAC.parse().unwrap());
    Push { event: format!("{MAC}1"), audience, data: json!({ "number": number }) }
}

fn alarm_of(user: &str) -> Push {
    Push { event: "alarm".to_owned(), audience: Audience::User(user.to_owned()), data: json!({ "for": user }) }
}

async fn client(site: &Site, user: &str) -> Client {
    site.client(Some(json!({ "token": site.signed_in(user) })), &[]).await
}

/// Subscribes, and gives what is acknowledged of each channel.
async fn subscribe(client: &mut Client, channels: Value) -> Vec<Value> {
    let (_, answer) = client.ask("subscribe", json!([{ "channels": channels }])).await;
    answer["channels"].as_array().cloned().unwrap()
}

/// Subscribes to one channel, which is refused.
async fn refusal(client: &mut Client, channel: &str) -> Value {
    let answers = subscribe(client, json!([{ "channel": channel }])).await;
    assert_eq!((&answers[0]["channel"], &answers[0]["ok"]), (&json!(channel), &json!(false)), "{answers:?}");
    answers[0]["code"].clone()
}

#[tokio::test]
async fn a_client_hears_what_it_subscribed_to_and_may_see() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    let answers =
        subscribe(&mut ann, json!([{ "channel": MAC }, { "channel": "me" }, { "channel": "nonsense" }])).await;
    assert_eq!(
        answers,
        [
            json!({ "channel": MAC, "ok": true, "seq": 0, "epoch": "b1" }),
            json!({ "channel": "me", "ok": true, "seq": 0, "epoch": "b1" }),
            json!({ "channel": "nonsense", "ok": false, "code": "no_such_channel" }),
        ]
    );
    publish(&site, vec![alarm_of("bob"), reading(1), alarm_of("ann")]).await;
    let heard = ann.expect("live").await.remove(0);
    assert_eq!(
        (&heard["event"], &heard["channel"], &heard["data"], &heard["seq"], &heard["epoch"]),
        (&json!("98D863CC870D1"), &json!(MAC), &json!({ "number": 1 }), &json!(2), &json!("b1"))
    );
    let heard = ann.expect("live").await.remove(0);
    assert_eq!((&heard["channel"], &heard["data"], &heard["seq"]), (&json!("me"), &json!({ "for": "ann" }), &json!(3)));
}

#[tokio::test]
async fn a_client_is_refused_what_its_user_may_not_see_and_hears_nothing_of_it() {
    let site = Site::start().await;
    let mut bob = client(&site, "bob").await;
    publish(&site, vec![reading(1)]).await;
    for (channel, code) in [(MAC, "not_yours"), ("98d863cc870d", "no_such_channel"), ("", "no_such_channel")] {
        assert_eq!(refusal(&mut bob, channel).await, code);
    }
    let answers = subscribe(&mut bob, json!([{ "channel": MAC, "seq": 0, "epoch": "b1" }, { "channel": "me" }])).await;
    assert_eq!((&answers[0]["code"], &answers[1]["ok"]), (&json!("not_yours"), &json!(true)));
    publish(&site, vec![reading(2), alarm_of("ann"), alarm_of("bob")]).await;
    assert_eq!(bob.expect("live").await[0]["data"], json!({ "for": "bob" }));
    assert_eq!(site.counters.subscriptions_refused.get(), 4);
}

#[tokio::test]
async fn who_is_not_signed_in_hears_nothing() {
    let site = Site::start().await;
    let token = site.signed_in("ann");
    let elsewhere = [("cookie", &*format!("token={token}")), ("origin", "http://evil.test")];
    let forged = json!({ "token": token.replace('.', "x") });
    for mut stranger in
        [site.client(None, &[]).await, site.client(Some(forged), &[]).await, site.client(None, &elsewhere).await]
    {
        assert_eq!(refusal(&mut stranger, "me").await, "not_signed_in");
    }
    let cookie = format!("token={token}");
    let mut ann = site.client(None, &[("cookie", &cookie)]).await;
    assert_eq!(subscribe(&mut ann, json!([{ "channel": "me" }])).await[0]["ok"], json!(true));
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_before_the_acknowledgement() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }])).await;
    publish(&site, vec![reading(1)]).await;
    let seen = ann.expect("live").await.remove(0);
    drop(ann);
    publish(&site, vec![reading(2), alarm_of("bob"), reading(3)]).await;

    let mut ann = client(&site, "ann").await;
    let again = json!([{ "channel": MAC, "seq": seen["seq"], "epoch": seen["epoch"] }]);
    let (missed, answer) = ann.ask("subscribe", json!([{ "channels": again }])).await;
    let numbers: Vec<&Value> = missed.iter().map(|(_, arguments)| &arguments[0]["data"]["number"]).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(answer["channels"], json!([{ "channel": MAC, "ok": true, "seq": 1, "epoch": "b1" }]));
    publish(&site, vec![reading(4)]).await;
    assert_eq!(ann.expect("live").await[0]["data"], json!({ "number": 4 }));
}

#[tokio::test]
async fn a_client_of_another_epoch_is_told_of_a_gap_and_where_to_look() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    let channels = json!([{ "channel": MAC, "seq": 7, "epoch": "b0" }, { "channel": "me", "seq": 7 }]);
    let (gaps, answer) = ann.ask("subscribe", json!([{ "channels": channels }])).await;
    let gaps: Vec<&Value> = gaps.iter().map(|(_, arguments)| &arguments[0]).collect();
    let snapshot = format!("/api/terminals/{MAC}");
    assert_eq!(
        gaps,
        [
            &json!({ "event": "gap", "channel": MAC, "seq": 0, "epoch": "b1", "snapshot": snapshot }),
            &json!({ "event": "gap", "channel": "me", "seq": 0, "epoch": "b1", "snapshot": "/api/alarms" }),
        ]
    );
    assert_eq!(answer["channels"][0]["epoch"], "b1");
}

#[tokio::test]
async fn what_is_unsubscribed_is_heard_no_more() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }, { "channel": "me" }])).await;
    let (_, answer) = ann.ask("unsubscribe", json!([{ "channels": [{ "channel": MAC }] }])).await;
    assert_eq!(answer["channels"], json!([{ "channel": MAC, "ok": true }]));
    publish(&site, vec![reading(1), alarm_of("ann")]).await;
    assert_eq!(ann.expect("live").await[0]["channel"], "me");
}

#[tokio::test]
async fn who_lost_the_sight_of_a_terminal_is_told_and_hears_no_more_of_it() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }, { "channel": "me" }])).await;
    users::unbind(site.table.as_ref(), "ann", &MAC.parse().unwrap()).await.unwrap();
    site.look_again().await;
    assert_eq!(ann.expect("live").await, [json!({ "event": "ended", "channel": MAC, "code": "not_yours" })]);
    publish(&site, vec![reading(1), alarm_of("ann")]).await;
    assert_eq!(ann.expect("live").await[0]["channel"], "me");
    assert_eq!(refusal(&mut ann, MAC).await, "not_yours");
}

#[tokio::test]
async fn who_left_is_forgotten() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }])).await;
    drop(ann);
    eventually("she is gone", || (site.counters.browser_connections.get() == 0).then_some(())).await;
    publish(&site, vec![reading(1)]).await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }])).await;
    assert_eq!((site.counters.pushes_sent.get(), site.counters.pushes_dropped.get()), (0, 0));
}

#[tokio::test]
async fn garbage_is_counted_and_answered() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    for (event, arguments) in [
        ("subscribe", json!([])),
        ("subscribe", json!([{ "channels": "me" }])),
        ("subscribe", json!([{ "channels": [{ "channel": "me", "seq": -1 }] }])),
        ("register", json!([{ "channels": [] }])),
    ] {
        let (_, answer) = ann.ask(event, arguments).await;
        assert_eq!(answer, json!({ "channels": [], "code": "bad_request" }));
    }
    assert_eq!(site.counters.browser_events_strange.get(), 4);
}

#[tokio::test]
async fn what_was_published_before_the_broker_was_there_is_for_who_comes_from_another_and_not_for_earlier_pages() {
    let site = Site::start_among_others().await;
    let cookie = format!("token={}", site.signed_in("ann"));
    let mut page = site.browser(&[("cookie", &cookie)]).await;
    page.say("register", json!(["ann"])).await;
    page.expect("registerSuccess").await;
    page.say("subscribe", json!([{ "event": format!("{MAC}1") }])).await;

    let mut ann = client(&site, "ann").await;
    let channels = json!([{ "channel": MAC, "seq": 4, "epoch": "e" }]);
    let asked = ann.ask("subscribe", json!([{ "channels": channels }]));
    let told = async {
        let at = |after, first| Position { epoch: "e".to_owned(), after, first, at: Some(domain::Timestamp(7)) };
        let past = |pushes, position| ToBroker::Past { pushes, position };
        for told in
            [past(vec![reading(3), reading(4)], at(2, 3)), past(vec![reading(5)], at(4, 5)), past(vec![], at(5, 6))]
        {
            site.link.send(told).await.unwrap();
        }
        site.link.send(ToBroker::Publish { pushes: vec![alarm_of("ann")], position: Some(at(5, 6)) }).await.unwrap();
    };
    let ((missed, answer), ()) = tokio::join!(asked, told);
    assert_eq!(answer["channels"][0]["ok"], true);
    let missed: Vec<&Value> = missed.iter().map(|(_, arguments)| &arguments[0]).collect();
    assert_eq!((missed.len(), &missed[0]["data"]["number"], &missed[0]["timestamp"]), (1, &json!(5), &json!(7)));
    page.expect("alarm").await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_told_of_a_gap_when_it_does() {
    let site = Site::start().await;
    let mut ann = client(&site, "ann").await;
    subscribe(&mut ann, json!([{ "channel": MAC }])).await;
    let great = |number| Push { data: json!({ "number": number, "text": "x".repeat(20_000) }), ..reading(number) };
    for from in (1..=4000).step_by(100) {
        publish(&site, (from..from + 100).map(great).collect()).await;
    }
    let dropped = || (site.counters.pushes_dropped.get() > 0).then_some(());
    eventually("the connection takes no more", dropped).await;

    let mut last = 0;
    let gap = loop {
        let heard = ann.expect("live").await.remove(0);
        if heard["event"] == "gap" {
            break heard["seq"].as_u64().unwrap();
        }
        assert_eq!(heard["seq"], last + 1, "until the gap nothing is missing");
        last += 1;
    };
    assert!((last + 1..=4000).contains(&gap), "{last}, then a gap until {gap}");
    publish(&site, vec![reading(4001)]).await;
    let mut heard = ann.expect("live").await.remove(0);
    while heard["event"] == "gap" || heard["seq"].as_u64() < Some(4001) {
        heard = ann.expect("live").await.remove(0);
    }
    assert_eq!((&heard["seq"], &heard["data"]["number"]), (&json!(4001), &json!(4001)));
}
