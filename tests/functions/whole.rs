//! The whole of it: a gateway at the broker's socket, the functions between the queues, and whoever is told.

use std::time::Duration;

use anyhow::{Result, ensure};
use boot::SystemClock;
use domain::{Timestamp, reading::Reading};
use records::{
    Clock, brokers, nodes,
    readings::{self, Span},
    terminals::{self, Presence},
};
use serde_json::Value;
use telltale_tests::{
    AwsBroker, Dtu, Gateway, GatewaySettings, Habits, LambdaHost, Slave, Variant, eventually,
    flow::{self, MAC},
    lambda_events,
};

use super::cloud::Cloud;

/// The sensor's address on its line, and its registers at 25.3 and at 40.0 degrees.
pub(crate) const SENSOR: u8 = 1;
pub(crate) const MILD: [u16; 3] = [253, 600, 1];
pub(crate) const HOT: [u16; 3] = [400, 600, 1];

const MINUTE_MS: i64 = 60_000;

/// A gateway program with the site's terminal, whose line the slave is at.
pub(crate) fn gateway(broker: &AwsBroker, slave: &Slave) -> Result<Gateway> {
    let settings = GatewaySettings {
        variant: Variant::TwoSockets,
        token: "t",
        terminals: vec![Dtu { mac: MAC, port: slave.port(), sim: false }],
        register_after: Duration::ZERO,
        habits: Habits::default(),
    };
    Gateway::start(&broker.url(), &settings)
}

/// A gateway, its line, its broker, and all behind them.
struct Whole {
    cloud: Cloud,
    broker: AwsBroker,
    slave: Slave,
    gateway: Gateway,
}

impl Whole {
    async fn start() -> Result<Self> {
        let (cloud, slave) = tokio::try_join!(Cloud::start(), Slave::start([(SENSOR, &MILD)]))?;
        let broker = cloud.aws.broker().await?;
        let gateway = gateway(&broker, &slave)?;
        Ok(Self { cloud, broker, slave, gateway })
    }

    /// Has the functions take what is in their queues, until `seen`.
    async fn until(&mut self, wanted: &str, seen: impl AsyncFn(&Cloud) -> bool) {
        let cloud = &mut self.cloud;
        eventually(wanted, async || {
            cloud.settle().await.ok()?;
            seen(cloud).await.then_some(())
        })
        .await;
    }
}

/// The sensor's readings, newest first.
pub(super) async fn readings_of(cloud: &Cloud) -> Vec<Reading> {
    let span = Span { from: Timestamp(0), to: SystemClock.now().plus(Duration::from_mins(1)), limit: 100, after: None };
    let page = readings::history(&cloud.table, &flow::mac(), SENSOR, &span).await;
    page.map(|page| page.items).unwrap_or_default()
}

/// How many milliseconds after each other the sensor was asked, but for the first time: that may have been due before the broker
/// had the plan of a node that became ready, since what the node says gathers first.
async fn apart(cloud: &Cloud) -> Vec<i64> {
    let asked: Vec<i64> = readings_of(cloud).await.iter().map(|reading| reading.asked.0).collect();
    let apart = asked.windows(2).map(|two| two[0] - two[1]);
    apart.take(asked.len().saturating_sub(2)).collect()
}

#[tokio::test]
async fn a_gateway_is_polled_every_five_seconds_and_its_alarm_is_told_once() -> Result<()> {
    let mut whole = Whole::start().await?;
    whole.until("five readings", async |cloud| readings_of(cloud).await.len() >= 5).await;
    let apart = apart(&whole.cloud).await;
    assert!(apart.iter().all(|ms| (4_500..5_500).contains(ms)), "{apart:?}");

    whole.slave.set(SENSOR, &HOT).await?;
    whole.until("the alarm", async |cloud| !cloud.webhook.deliveries("Alarm").is_empty()).await;
    whole.slave.set(SENSOR, &MILD).await?;
    whole.until("the recovery", async |cloud| !cloud.webhook.deliveries("Recovered").is_empty()).await;
    assert_eq!(whole.cloud.webhook.deliveries("").len(), 2);
    assert!(whole.gateway.lives()?);
    Ok(())
}

/// The schedule: each minute a tick for each of its jobs, and, as may happen on AWS, the same one again.
struct Schedule {
    functions: [LambdaHost; 2],
    minute: i64,
}

impl Schedule {
    async fn start(cloud: &Cloud) -> Result<Self> {
        let functions = [cloud.aws.function("plan_window", &[]).await?, cloud.aws.function("sweep", &[]).await?];
        Ok(Self { functions, minute: 0 })
    }

    async fn tick(&mut self) -> Result<()> {
        let minute = SystemClock.now().0.div_euclid(MINUTE_MS);
        if minute == self.minute {
            return Ok(());
        }
        self.minute = minute;
        let tick = lambda_events::tick(&Timestamp(minute * MINUTE_MS).rfc3339());
        for function in self.functions.iter().chain(&self.functions) {
            let ticked = function.invoke(tick.clone()).await?;
            ensure!(ticked == Ok(Value::Null), "{ticked:?}");
        }
        Ok(())
    }
}

#[tokio::test]
#[ignore = "takes long"]
async fn polls_stay_five_seconds_apart_from_one_minute_to_the_next() -> Result<()> {
    let Whole { mut cloud, broker: _broker, slave: _slave, gateway: _gateway } = Whole::start().await?;
    let mut schedule = Schedule::start(&cloud).await?;
    // Three minutes' worth, of which the first is what a node that becomes ready is asked.
    for count in 1..=36 {
        eventually(&format!("reading {count}"), async || {
            schedule.tick().await.ok()?;
            cloud.settle().await.ok()?;
            (readings_of(&cloud).await.len() >= count).then_some(())
        })
        .await;
    }
    let apart = apart(&cloud).await;
    assert!(apart.iter().all(|ms| (4_500..5_500).contains(ms)), "{apart:?}");
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_killed_is_buried_by_another_and_its_nodes_are_lost() -> Result<()> {
    let mut whole = Whole::start().await?;
    whole.until("the node at the broker", is_ready).await;
    let dead = nodes::sessions(&whole.cloud.table).await?[0].broker.clone();
    whole.broker.kill().await?;
    let other = whole.cloud.aws.broker().await?;
    whole.until("no session", async |cloud| nodes::sessions(&cloud.table).await.is_ok_and(|all| all.is_empty())).await;
    let unknown = async |cloud: &Cloud| {
        let standing = terminals::standing(&cloud.table, &flow::mac()).await;
        standing.is_ok_and(|standing| standing.value.presence == Presence::Unknown)
    };
    whole.until("its terminal unknown", unknown).await;
    let aws = &whole.cloud.aws;
    eventually("its inbox goes", async || (!aws.has_inbox(&dead).await.ok()?).then_some(())).await;
    assert_eq!(brokers::all(&whole.cloud.table).await?.len(), 1);
    drop(other);
    Ok(())
}

async fn is_ready(cloud: &Cloud) -> bool {
    let sessions = nodes::sessions(&cloud.table).await.unwrap_or_default();
    sessions.iter().any(|session| session.ready && session.broker != "b1")
}

#[tokio::test]
async fn a_broker_that_is_asked_to_stop_leaves_no_session_and_no_inbox() -> Result<()> {
    let mut whole = Whole::start().await?;
    whole.until("the node at the broker", is_ready).await;
    let broker = nodes::sessions(&whole.cloud.table).await?[0].broker.clone();
    whole.broker.terminate().await?;
    assert_eq!(nodes::sessions(&whole.cloud.table).await?, []);
    assert!(!whole.cloud.aws.has_inbox(&broker).await?);
    assert_eq!(brokers::all(&whole.cloud.table).await?, []);
    Ok(())
}
