//! A node with five thousand devices is lost at once.

use std::time::Duration;

use domain::{
    DeviceId, Source,
    alarm::{Condition, Rule, Severity, Target},
};
use jobs::report::{Answer, Event};
use records::{
    alarms::{self, Which},
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Scope, rule_id},
    incidents::{self, Audience},
    terminals,
    users::Role,
};
use telltale_tests::flow::{Flow, LargeNode, mac};

const LARGE: LargeNode = LargeNode { terminals: 500, devices: 10, people: 20 };

/// Who got mail of what, each once.
fn told(flow: &Flow) -> Vec<(String, String)> {
    let letters = flow.letters().into_iter();
    let mails = letters.filter_map(|letter| match letter.address {
        jobs::ports::Address::Email { to } => Some((to, letter.subject)),
        _ => None,
    });
    let mut told: Vec<_> = mails.collect();
    told.sort_unstable();
    told
}

fn each(subject: &str) -> Vec<(String, String)> {
    let people = (0..LARGE.people).map(LargeNode::person).chain(["root", "tech"].map(str::to_owned));
    let mut each: Vec<_> = people.map(|name| (format!("{name}@example.org"), subject.to_owned())).collect();
    each.sort_unstable();
    each
}

/// From now on every device is missed of which nothing is read for five minutes.
async fn misses_the_silent(flow: &Flow) {
    let condition = Condition::NoData { after: Duration::from_mins(5) };
    let rule = AlertRule {
        id: "silent".to_owned(),
        name: "Silent".to_owned(),
        owner: None,
        target: Target::Device,
        scope: Scope::Everywhere,
        replaces: None,
        enabled: true,
        recipients: Recipients::default(),
        rule: Rule::new(rule_id(None, "silent"), condition, Severity::Critical),
        version: 1,
        changed_at: flow.now(),
        changed_by: "root".to_owned(),
    };
    let changed = alert_rules::change(flow.cx.table.as_ref(), &[Change::create(rule)], flow.now()).await.unwrap();
    assert_eq!(changed, Changed::Done);
    flow.after(Duration::from_secs(11)).await;
}

/// Every device of the node says something.
async fn all_answer(flow: &Flow) {
    let Event::Answered(answer) = flow.climate(1, 20.0, 50.0) else { unreachable!() };
    for macs in LARGE.macs().chunks(50) {
        let devices = macs.iter().flat_map(|mac| (1..=LARGE.devices).map(move |pid| (mac, pid)));
        let answers = devices.map(|(mac, pid)| Event::Answered(Answer { mac: mac.clone(), pid, ..answer.clone() }));
        flow.reports(answers.collect::<Vec<_>>()).await;
    }
    flow.settle().await;
}

#[tokio::test]
async fn one_alarm_speaks_for_all_of_them_and_whom_it_concerns_hears_of_it_once_and_of_its_end() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    flow.has(LARGE).await;
    flow.hire("stranger", Role::User).await;
    flow.reports([Event::NodeLost]).await;
    flow.settle().await;
    let macs = LARGE.macs();
    let standings = terminals::standings(table, &macs).await.unwrap();
    assert!(standings.values().all(|standing| standing.presence == terminals::Presence::Unknown));
    for (mac, pid) in macs.iter().flat_map(|mac| (1..=LARGE.devices).map(move |pid| (mac, pid))) {
        let watch = alarms::watch(table, &Source::Device(DeviceId { mac: mac.clone(), pid })).await.unwrap();
        assert_eq!(watch.value.state.unknown, Some(Source::Node("n1".to_owned())), "{mac}/{pid}");
    }
    assert_eq!(told(&flow), []);
    flow.after(Duration::from_secs(61)).await;
    let active = alarms::list(table, Which::Active, 100, None).await.unwrap().items;
    assert_eq!(
        active.iter().map(|alarm| (&alarm.source, alarm.rule.as_str())).collect::<Vec<_>>(),
        [(&Source::Node("n1".to_owned()), "offline")]
    );
    assert_eq!(told(&flow), each("Alarm: n1"));
    for name in [LargeNode::person(0), "root".to_owned(), "stranger".to_owned()] {
        let incidents = incidents::list(table, &Audience::User(name.clone()), 10, None).await.unwrap().items;
        assert_eq!(incidents.len(), usize::from(name != "stranger"), "{name}: {incidents:?}");
    }
    let all = macs.into_iter().chain([mac()]).collect();
    flow.reports([Event::NodeRegistered, Event::NodeReady, Event::TerminalsOn { macs: all }]).await;
    flow.after(Duration::from_mins(3)).await;
    let both = [each("Alarm: n1"), each("Recovered: n1")].concat();
    assert_eq!(told(&flow).len(), both.len(), "{:?}", told(&flow));
    assert!(both.iter().all(|one| told(&flow).contains(one)), "{:?}", told(&flow));
    assert_eq!(flow.dead_letters().await, 0);
    let of_node = alarms::list(table, Which::OfNode("n1"), 10, None).await.unwrap().items;
    assert_eq!(of_node.len(), 1);
}

#[tokio::test]
async fn devices_that_were_silent_since_their_node_was_lost_are_not_missed_when_it_returns() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    flow.has(LARGE).await;
    misses_the_silent(&flow).await;
    all_answer(&flow).await;
    flow.reports([Event::NodeLost]).await;
    flow.settle().await;
    flow.after(Duration::from_secs(61)).await;
    flow.sleeps(Duration::from_mins(9));
    let all = LARGE.macs().into_iter().chain([mac()]).collect();
    flow.reports([Event::NodeRegistered, Event::NodeReady, Event::TerminalsOn { macs: all }]).await;
    flow.after(Duration::from_mins(4)).await;
    all_answer(&flow).await;
    flow.after(Duration::from_mins(2)).await;
    let both = [each("Alarm: n1"), each("Recovered: n1")].concat();
    assert_eq!(told(&flow).len(), both.len(), "{:?}", &told(&flow)[..both.len().min(told(&flow).len())]);
    assert!(both.iter().all(|one| told(&flow).contains(one)), "{:?}", told(&flow));
    assert_eq!(alarms::list(table, Which::Active, 100, None).await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn a_device_that_stays_silent_after_its_node_returned_is_missed_as_late_as_one_that_was_heard_then() {
    let flow = Flow::new().await;
    misses_the_silent(&flow).await;
    flow.sensor_says(20.0).await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_mins(10)).await;
    flow.reports([Event::NodeRegistered, Event::NodeReady, Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.after(Duration::from_secs(298)).await;
    assert_eq!(flow.mails(), ["Alarm: n1", "Recovered: n1"]);
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(flow.mails()[2..], ["Alarm: Cold store / 1 TH-10"]);
}
