use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jobs::{
    Job, PlanWindow,
    report::{Answer, Event},
};
use records::{protocols, terminals};
use serde_json::json;
use telltale_tests::flow::{CLIMATE, Flow, mac};

async fn plan_next_window(flow: &Flow) {
    let window_ms = flow.cx.settings.schedule.window_ms;
    let start = flow.cx.settings.schedule.window_start(flow.now()).plus(Duration::from_millis(window_ms));
    flow.cx.queue.enqueue(vec![PlanWindow { start, window_ms }.message()]).await.unwrap();
    flow.settle().await;
    let window = Duration::from_millis(window_ms);
    flow.after(window).await;
}

#[tokio::test]
async fn a_device_is_asked_once_an_interval_whatever_the_windows() {
    let flow = Flow::new().await;
    for _ in 0..12 {
        plan_next_window(&flow).await;
    }
    let instants: Vec<i64> = flow.planned().iter().map(|query| query.at.0).collect();
    assert!(instants.len() >= 11, "{instants:?}");
    assert!(instants.windows(2).all(|pair| pair[1] - pair[0] == 5000), "{instants:?}");
    let contents: BTreeSet<String> = flow.planned().into_iter().flat_map(|query| query.contents).collect();
    assert!(contents.contains(CLIMATE), "{contents:?}");
}

#[tokio::test]
async fn a_terminal_that_is_off_is_not_asked() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.settle().await;
    plan_next_window(&flow).await;
    assert_eq!(flow.planned(), []);
}

#[tokio::test]
async fn a_dead_device_is_asked_once_a_minute() {
    let flow = Flow::new().await;
    for count in 1..=11 {
        flow.sensor_misses(count).await;
    }
    for _ in 0..24 {
        plan_next_window(&flow).await;
    }
    assert_eq!(flow.planned().len(), 2, "two minutes, two queries");
}

#[tokio::test]
async fn a_node_that_becomes_ready_is_polled_for_the_rest_of_the_planned_windows() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeReady]).await;
    flow.settle().await;
    let until = flow.cx.settings.schedule.planned_until(flow.now());
    assert!(flow.planned().iter().all(|query| query.at < until));
}

/// Two devices at `pids`, asked by a script that knows the address 2 alone.
async fn add_scripted_devices(flow: &Flow, pids: [u8; 2]) {
    let table = flow.cx.table.as_ref();
    let instruct = json!({
        "name": "42", "resultType": "hex", "noStandard": true,
        "scriptStart": "function (pid, name) { return pid < 3 ? 'aa0' + pid + name : '' }",
        "scriptEnd": "function (content, bytes) { return bytes[0] === 0xaa }",
        "formResize": [{"name": "level", "regx": "1-1", "bl": "1"}],
    });
    let document = json!({"Type": 485, "Protocol": "tank", "instruct": [instruct]});
    protocols::put(table, &serde_json::from_value(document).unwrap()).await.unwrap();
    let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let sensor = terminal.devices[0].clone();
    terminal.devices.extend(pids.map(|pid| terminals::Device { pid, protocol: "tank".to_owned(), ..sensor.clone() }));
    terminals::put(table, &terminal).await.unwrap();
}

#[tokio::test]
async fn a_device_whose_script_makes_nothing_is_planned_with_nothing_to_send() {
    let flow = Flow::new().await;
    add_scripted_devices(&flow, [2, 3]).await;
    for _ in 0..4 {
        plan_next_window(&flow).await;
    }
    let asked: BTreeSet<_> = flow.planned().into_iter().map(|query| (query.pid, query.contents)).collect();
    assert!(asked.contains(&(2, vec!["aa0242".to_owned()])), "{asked:?}");
    assert!(asked.iter().any(|(pid, _)| *pid == 1), "{asked:?}");
    // The broker sends nothing for it, and says that it is not answered.
    assert!(asked.iter().all(|(pid, contents)| contents.is_empty() == (*pid == 3)), "{asked:?}");
}

/// How often each device is planned in so many windows.
async fn planned_in(flow: &Flow, windows: usize) -> BTreeMap<u8, usize> {
    let before = flow.planned().len();
    for _ in 0..windows {
        plan_next_window(flow).await;
    }
    let mut planned = BTreeMap::new();
    for query in flow.planned().into_iter().skip(before) {
        *planned.entry(query.pid).or_default() += 1;
    }
    planned
}

#[tokio::test]
async fn a_dead_device_does_not_slow_its_neighbours_down() {
    let flow = Flow::new().await;
    flow.sensors([1, 2]).await;
    let before = planned_in(&flow, 24).await;
    for count in 1..=5 {
        flow.sensor_misses(count).await;
    }
    let after = planned_in(&flow, 24).await;
    assert_eq!(after[&2], before[&2], "the neighbour is asked as often as before");
    assert!(after[&1] * 3 <= before[&1], "{before:?} {after:?}");
}

#[tokio::test]
async fn a_device_that_answers_in_part_is_asked_less_until_it_answers_whole() {
    let flow = Flow::new().await;
    let interval = async || {
        plan_next_window(&flow).await;
        plan_next_window(&flow).await;
        flow.planned().last().unwrap().interval
    };
    let usual = interval().await;
    // The order in which gateways say it: what was not answered, then what was.
    let contents = vec!["01030001000295cb".to_owned()];
    let Event::Answered(answer) = flow.answer(25.0) else { panic!("an answer is an answer") };
    let in_part = Answer { unanswered: 1, ..answer };
    flow.reports([Event::PartlyMissed { mac: mac(), pid: 1, contents }, Event::Answered(in_part)]).await;
    flow.settle().await;
    assert_eq!(interval().await, usual + 500);
    let shown = flow.pushes().into_iter().filter(|push| push.event == format!("MacIntervalUpdate{}1", mac()));
    assert_eq!(shown.count(), 1);
    flow.sensor_says(25.0).await;
    assert_eq!(interval().await, usual);
}
