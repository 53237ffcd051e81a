use std::time::Duration;

use domain::{
    DeviceId,
    alarm::{Comparison, Condition, Level, Rule, Severity, Target},
};
use records::{
    Item, Key, Write,
    alarms::{self, Alarm, Which},
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Scope, rule_id},
    protocols, terminals,
    users::{self, Role},
};
use telltale_tests::flow::{Flow, mac};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";

/// A rule that humidity is above 59 %; the flow's sensor always says 60 %.
fn damp(owner: Option<&str>, scope: Scope) -> AlertRule {
    made(owner, scope, above("humidity", 59.0))
}

fn above(name: &str, to: f64) -> Condition {
    Condition::Compare { name: name.to_owned(), is: Comparison::Greater, to, deadband: 0.0 }
}

fn made(owner: Option<&str>, scope: Scope, condition: Condition) -> AlertRule {
    let rule = Rule::new(rule_id(owner, ID), condition, Severity::Warning);
    AlertRule {
        id: ID.to_owned(),
        name: "Damp".to_owned(),
        owner: owner.map(str::to_owned),
        target: Target::Device,
        scope,
        replaces: None,
        enabled: true,
        recipients: Recipients::default(),
        rule,
        version: 1,
        changed_at: domain::Timestamp(0),
        changed_by: "root".to_owned(),
    }
}

/// Changes a rule, and waits until that is in force.
async fn change(flow: &Flow, change: Change) {
    let changed = alert_rules::change(flow.cx.table.as_ref(), &[change], flow.now()).await.unwrap();
    assert_eq!(changed, Changed::Done);
    flow.after(Duration::from_secs(11)).await;
}

fn mails_to(flow: &Flow, user: &str) -> usize {
    let to = jobs::ports::Address::Email { to: format!("{user}@example.org") };
    flow.letters().iter().filter(|letter| letter.address == to).count()
}

async fn alarms(flow: &Flow, which: Which<'_>) -> Vec<Alarm> {
    alarms::list(flow.cx.table.as_ref(), which, 100, None).await.unwrap().items
}

async fn active(flow: &Flow) -> Vec<String> {
    alarms(flow, Which::Active).await.into_iter().map(|alarm| alarm.rule).collect()
}

#[tokio::test]
async fn browsers_are_shown_what_peoples_rules_raise_of_values_as_alarms_and_of_silence_as_connections() {
    for (condition, how) in
        [(above("temperature", 24.0), "alarm"), (Condition::NoData { after: Duration::from_secs(30) }, "连接")]
    {
        let flow = Flow::new().await;
        change(&flow, Change::create(made(None, Scope::Everywhere, condition))).await;
        flow.sensor_says(25.0).await;
        flow.after(Duration::from_secs(40)).await;
        let shown = flow.pushes().into_iter().rfind(|push| push.event == "alarm").unwrap().data;
        assert_eq!((&shown["type"], &shown["tag"]), (&serde_json::json!(how), &serde_json::json!("rule")));
    }
}

#[tokio::test]
async fn everybodys_rule_raises_and_ends_an_alarm_that_everybody_concerned_is_told_of() {
    let flow = Flow::new().await;
    flow.hire("bob", Role::User).await;
    flow.hire("root", Role::Admin).await;
    change(&flow, Change::create(made(None, Scope::Everywhere, above("temperature", 24.0)))).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, [format!("rule:{ID}")]);
    flow.sensor_says(23.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!([mails_to(&flow, "tech"), mails_to(&flow, "root"), mails_to(&flow, "bob")], [2, 2, 0]);
}

#[tokio::test]
async fn a_persons_rule_is_told_to_them_alone_and_only_where_they_see_the_device() {
    let flow = Flow::new().await;
    flow.hire("ann", Role::User).await;
    flow.hire("root", Role::Admin).await;
    change(&flow, Change::create(damp(Some("ann"), Scope::Everywhere))).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "she does not see it");
    users::bind(flow.cx.table.as_ref(), "ann", &mac()).await.unwrap();
    flow.sensor_says(25.5).await;
    assert_eq!(active(&flow).await, [format!("user:ann:rule:{ID}")]);
    assert_eq!([mails_to(&flow, "ann"), mails_to(&flow, "tech"), mails_to(&flow, "root")], [1, 0, 0]);
    users::unbind(flow.cx.table.as_ref(), "ann", &mac()).await.unwrap();
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "she sees it no longer");
}

#[tokio::test]
async fn a_rule_watches_the_devices_of_its_scope_and_no_others() {
    let device = |pid| Scope::Device(DeviceId { mac: mac(), pid });
    let other = "98D863CC870E".parse().unwrap();
    let protocol = |flow_protocol: &str| Scope::Protocol { protocol: flow_protocol.to_owned() };
    let of_type = |device_type: &str| Scope::DeviceType { device_type: device_type.to_owned() };
    let flow = Flow::new().await;
    let spoken = terminals::get(flow.cx.table.as_ref(), &mac()).await.unwrap().unwrap().devices[0].protocol.clone();
    for (scope, is_watched) in [
        (device(1), true),
        (device(2), false),
        (Scope::Terminal { mac: mac() }, true),
        (Scope::Terminal { mac: other }, false),
        (protocol(&spoken), true),
        (protocol("another"), false),
        (of_type("th"), true),
        (of_type("ups"), false),
    ] {
        let rule = damp(None, scope.clone());
        change(&flow, Change::create(rule.clone())).await;
        flow.sensor_says(25.0).await;
        assert_eq!(active(&flow).await.len(), usize::from(is_watched), "{scope:?}");
        change(&flow, Change::delete(rule)).await;
        flow.sensor_says(25.0).await;
        assert_eq!(active(&flow).await, Vec::<String>::new(), "{scope:?}");
    }
}

#[tokio::test]
async fn a_rule_that_is_tried_out_is_recorded_and_tells_nobody() {
    let flow = Flow::new().await;
    let mut rule = damp(None, Scope::Everywhere);
    rule.rule.shadow = true;
    change(&flow, Change::create(rule)).await;
    flow.sensor_says(25.0).await;
    let recorded = alarms(&flow, Which::Active).await;
    assert_eq!(recorded.iter().map(|alarm| alarm.shadow).collect::<Vec<_>>(), [true]);
    assert_eq!(flow.letters().len(), 0);
}

#[tokio::test]
async fn an_alarm_comes_to_matter_more_and_less_as_its_levels_say() {
    let flow = Flow::new().await;
    let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
    let above = vec![level(20.0, Severity::Info), level(25.0, Severity::Critical)];
    let condition = Condition::Levels { name: "temperature".to_owned(), above, below: Vec::new() };
    change(&flow, Change::create(made(None, Scope::Everywhere, condition))).await;
    for celsius in [21.0, 26.0, 22.0, 19.0] {
        flow.sensor_says(celsius).await;
    }
    let ever = alarms(&flow, Which::All).await;
    let severities: Vec<Severity> = ever[0].severities.iter().map(|change| change.severity).collect();
    assert_eq!((ever.len(), severities), (1, vec![Severity::Critical, Severity::Info]));
    assert!(ever[0].cleared_at.is_some());
    assert_eq!(flow.mails().len(), 4, "raised, more, less, over: {:?}", flow.mails());
}

#[tokio::test]
async fn an_alarm_ends_when_all_was_well_for_as_long_as_its_rule_wants() {
    let flow = Flow::new().await;
    let mut rule = made(None, Scope::Everywhere, above("temperature", 24.0));
    rule.rule.off_delay = Duration::from_secs(30);
    change(&flow, Change::create(rule)).await;
    flow.sensor_says(25.0).await;
    flow.sensor_says(20.0).await;
    flow.after(Duration::from_secs(20)).await;
    flow.sensor_says(20.5).await;
    assert_eq!(active(&flow).await.len(), 1);
    flow.after(Duration::from_secs(15)).await;
    flow.sensor_says(20.0).await;
    assert_eq!(active(&flow).await.len(), 0);
}

#[tokio::test]
async fn a_rule_that_is_changed_disabled_or_removed_is_followed() {
    let flow = Flow::new().await;
    let rule = damp(None, Scope::Everywhere);
    let disabled = AlertRule { enabled: false, version: 2, ..rule.clone() };
    change(&flow, Change::create(rule.clone())).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 1);
    change(&flow, Change::replace(rule.clone(), disabled.clone())).await;
    flow.sensor_says(25.0).await;
    let ended = alarms(&flow, Which::All).await;
    assert_eq!(ended[0].cleared_by.as_deref(), Some("the rule was removed"));
    let enabled = AlertRule { version: 3, ..rule };
    change(&flow, Change::replace(disabled, enabled.clone())).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 1);
    change(&flow, Change::delete(enabled)).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 0);
}

#[tokio::test]
async fn that_nothing_watches_for_an_alarm_any_more_is_not_told_as_its_recovery() {
    let flow = Flow::new().await;
    let rule = damp(None, Scope::Everywhere);
    let disabled = AlertRule { enabled: false, version: 2, ..rule.clone() };
    change(&flow, Change::create(rule.clone())).await;
    flow.sensor_says(25.0).await;
    flow.after(Duration::from_secs(90)).await;
    change(&flow, Change::replace(rule, disabled)).await;
    flow.sensor_says(25.0).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(flow.mails(), ["Alarm: Cold store / 1 TH-10", "No longer watched: Cold store / 1 TH-10"]);
    let text = flow.letters().pop().unwrap().text;
    assert!(text.contains("no longer watched") && text.contains(": its rule no longer applies"), "{text}");
    for word in ["ecovered", "cleared", "lasted", ", after "] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn of_a_value_that_a_protocol_tells_of_no_more_nothing_is_watched() {
    let flow = Flow::new().await;
    change(&flow, Change::create(damp(None, Scope::Everywhere))).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 1);
    let table = flow.cx.table.as_ref();
    let mut protocol = protocols::get(table, "温湿度传感器").await.unwrap().unwrap();
    protocol.instruct[0].form_resize.retain(|field| field.name != "humidity");
    protocols::put(table, &protocol).await.unwrap();
    flow.after(Duration::from_secs(11)).await;
    flow.sensor_says(25.0).await;
    assert_eq!(alarms(&flow, Which::All).await[0].cleared_by.as_deref(), Some("the rule was removed"));
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_keeps_no_other_from_watching() {
    let flow = Flow::new().await;
    let key = Key::new("alert-rule", "rule:00000000000000000000000000");
    let broken = Item { key, version: 1, expires: None, body: "{}".into() };
    assert!(flow.cx.table.write(Write::Put(broken, records::Condition::Always)).await.unwrap().applied());
    change(&flow, Change::create(damp(None, Scope::Everywhere))).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, [format!("rule:{ID}")]);
}

#[tokio::test]
async fn a_device_is_watched_though_its_protocol_is_unknown() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    terminal.devices[0].protocol = "unheard of".to_owned();
    terminals::put(table, &terminal).await.unwrap();
    change(&flow, Change::create(made(None, Scope::Everywhere, Condition::Missed { more_than: 2 }))).await;
    for count in 1..=3 {
        flow.sensor_misses(count).await;
    }
    assert_eq!(active(&flow).await, [format!("rule:{ID}")]);
}
