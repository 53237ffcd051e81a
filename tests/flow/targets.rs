//! Rules of what devices hang on, in the place of common ones and beside them.

use std::time::Duration;

use domain::{
    Need, Source,
    alarm::{Comparison, Condition, Rule, Severity, Target},
};
use jobs::report::{Event, TerminalInfo};
use records::{
    alarms::{self, Alarm, Which},
    alert_rules::{self, AlertRule, Change, Changed, Replaced, Scope, rule_id},
    users::{self, Role},
};
use serde_json::json;
use telltale_tests::flow::{Flow, MAC, mac};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";
const OTHER: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ2";

fn rule(owner: Option<&str>, target: Target, condition: Condition) -> AlertRule {
    AlertRule {
        id: ID.to_owned(),
        name: "Mine".to_owned(),
        owner: owner.map(str::to_owned),
        target,
        scope: Scope::Everywhere,
        recipients: alert_rules::Recipients::default(),
        replaces: None,
        enabled: true,
        rule: Rule::new(rule_id(owner, ID), condition, Severity::Warning),
        version: 1,
        changed_at: domain::Timestamp(0),
        changed_by: "root".to_owned(),
    }
}

fn compare(name: &str, is: Comparison, to: f64) -> Condition {
    Condition::Compare { name: name.to_owned(), is, to, deadband: 0.0 }
}

/// A rule that terminals are lost for ten seconds, in the place of the common one.
fn soon_lost(flow: &Flow, owner: Option<&str>) -> AlertRule {
    let mut lost = rule(owner, Target::Terminal, Condition::Lost);
    lost.rule.on_delay = Duration::from_secs(10);
    AlertRule { replaces: Some(Replaced { rule: "offline".to_owned(), since: flow.now() }), ..lost }
}

/// Ann's own rule of the same is in force, which waits so long.
async fn ann_waits(flow: &Flow, on_delay: Duration) {
    let mut own = AlertRule { id: OTHER.to_owned(), ..soon_lost(flow, Some("ann")) };
    (own.rule.id, own.rule.on_delay) = (rule_id(Some("ann"), OTHER), on_delay);
    is_in_force(flow, Change::create(own)).await;
}

async fn is_in_force(flow: &Flow, change: Change) {
    assert_eq!(alert_rules::change(flow.cx.table.as_ref(), &[change], flow.now()).await.unwrap(), Changed::Done);
    flow.after(Duration::from_secs(11)).await;
}

/// With Ann, who sees the terminal, and an administrator.
async fn flow() -> Flow {
    let flow = Flow::new().await;
    flow.hire("ann", Role::User).await;
    flow.hire("root", Role::Admin).await;
    users::bind(flow.cx.table.as_ref(), "ann", &mac()).await.unwrap();
    flow
}

/// The subjects of the mails that somebody got, oldest first.
fn told(flow: &Flow, user: &str) -> Vec<String> {
    let to = jobs::ports::Address::Email { to: format!("{user}@example.org") };
    flow.letters().into_iter().filter(|letter| letter.address == to).map(|letter| letter.subject).collect()
}

async fn alarms(flow: &Flow, which: Which<'_>) -> Vec<Alarm> {
    alarms::list(flow.cx.table.as_ref(), which, 100, None).await.unwrap().items
}

async fn active(flow: &Flow) -> Vec<String> {
    alarms(flow, Which::Active).await.into_iter().map(|alarm| alarm.rule).collect()
}

async fn happens(flow: &Flow, event: Event) {
    flow.reports([event]).await;
    flow.settle().await;
}

async fn is_lost(flow: &Flow) {
    flow.after(Duration::from_secs(5)).await;
    happens(flow, Event::TerminalOff { mac: mac() }).await;
}

async fn is_back(flow: &Flow) {
    flow.after(Duration::from_secs(5)).await;
    happens(flow, Event::TerminalsOn { macs: vec![mac()] }).await;
}

const RAISED: &str = "Alarm: Cold store";
const ENDED: &str = "Recovered: Cold store";

#[tokio::test]
async fn a_persons_own_offline_rule_speaks_to_them_in_the_place_of_the_common_one() {
    let flow = flow().await;
    is_in_force(&flow, Change::create(soon_lost(&flow, Some("ann")))).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(11)).await;
    assert_eq!((told(&flow, "ann"), told(&flow, "tech")), (vec![RAISED.to_owned()], Vec::new()), "hers is sooner");
    flow.after(Duration::from_mins(1)).await;
    assert_eq!((told(&flow, "ann").len(), told(&flow, "tech").len()), (1, 1), "the common one is not hers");
    is_back(&flow).await;
    assert_eq!([told(&flow, "ann"), told(&flow, "tech"), told(&flow, "root")], [[RAISED, ENDED]; 3]);
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_replaces_a_rule_while_it_speaks_still_hears_its_end() {
    let flow = flow().await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(61)).await;
    is_in_force(&flow, Change::create(soon_lost(&flow, Some("ann")))).await;
    is_back(&flow).await;
    assert_eq!(told(&flow, "ann"), [RAISED, ENDED]);
}

#[tokio::test]
async fn everybodys_rule_takes_the_common_one_away() {
    let flow = flow().await;
    is_in_force(&flow, Change::create(soon_lost(&flow, None))).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(90)).await;
    assert_eq!(active(&flow).await, [format!("rule:{ID}")]);
    assert_eq!([told(&flow, "ann"), told(&flow, "tech"), told(&flow, "root")], [[RAISED]; 3]);
}

#[tokio::test]
async fn a_persons_own_rule_holds_for_them_whichever_of_everybodys_takes_the_place_of_the_common_one() {
    let flow = flow().await;
    ann_waits(&flow, Duration::from_secs(40)).await;
    let everybodys = soon_lost(&flow, None);
    is_in_force(&flow, Change::create(everybodys)).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(20)).await;
    assert_eq!((told(&flow, "ann"), told(&flow, "tech")), (Vec::new(), vec![RAISED.to_owned()]), "hers waits longer");
    flow.after(Duration::from_secs(30)).await;
    assert_eq!((told(&flow, "ann").len(), told(&flow, "tech").len()), (1, 1), "hers, and hers alone");
    is_back(&flow).await;
    assert_eq!([told(&flow, "ann"), told(&flow, "tech"), told(&flow, "root")], [[RAISED, ENDED]; 3]);
}

#[tokio::test]
async fn who_did_not_hear_of_an_alarm_hears_nothing_of_its_end_whatever_has_become_of_its_rule() {
    let become_of_it: [fn(AlertRule) -> Change; 2] =
        [Change::delete, |rule| Change::replace(rule.clone(), AlertRule { replaces: None, version: 2, ..rule })];
    for becomes in become_of_it {
        let flow = flow().await;
        ann_waits(&flow, Duration::from_hours(1)).await;
        let everybodys = soon_lost(&flow, None);
        is_in_force(&flow, Change::create(everybodys.clone())).await;
        is_lost(&flow).await;
        flow.after(Duration::from_secs(20)).await;
        assert_eq!((told(&flow, "ann").len(), told(&flow, "tech").len()), (0, 1));
        is_in_force(&flow, becomes(everybodys)).await;
        is_back(&flow).await;
        assert_eq!((told(&flow, "ann").len(), told(&flow, "tech").len()), (0, 2), "she heard of no beginning");
    }
}

#[tokio::test]
async fn who_heard_of_an_alarm_before_its_rule_took_the_place_of_the_common_one_hears_of_its_end() {
    let flow = flow().await;
    ann_waits(&flow, Duration::from_hours(1)).await;
    let beside = AlertRule { replaces: None, ..soon_lost(&flow, None) };
    is_in_force(&flow, Change::create(beside.clone())).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(20)).await;
    assert_eq!(told(&flow, "ann"), [RAISED]);
    let instead = AlertRule { version: 2, ..soon_lost(&flow, None) };
    is_in_force(&flow, Change::replace(beside, instead)).await;
    is_back(&flow).await;
    assert_eq!([told(&flow, "ann"), told(&flow, "tech")], [[RAISED, ENDED]; 2]);
}

#[tokio::test]
async fn a_rule_that_is_tried_out_is_recorded_and_the_common_one_goes_on() {
    let flow = flow().await;
    let mut tried = soon_lost(&flow, Some("ann"));
    tried.rule.shadow = true;
    is_in_force(&flow, Change::create(tried)).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(30)).await;
    assert_eq!(alarms(&flow, Which::Active).await.iter().map(|alarm| alarm.shadow).collect::<Vec<_>>(), [true]);
    assert_eq!(told(&flow, "ann"), Vec::<String>::new());
    flow.after(Duration::from_secs(40)).await;
    assert_eq!(told(&flow, "ann"), [RAISED]);
}

#[tokio::test]
async fn a_rule_of_a_terminal_that_its_owner_does_not_see_watches_nothing() {
    let flow = flow().await;
    flow.hire("bob", Role::User).await;
    is_in_force(&flow, Change::create(soon_lost(&flow, Some("bob")))).await;
    is_lost(&flow).await;
    flow.after(Duration::from_secs(30)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_weak_signal_is_an_alarm_until_it_is_told_to_be_strong() {
    let flow = flow().await;
    let weak = rule(None, Target::Terminal, compare("signal", Comparison::Less, 10.0));
    is_in_force(&flow, Change::create(weak)).await;
    let says = |signal| {
        let info = TerminalInfo { mac: MAC.to_owned(), at: true, signal, ..TerminalInfo::default() };
        Event::Terminal(info)
    };
    happens(&flow, says(Some(4))).await;
    assert_eq!(alarms(&flow, Which::Active).await[0].detail, "signal 4, alarm if < 10");
    happens(&flow, says(None)).await;
    is_lost(&flow).await;
    is_back(&flow).await;
    assert_eq!(active(&flow).await.len(), 1, "nothing was told of the signal");
    happens(&flow, says(Some(22))).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_in_a_bad_state_is_an_alarm() {
    let flow = flow().await;
    let condition = Condition::All {
        of: vec![
            Condition::NotIn { name: "state".to_owned(), normal: vec!["ONLINE".to_owned()] },
            compare("score", Comparison::Less, 50.0),
        ],
    };
    is_in_force(&flow, Change::create(rule(Some("ann"), Target::Terminal, condition))).await;
    let is = |state: &str, score| Event::DtuState { mac: mac(), state: state.to_owned(), score: Some(score) };
    happens(&flow, is("ONLINE", 30)).await;
    happens(&flow, is("DEGRADED", 60)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    happens(&flow, is("DEGRADED", 40)).await;
    assert_eq!((active(&flow).await.len(), told(&flow, "ann").len()), (1, 1));
    happens(&flow, is("ONLINE", 90)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_busy_node_is_an_alarm_that_administrators_hear_of_and_whoever_has_something_on_it() {
    let flow = flow().await;
    let busy = rule(None, Target::Node, compare("load", Comparison::AtLeast, 4.0));
    is_in_force(&flow, Change::create(busy)).await;
    let says = |load: f64| Event::NodeInfo { info: json!({ "loadavg": [load, 1, 1] }), connections: 7 };
    happens(&flow, says(5.0)).await;
    assert_eq!(alarms(&flow, Which::Active).await[0].source, Source::Node("n1".to_owned()));
    happens(&flow, says(1.0)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!([told(&flow, "root").len(), told(&flow, "ann").len(), told(&flow, "tech").len()], [2, 2, 2]);
}

#[tokio::test]
async fn an_administrators_own_rule_of_a_node_ends_with_their_office() {
    let flow = flow().await;
    is_in_force(&flow, Change::create(rule(Some("root"), Target::Node, compare("connections", Comparison::Less, 2.0))))
        .await;
    let says = |connections| Event::NodeInfo { info: json!({}), connections };
    happens(&flow, says(1)).await;
    assert_eq!((active(&flow).await.len(), told(&flow, "root").len()), (1, 1));
    flow.hire("root", Role::User).await;
    happens(&flow, says(1)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn dead_letters_of_a_part_of_the_platform_are_an_alarm() {
    let flow = flow().await;
    let dead = rule(None, Target::Platform, compare("dead_letters", Comparison::Greater, 0.0));
    let part = Scope::Part { part: "broker:1".to_owned() };
    is_in_force(&flow, Change::create(AlertRule { scope: part, ..dead })).await;
    let counted = |part: &str, dead: f64| {
        let need = Need { part: part.to_owned(), needs: "queue".to_owned() };
        Event::PartCounted { need, values: [("dead_letters".to_owned(), dead), ("unheard of".to_owned(), 1.0)].into() }
    };
    happens(&flow, counted("broker:2", 3.0)).await;
    happens(&flow, counted("broker:1", f64::NAN)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "of another part, and of no number");
    happens(&flow, counted("broker:1", 3.0)).await;
    assert_eq!((active(&flow).await.len(), told(&flow, "root").len()), (1, 1));
    happens(&flow, counted("broker:1", f64::NAN)).await;
    assert_eq!(active(&flow).await.len(), 1);
    happens(&flow, counted("broker:1", 0.0)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}
