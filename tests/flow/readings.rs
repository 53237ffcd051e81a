use domain::{
    Timestamp,
    reading::{Datum, Reading},
};
use jobs::{Job, ports::Audience, report::Event};
use records::{
    readings::{self, Span},
    terminals,
};
use telltale_tests::flow::{Flow, MAC, mac};

async fn history(flow: &Flow) -> Vec<Reading> {
    let span = Span { from: Timestamp(0), to: flow.now(), limit: 100, after: None };
    readings::history(flow.cx.table.as_ref(), &mac(), 1, &span).await.unwrap().items
}

fn temperature(reading: &Reading) -> &Datum {
    &reading.values[0].value
}

#[tokio::test]
async fn a_proven_reply_is_stored_as_latest_and_in_the_history_and_pushed() {
    let flow = Flow::new().await;
    flow.sensor_says(25.3).await;
    let latest = readings::latest(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(temperature(&latest.value.devices[&1]), &Datum::Number(25.3));
    assert_eq!(history(&flow).await.len(), 1);
    let push = flow.pushes().into_iter().find(|push| push.event == format!("{MAC}1")).unwrap();
    assert_eq!(push.audience, Audience::Terminal(mac()));
}

#[tokio::test]
async fn the_same_reply_in_two_batches_is_stored_once() {
    let flow = Flow::new().await;
    let answer = flow.answer(25.3);
    flow.reports([answer.clone()]).await;
    flow.reports([answer.clone(), answer]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 1);
}

#[tokio::test]
async fn a_batch_that_runs_twice_is_stored_once() {
    let flow = Flow::new().await;
    let batch = flow.sensor_says(25.3).await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 1);
}

#[tokio::test]
async fn a_damaged_reply_is_no_value_and_a_mark_against_the_line() {
    let flow = Flow::new().await;
    let Event::Answered(mut answer) = flow.answer(25.3) else { panic!("an answer is Answered") };
    answer.replies[0].bytes[4] ^= 0x10;
    flow.reports([Event::Answered(answer)]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await, []);
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(standing.rejected.values().sum::<u64>(), 1, "{:?}", standing.rejected);
    assert_eq!(standing.misses.get(&1), Some(&1));
}

#[tokio::test]
async fn a_node_cannot_speak_for_a_terminal_of_another_node() {
    let flow = Flow::new().await;
    let mut terminal = terminals::get(flow.cx.table.as_ref(), &mac()).await.unwrap().unwrap();
    terminal.node = "n2".to_owned();
    terminals::put(flow.cx.table.as_ref(), &terminal).await.unwrap();
    flow.sensor_says(25.3).await;
    assert_eq!(history(&flow).await, []);
}
