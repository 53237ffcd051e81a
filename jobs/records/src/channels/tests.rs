use domain::routing::Preferences;

use super::*;

fn endpoint(id: &str, events: &[&str]) -> Endpoint {
    Endpoint {
        id: id.to_owned(),
        owner: "ann".to_owned(),
        name: id.to_owned(),
        kind: Kind::Webhook,
        url: "https://example.org/hook".to_owned(),
        secret: None,
        retired: None,
        chat: None,
        events: events.iter().map(ToString::to_string).collect(),
        made_at: Timestamp(0),
        disabled: None,
        failing: None,
    }
}

fn channels(order: &[&str], one_by_one: bool) -> Channels {
    let order = Order { channels: order.iter().map(ToString::to_string).collect(), one_by_one };
    let own = vec!["email".to_owned(), "sms".to_owned()];
    Channels { order, endpoints: vec![endpoint("a", &[]), endpoint("b", &["alarm.raised"])], own }
}

#[test]
fn who_chose_nothing_is_told_on_all_channels_at_once() {
    assert_eq!(
        channels(&[], false).told_first("alarm.raised", &Preferences::default(), &[]),
        ["email", "sms", "webhook/a", "webhook/b"]
    );
}

#[test]
fn an_endpoint_hears_of_the_events_it_wants() {
    assert_eq!(
        channels(&[], false).told_first("alarm.cleared", &Preferences::default(), &[]),
        ["email", "sms", "webhook/a"]
    );
}

#[test]
fn the_order_is_theirs_and_what_is_not_in_it_comes_after_and_what_is_gone_is_passed_over() {
    let chosen = channels(&["webhook/b", "wechat", "sms", "sms"], true);
    assert_eq!(chosen.all(), ["webhook/b", "sms", "email", "webhook/a"]);
    assert_eq!(chosen.told_first("alarm.raised", &Preferences::default(), &[]), ["webhook/b"]);
    assert_eq!(chosen.told_first("alarm.cleared", &Preferences::default(), &[]), ["sms"]);
}

#[test]
fn one_by_one_a_disabled_endpoint_is_passed_over_unless_it_is_all_there_is() {
    let mut chosen = channels(&["webhook/a"], true);
    chosen.endpoints[0].disabled = Some(Disabled { at: Timestamp(0), why: String::new() });
    assert_eq!(chosen.told_first("alarm.raised", &Preferences::default(), &[]), ["email"]);
    chosen.own.clear();
    chosen.endpoints.truncate(1);
    assert_eq!(chosen.told_first("alarm.raised", &Preferences::default(), &[]), ["webhook/a"]);
}

const HOUR: i64 = 3_600_000;

fn failing(hours: impl IntoIterator<Item = i64>) -> Failing {
    hours.into_iter().fold(None, |before, hour| Some(Failing::again(before, Timestamp(hour * HOUR)))).unwrap()
}

#[test]
fn an_endpoint_is_hopeless_after_five_days_of_trying() {
    assert!(!failing((0..120).step_by(10)).is_hopeless());
    assert!(failing((0..=120).step_by(10)).is_hopeless());
}

#[test]
fn two_failures_far_apart_are_no_trying() {
    assert!(!failing([0, 200]).is_hopeless());
    assert!(!failing([0, 200, 210, 220]).is_hopeless());
    assert!(failing([0, 200, 210, 224]).is_hopeless());
}
