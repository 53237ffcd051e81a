use std::{collections::BTreeSet, time::Duration};

use jobs::{Job, PlanWindow, report::Event};
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
async fn a_device_whose_script_makes_nothing_is_not_asked_and_its_neighbours_are() {
    let flow = Flow::new().await;
    add_scripted_devices(&flow, [2, 3]).await;
    for _ in 0..4 {
        plan_next_window(&flow).await;
    }
    let asked: BTreeSet<_> = flow.planned().into_iter().map(|query| (query.pid, query.contents)).collect();
    assert!(asked.contains(&(2, vec!["aa0242".to_owned()])), "{asked:?}");
    assert!(asked.iter().any(|(pid, _)| *pid == 1), "{asked:?}");
    assert!(asked.iter().all(|(pid, contents)| *pid != 3 && !contents.is_empty()), "an empty list kills a gateway");
}
