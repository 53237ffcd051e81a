//! What browsers are shown when whoever would show it is cut off: nothing tells them that something is missing.

use std::{future, sync::Arc, time::Duration};

use async_trait::async_trait;
use jobs::{
    ports::{Link, LinkError, NodeCommand, Push},
    report::Event,
};
use telltale_tests::flow::{Flow, mac};

/// How many pushes there were of this event.
fn shown(flow: &Flow, event: &str) -> usize {
    flow.pushes().iter().filter(|push| push.event.starts_with(event)).count()
}

#[tokio::test]
async fn that_a_terminal_left_is_shown_though_the_queue_was_away_when_it_was_stored() {
    let flow = Flow::new().await;
    let before = shown(&flow, "MacUpdate");
    flow.queue_is_away_once_for("evaluate_alarms");
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.settle().await;
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(shown(&flow, "MacUpdate"), before + 1);
}

#[tokio::test]
async fn that_a_device_is_asked_less_often_is_shown_though_the_queue_was_away_when_it_was_stored() {
    let flow = Flow::new().await;
    let before = shown(&flow, "MacIntervalUpdate");
    flow.queue_is_away_once_for("evaluate_alarms");
    flow.reports([Event::Missed { mac: mac(), pid: 1, count: Some(11), asked: None }]).await;
    flow.settle().await;
    flow.after(Duration::from_secs(5)).await;
    assert!(shown(&flow, "MacIntervalUpdate") > before);
}

/// A link on which whoever shows an alarm dies.
struct Deadly(Arc<dyn Link>);

#[async_trait]
impl Link for Deadly {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        self.0.command(broker, command).await
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        if pushes.iter().any(|push| push.event == "alarm") {
            future::pending::<()>().await;
        }
        self.0.publish(pushes).await
    }
}

#[tokio::test]
async fn an_alarm_whose_worker_died_before_it_showed_it_is_shown_by_the_next() {
    let mut flow = Flow::new().await;
    let link = Arc::clone(&flow.cx.link);
    flow.cx.link = Arc::new(Deadly(Arc::clone(&link)));
    let dies = tokio::time::timeout(Duration::from_secs(1), flow.sensor_says(45.0)).await;
    assert!(dies.is_err(), "it dies there");
    flow.cx.link = link;
    // Its lease runs out.
    flow.sleeps(Duration::from_mins(1));
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(shown(&flow, "alarm"), 1);
}
