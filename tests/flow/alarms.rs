use std::time::Duration;

use jobs::{
    Job,
    report::{Answer, Event, TerminalInfo},
};
use records::{
    alarms::{self, Which},
    terminals::{self, Presence},
};
use serde_json::json;
use telltale_tests::flow::{Flow, device, is_held, mac};

async fn active(flow: &Flow) -> Vec<String> {
    let listed = alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap();
    listed.items.into_iter().map(|alarm| format!("{} {}", alarm.source, alarm.rule)).collect()
}

async fn ever(flow: &Flow) -> usize {
    alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items.len()
}

#[tokio::test]
async fn a_value_past_its_limit_raises_one_alarm_and_one_back_inside_clears_it() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.sensor_says(35.2).await;
    flow.sensor_says(36.0).await;
    assert_eq!(active(&flow).await.len(), 1);
    flow.sensor_says(29.5).await;
    assert_eq!(active(&flow).await.len(), 1, "inside the limit, but not by the deadband");
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 0);
    assert_eq!(ever(&flow).await, 1);
    assert_eq!(flow.mails().len(), 2, "one alarm, one recovery: {:?}", flow.mails());
}

#[tokio::test]
async fn a_device_times_out_at_its_eleventh_miss_and_recovers_when_it_answers() {
    let flow = Flow::new().await;
    for count in 1..=10 {
        flow.sensor_misses(count).await;
    }
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.sensor_misses(11).await;
    flow.sensor_misses(12).await;
    assert_eq!(active(&flow).await, [format!("device:{} timeout", device(1))]);
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!(ever(&flow).await, 1);
}

#[tokio::test]
async fn a_terminal_that_stays_away_is_offline_after_the_debounce_though_nothing_arrives() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(58)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.after(Duration::from_secs(4)).await;
    assert_eq!(active(&flow).await, [format!("terminal:{} offline", mac())]);
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_terminal_that_comes_back_in_time_was_never_offline() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(30)).await;
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_terminal_whose_return_is_processed_before_its_leaving_was_never_offline() {
    let flow = Flow::new().await;
    let left = flow.batch([Event::TerminalOff { mac: mac() }]);
    let back = flow.batch([Event::TerminalsOn { macs: vec![mac()] }]);
    for batch in [back, left] {
        flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
        flow.settle().await;
    }
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(standing.value.presence, Presence::Online);
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_lost_terminal_clears_nothing_that_hangs_on_it() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(70)).await;
    let hot = format!("device:{}", device(1));
    assert!(active(&flow).await.iter().any(|alarm| alarm.starts_with(&hot)));
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert!(active(&flow).await.iter().any(|alarm| alarm.starts_with(&hot)), "being seen is not being well");
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_node_is_one_alarm_of_its_own() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_secs(70)).await;
    assert_eq!(active(&flow).await, ["node:n1 offline"]);
    flow.reports([Event::NodeRegistered]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_node_that_is_back_is_not_missed_while_what_it_says_waits_behind_a_backlog() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_secs(1)).await;
    let back = flow.batch([Event::NodeRegistered, Event::NodeReady]);
    is_held(flow.cx.table.as_ref(), "c2", flow.now()).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(ever(&flow).await, 0);
    flow.cx.queue.enqueue(vec![back.message()]).await.unwrap();
    flow.settle().await;
    assert_eq!(ever(&flow).await, 0);
    // What came back too late was missed.
    flow.reports([Event::NodeLost]).await;
    flow.sleeps(Duration::from_secs(90));
    is_held(flow.cx.table.as_ref(), "c3", flow.now()).await;
    flow.after(Duration::from_secs(1)).await;
    let all = alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items;
    let missed: Vec<bool> =
        all.iter().filter(|it| it.source.mac().is_none()).map(|it| it.cleared_at.is_some()).collect();
    assert_eq!(missed, [true]);
}

#[tokio::test]
async fn the_same_batch_twice_raises_nothing_new() {
    let flow = Flow::new().await;
    let batch = flow.sensor_says(40.0).await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.settle().await;
    assert_eq!(ever(&flow).await, 1);
    assert_eq!(flow.letters().len(), 2, "one mail and one webhook");
}

#[tokio::test]
async fn a_terminal_that_does_not_come_back_with_its_node_is_offline() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_secs(10)).await;
    flow.reports([Event::NodeRegistered, Event::NodeReady]).await;
    flow.after(Duration::from_secs(55)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.after(Duration::from_secs(10)).await;
    assert_eq!(active(&flow).await, [format!("terminal:{} offline", mac())]);
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_terminal_that_comes_back_after_its_node_was_never_offline() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_secs(10)).await;
    flow.reports([Event::NodeRegistered, Event::NodeReady]).await;
    flow.after(Duration::from_secs(40)).await;
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_terminal_that_was_never_heard_of_is_not_missed() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let known = terminals::get(table, &mac()).await.unwrap().unwrap();
    let other = terminals::Terminal { mac: "98D863CC870E".parse().unwrap(), ..known };
    terminals::put(table, &other).await.unwrap();
    flow.reports([Event::NodeReady]).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_terminal_that_its_gateway_reboots_is_not_offline() {
    let flow = Flow::new().await;
    for count in 1..=10 {
        flow.sensor_misses(count).await;
    }
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(62)).await;
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.after(Duration::from_mins(5)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_terminal_that_does_not_come_back_from_a_reboot_is_offline() {
    let flow = Flow::new().await;
    for count in 1..=10 {
        flow.sensor_misses(count).await;
    }
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(145)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.after(Duration::from_secs(10)).await;
    assert_eq!(active(&flow).await, [format!("terminal:{} offline", mac())]);
}

#[tokio::test]
async fn a_terminal_that_answers_its_node_is_there() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(5)).await;
    let info = TerminalInfo { mac: mac().to_string(), at: true, ..TerminalInfo::default() };
    flow.reports([Event::Terminal(info)]).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(ever(&flow).await, 0);
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(standing.value.presence, Presence::Online);
}

#[tokio::test]
async fn what_was_on_its_way_when_a_terminal_left_does_not_bring_it_back() {
    let flow = Flow::new().await;
    flow.sensors([1, 2]).await;
    let on_its_way = flow.answer(25.0);
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    let info = TerminalInfo { mac: mac().to_string(), at: true, ..TerminalInfo::default() };
    flow.reports([Event::Terminal(info), on_its_way]).await;
    flow.after(Duration::from_secs(62)).await;
    assert_eq!(active(&flow).await, [format!("terminal:{} offline", mac())]);
}

#[tokio::test]
async fn a_terminal_that_is_back_by_an_answer_has_devices_whose_silence_is_their_own() {
    let flow = Flow::new().await;
    flow.sensors([1, 2]).await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(5)).await;
    flow.sensor_says(25.0).await;
    for count in 1..=11 {
        flow.reports([Event::Missed { mac: mac(), pid: 2, count: Some(count), asked: None }]).await;
    }
    flow.settle().await;
    assert_eq!(active(&flow).await, [format!("device:{} timeout", device(2))]);
}

#[tokio::test]
async fn an_older_answer_that_comes_later_neither_raises_nor_clears() {
    let flow = Flow::new().await;
    let (cool, hot) = (flow.answer(25.0), flow.answer(40.0));
    flow.after(Duration::from_secs(3)).await;
    flow.sensor_says(40.0).await;
    flow.reports([cool]).await;
    flow.settle().await;
    assert_eq!((active(&flow).await.len(), ever(&flow).await), (1, 1));

    flow.after(Duration::from_secs(3)).await;
    flow.sensor_says(25.0).await;
    let Event::Answered(hot) = hot else { panic!("an answer") };
    // As the broker says of it, which saw the newer one.
    flow.reports([Event::Answered(Answer { overtaken: true, ..hot })]).await;
    flow.settle().await;
    assert_eq!((active(&flow).await.len(), ever(&flow).await), (0, 1));
}

#[tokio::test]
async fn a_gateway_whose_clock_is_slow_keeps_nobody_from_an_alarm() {
    let flow = Flow::new().await;
    let told = Some(flow.now().minus(Duration::from_secs(90)));
    let Event::Answered(hot) = flow.answer(40.0) else { panic!("an answer") };
    flow.reports([Event::Answered(Answer { told, ..hot })]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await.len(), 1);
}

#[tokio::test]
async fn a_server_clock_that_is_set_back_makes_nobody_blind() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    flow.sensor_misses(1).await;
    flow.set_clock_back(Duration::from_hours(1));
    for count in 2..=12 {
        flow.sensor_misses(count).await;
    }
    assert_eq!(active(&flow).await, [format!("device:{} timeout", device(1))]);
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_mins(3)).await;
    assert!(active(&flow).await.contains(&format!("terminal:{} offline", mac())));
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_gateways_count_of_any_size_is_a_count() {
    let flow = Flow::new().await;
    flow.sensor_misses(u32::MAX).await;
    flow.sensor_misses(u32::MAX).await;
    assert_eq!((active(&flow).await.len(), flow.dead_letters().await), (1, 0));
}

#[tokio::test]
async fn an_alarm_whose_delay_ran_out_before_it_was_over_is_told_with_its_end() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    // The sweep that should have raised it does not come.
    flow.sleeps(Duration::from_secs(61));
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert_eq!((active(&flow).await, ever(&flow).await), (vec![], 1));
    assert_eq!(flow.mails(), ["Alarm and recovery: Cold store"]);
    assert_eq!(flow.dead_letters().await, 0);
}

#[tokio::test]
async fn a_device_with_more_alarms_than_fit_into_a_transaction_raises_and_clears_them_all() {
    let flow = Flow::new().await;
    let bits = 40;
    flow.speaks_bits(bits).await;
    flow.bits_say(true).await;
    assert_eq!(active(&flow).await.len(), bits);
    flow.bits_say(false).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!((ever(&flow).await, flow.dead_letters().await), (bits, 0));
    assert_eq!(flow.mails().len(), 4, "twice thirty and ten: {:?}", flow.mails());
}

#[tokio::test]
async fn browsers_are_shown_an_alarm_as_the_log_of_earlier_servers_has_it() {
    let flow = Flow::new().await;
    flow.sensor_says(35.2).await;
    let shown = flow.pushes().into_iter().find(|push| push.event == "alarm").unwrap().data;
    for (field, value) in [
        ("mac", json!(mac())),
        ("pid", json!(1)),
        ("devName", json!("Cold store")),
        ("type", json!("alarm")),
        ("tag", json!("Threshold")),
        ("isOk", json!(false)),
        ("severity", json!("warning")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert!(shown["msg"].as_str().unwrap().contains("35.2"), "{shown}");
    for count in 1..=11 {
        flow.sensor_misses(count).await;
    }
    let shown = flow.pushes().into_iter().rfind(|push| push.event == "alarm").unwrap().data;
    assert_eq!((&shown["type"], &shown["tag"]), (&json!("连接"), &json!("timeout")));
}

#[tokio::test]
async fn two_readings_that_change_many_alarms_change_them_where_the_worker_is_behind_too() {
    for is_behind in [false, true] {
        let flow = Flow::new().await;
        flow.speaks_bits(40).await;
        flow.after(Duration::from_secs(1)).await;
        for bytes in [[0xff, 0xff, 0, 0, 0, 0, 0, 0], [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            flow.sleeps(Duration::from_secs(5));
            flow.reports([flow.bits(&bytes)]).await;
            if !is_behind {
                flow.settle().await;
            }
        }
        flow.settle().await;
        flow.after(Duration::from_mins(5)).await;
        assert_eq!((active(&flow).await.len(), ever(&flow).await), (38, 40), "behind: {is_behind}");
        assert_eq!(flow.dead_letters().await, 0, "behind: {is_behind}");
    }
}
