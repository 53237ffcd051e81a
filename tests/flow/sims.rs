//! SIMs whose plans end, or are used up.

use std::time::Duration;

use domain::{Source, alarm::Severity, schedule::DataPlan};
use jobs::report::{Event, TerminalInfo};
use records::{
    alarms::{self, Alarm, Which},
    terminals,
};
use telltale_tests::flow::{Flow, MAC, mac};

const DAY: Duration = Duration::from_hours(24);

/// The terminal's SIM has this plan from now on, as somebody said.
async fn has_plan(flow: &Flow, plan: DataPlan) {
    let table = flow.cx.table.as_ref();
    let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    terminal.iccid = Some("89860117851014783481".to_owned());
    terminal.data_plan = Some(plan);
    terminals::put(table, &terminal).await.unwrap();
    alarms::look_soon(table, &Source::Terminal(mac()), flow.now()).await.unwrap();
    flow.after(Duration::from_secs(1)).await;
}

/// A plan that ends so much later.
fn ending_in(flow: &Flow, days: u32) -> DataPlan {
    DataPlan { name: "ali_1".to_owned(), expires: Some(flow.now().plus(days * DAY)), ..DataPlan::default() }
}

fn with_left(left_kb: u64) -> DataPlan {
    DataPlan { flow_kb: 1000, left_kb: Some(left_kb), ..DataPlan::default() }
}

/// Days go by in which nothing is heard of the terminal.
async fn days(flow: &Flow, days: u32) {
    for _ in 0..days {
        flow.sleeps(DAY);
        flow.after(Duration::from_secs(1)).await;
    }
}

async fn alarms(flow: &Flow, which: Which<'_>) -> Vec<Alarm> {
    alarms::list(flow.cx.table.as_ref(), which, 100, None).await.unwrap().items
}

async fn active(flow: &Flow) -> Vec<(String, Severity)> {
    alarms(flow, Which::Active).await.into_iter().map(|alarm| (alarm.rule, alarm.severity)).collect()
}

fn one(rule: &str, severity: Severity) -> Vec<(String, Severity)> {
    vec![(rule.to_owned(), severity)]
}

#[tokio::test]
async fn a_sim_that_expires_is_an_alarm_a_month_before_which_matters_more_in_the_last_week_until_it_is_renewed() {
    let flow = Flow::new().await;
    has_plan(&flow, ending_in(&flow, 33)).await;
    days(&flow, 2).await;
    assert_eq!(active(&flow).await, []);
    days(&flow, 2).await;
    assert_eq!(active(&flow).await, one("sim_expiry", Severity::Warning));
    days(&flow, 20).await;
    assert_eq!(active(&flow).await, one("sim_expiry", Severity::Warning));
    days(&flow, 4).await;
    assert_eq!(active(&flow).await, one("sim_expiry", Severity::Critical));
    days(&flow, 10).await;
    assert_eq!(active(&flow).await, one("sim_expiry", Severity::Critical), "it has expired");
    has_plan(&flow, ending_in(&flow, 365)).await;
    assert_eq!(active(&flow).await, []);
    let told = ["Alarm: Cold store", "Alarm changed: Cold store", "Recovered: Cold store"];
    assert_eq!(flow.mails(), told);
}

#[tokio::test]
async fn a_sim_is_looked_at_once_a_day_and_no_more() {
    let flow = Flow::new().await;
    has_plan(&flow, ending_in(&flow, 400)).await;
    let due = async || alarms::watch(flow.cx.table.as_ref(), &Source::Terminal(mac())).await.unwrap().value.timer;
    let first = due().await.unwrap();
    assert!(first > flow.now() && first.since(flow.now()) <= DAY);
    let info = TerminalInfo { mac: MAC.to_owned(), at: true, signal: Some(20), ..TerminalInfo::default() };
    flow.reports([Event::Terminal(info)]).await;
    flow.settle().await;
    assert_eq!(due().await, Some(first));
    flow.sleeps(first.since(flow.now()));
    flow.after(Duration::from_secs(1)).await;
    assert_eq!(due().await, Some(first.plus(DAY)));
}

#[tokio::test]
async fn a_plan_that_is_nearly_used_up_is_an_alarm_where_it_does_not_renew_itself() {
    let flow = Flow::new().await;
    has_plan(&flow, with_left(100)).await;
    assert_eq!(active(&flow).await, []);
    has_plan(&flow, with_left(99)).await;
    assert_eq!(active(&flow).await, one("data_left", Severity::Warning));
    has_plan(&flow, with_left(20)).await;
    assert_eq!(active(&flow).await, one("data_left", Severity::Critical));
    has_plan(&flow, DataPlan { left_kb: None, ..with_left(0) }).await;
    assert_eq!(active(&flow).await.len(), 1, "that nothing is known of it proves nothing");
    has_plan(&flow, DataPlan { renews_itself: true, ..with_left(20) }).await;
    let ended = alarms(&flow, Which::All).await;
    assert_eq!(ended[0].cleared_by.as_deref(), Some("the rule was removed"), "it is charged by itself");
    has_plan(&flow, DataPlan { used_kb: Some(990), left_kb: None, ..with_left(0) }).await;
    assert_eq!(active(&flow).await, one("data_left", Severity::Critical), "what is not used is left");
}

#[tokio::test]
async fn what_is_known_of_a_sim_says_nothing_of_whether_its_terminal_is_there() {
    let flow = Flow::new().await;
    has_plan(&flow, ending_in(&flow, 400)).await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.settle().await;
    flow.after(Duration::from_secs(61)).await;
    assert_eq!(active(&flow).await, one("offline", Severity::Critical));
    days(&flow, 2).await;
    has_plan(&flow, ending_in(&flow, 300)).await;
    assert_eq!(active(&flow).await, one("offline", Severity::Critical));
}
