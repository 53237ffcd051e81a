//! UPSs that say that they have a fault, and are asked which.

use std::time::Duration;

use domain::alarm::Severity;
use jobs::{
    Job, PlanWindow,
    report::{Answer, Event, RawReply},
};
use records::{
    alarms::{self, Alarm, Which},
    protocols,
    terminals::{self, Device},
};
use telltale_tests::flow::{Flow, mac};

const PROTOCOL: &str = "在线式UPS";
const FINE: &str = "0000000000";
const FAULTY: &str = "0000010000";

/// With a UPS in the place of the sensor.
async fn flow() -> Flow {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let document = serde_json::from_str(include_str!("../fixtures/ups-text.protocol.json")).unwrap();
    protocols::put(table, &document).await.unwrap();
    let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let (model, kind, protocol) = ("UPS-3K".to_owned(), "UPS".to_owned(), PROTOCOL.to_owned());
    terminal.devices = vec![Device { pid: 0, model, kind, protocol, min_interval_ms: 0 }];
    terminals::put(table, &terminal).await.unwrap();
    flow
}

/// The UPS answers with these bits, and so to `QFS` if it was asked.
async fn says(flow: &Flow, bits: &str, qfs: Option<&str>) {
    flow.after(Duration::from_secs(1)).await;
    let reply = |content: &str, line: String| RawReply { content: content.to_owned(), bytes: line.into_bytes() };
    let status = format!("(220.0 50.0 220.0 50.0 001.0 030 370.0 370.0 054.6 000.0 029.0 {bits}\r");
    let mut replies = vec![reply("QGS", status)];
    replies.extend(qfs.map(|qfs| reply("QFS", format!("({qfs}\r"))));
    let answer = Answer {
        mac: mac(),
        pid: 0,
        protocol: PROTOCOL.to_owned(),
        asked: flow.now(),
        told: None,
        interval: 5000,
        line_ms: 66,
        line_bytes: 90,
        replies,
        unanswered: 0,
        overtaken: false,
    };
    flow.reports([Event::Answered(answer)]).await;
    flow.settle().await;
}

/// What the UPS is asked in the next window.
async fn asked(flow: &Flow) -> Vec<String> {
    let before = flow.planned().len();
    let window_ms = flow.cx.settings.schedule.window_ms;
    let start = flow.cx.settings.schedule.window_start(flow.now()).plus(Duration::from_millis(window_ms));
    flow.cx.queue.enqueue(vec![PlanWindow { start, window_ms: window_ms * 4 }.message()]).await.unwrap();
    flow.settle().await;
    flow.planned()[before].contents.clone()
}

async fn alarms(flow: &Flow, which: Which<'_>) -> Vec<Alarm> {
    alarms::list(flow.cx.table.as_ref(), which, 100, None).await.unwrap().items
}

async fn active(flow: &Flow) -> Vec<String> {
    alarms(flow, Which::Active).await.into_iter().map(|alarm| alarm.rule).collect()
}

#[tokio::test]
async fn a_ups_with_a_fault_is_asked_which_and_its_code_is_a_critical_alarm_until_the_bit_is_gone() {
    let flow = flow().await;
    says(&flow, FINE, None).await;
    assert_eq!(asked(&flow).await, ["QGS"]);
    says(&flow, FAULTY, None).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "it will say which");
    assert_eq!(asked(&flow).await, ["QGS", "QFS"]);
    says(&flow, FAULTY, Some("01 00 00")).await;
    let raised = alarms(&flow, Which::Active).await;
    assert_eq!((raised[0].rule.as_str(), raised[0].severity), ("ups_fault", Severity::Critical));
    assert!(raised[0].detail.contains("0x01 规定时间内bus电压未达到设定值"), "{}", raised[0].detail);
    assert_eq!(asked(&flow).await, ["QGS", "QFS"], "another fault has another code");
    says(&flow, FAULTY, None).await;
    assert_eq!(active(&flow).await, ["ups_fault"], "silence is no end");
    says(&flow, FINE, Some("01 00 00")).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!(asked(&flow).await, ["QGS"]);
    assert_eq!(flow.mails(), ["Alarm: Cold store / 0 UPS-3K", "Recovered: Cold store / 0 UPS-3K"]);
}

#[tokio::test]
async fn a_ups_that_does_not_say_which_fault_it_has_has_one_all_the_same() {
    let flow = flow().await;
    says(&flow, FAULTY, None).await;
    says(&flow, FAULTY, None).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    says(&flow, FAULTY, Some("NAK")).await;
    assert_eq!(active(&flow).await, ["ups_fault"]);
    says(&flow, FAULTY, Some("OK")).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "it says that it has none");
}

#[tokio::test]
async fn a_status_that_is_cut_says_nothing_of_a_fault() {
    let flow = flow().await;
    says(&flow, FAULTY, None).await;
    says(&flow, FAULTY, Some("45")).await;
    says(&flow, "00", None).await;
    assert_eq!(active(&flow).await, ["ups_fault"]);
    assert_eq!(asked(&flow).await, ["QGS", "QFS"]);
}
