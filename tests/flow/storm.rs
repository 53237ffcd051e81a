//! A node with five thousand devices is lost at once.

use std::time::Duration;

use domain::{DeviceId, Source};
use jobs::report::Event;
use records::{
    alarms::{self, Which},
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
    assert_eq!(told(&flow), each("Alarm: node:n1"));
    for name in [LargeNode::person(0), "root".to_owned(), "stranger".to_owned()] {
        let incidents = incidents::list(table, &Audience::User(name.clone()), 10, None).await.unwrap().items;
        assert_eq!(incidents.len(), usize::from(name != "stranger"), "{name}: {incidents:?}");
    }
    let all = macs.into_iter().chain([mac()]).collect();
    flow.reports([Event::NodeRegistered, Event::NodeReady, Event::TerminalsOn { macs: all }]).await;
    flow.after(Duration::from_mins(3)).await;
    let both = [each("Alarm: node:n1"), each("Recovered: node:n1")].concat();
    assert_eq!(told(&flow).len(), both.len(), "{:?}", told(&flow));
    assert!(both.iter().all(|one| told(&flow).contains(one)), "{:?}", told(&flow));
    assert_eq!(flow.dead_letters().await, 0);
    let of_node = alarms::list(table, Which::OfNode("n1"), 10, None).await.unwrap().items;
    assert_eq!(of_node.len(), 1);
}
