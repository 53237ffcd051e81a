//! A node with five thousand devices is lost at once.

use std::time::{Duration, Instant};

use domain::{DeviceId, Mac, Pid, Source};
use jobs::report::Event;
use records::{
    alarms::{self, Which},
    incidents::{self, Audience},
    terminals,
    users::{self, Role},
};
use telltale_tests::flow::{Flow, mac};

const TERMINALS: u32 = 500;
const DEVICES: Pid = 10;
const PEOPLE: usize = 20;

fn mac_of(number: u32) -> Mac {
    format!("98D8{number:08X}").parse().unwrap()
}

fn person(number: usize) -> String {
    format!("person{number}")
}

/// A node of so many terminals of so many devices each, all of which are there; each of the people sees some, root sees all, and one
/// has nothing on the node.
async fn large() -> Flow {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let known = terminals::get(table, &mac()).await.unwrap().unwrap();
    let devices: Vec<_> = (1..=DEVICES).map(|pid| terminals::Device { pid, ..known.devices[0].clone() }).collect();
    flow.hire("root", Role::Admin).await;
    flow.hire("stranger", Role::User).await;
    for number in 0..PEOPLE {
        flow.hire(&person(number), Role::User).await;
    }
    for number in 0..TERMINALS {
        let (mac, name) = (mac_of(number), format!("Hall {number}"));
        let terminal = terminals::Terminal { mac: mac.clone(), name, devices: devices.clone(), ..known.clone() };
        terminals::put(table, &terminal).await.unwrap();
        users::bind(table, &person(number as usize % PEOPLE), &mac).await.unwrap();
    }
    let all = (0..TERMINALS).map(mac_of).collect();
    flow.reports([Event::NodeRegistered, Event::TerminalsOn { macs: all }]).await;
    flow.settle().await;
    flow
}

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
    let people = (0..PEOPLE).map(person).chain(["root", "tech"].map(str::to_owned));
    let mut each: Vec<_> = people.map(|name| (format!("{name}@example.org"), subject.to_owned())).collect();
    each.sort_unstable();
    each
}

#[tokio::test]
async fn one_alarm_speaks_for_all_of_them_and_whom_it_concerns_hears_of_it_once_and_of_its_end() {
    let flow = large().await;
    let table = flow.cx.table.as_ref();
    flow.reports([Event::NodeLost]).await;
    flow.settle().await;
    let macs: Vec<Mac> = (0..TERMINALS).map(mac_of).collect();
    let standings = terminals::standings(table, &macs).await.unwrap();
    assert!(standings.values().all(|standing| standing.presence == terminals::Presence::Unknown));
    for (mac, pid) in macs.iter().flat_map(|mac| (1..=DEVICES).map(move |pid| (mac, pid))) {
        let watch = alarms::watch(table, &Source::Device(DeviceId { mac: mac.clone(), pid })).await.unwrap();
        assert_eq!(watch.value.state.unknown, Some(Source::Node("n1".to_owned())), "{mac}/{pid}");
    }
    assert_eq!(told(&flow), []);
    let confirmed = Instant::now();
    flow.after(Duration::from_secs(61)).await;
    println!("all are told {:?} after the offline was confirmed", confirmed.elapsed());
    let active = alarms::list(table, Which::Active, 100, None).await.unwrap().items;
    assert_eq!(
        active.iter().map(|alarm| (&alarm.source, alarm.rule.as_str())).collect::<Vec<_>>(),
        [(&Source::Node("n1".to_owned()), "offline")]
    );
    assert_eq!(told(&flow), each("Alarm: node:n1"));
    for name in [person(0), "root".to_owned(), "stranger".to_owned()] {
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
