//! Redis or the store is away: the operator hears at once, the administrators once they can, each once.

use std::{collections::BTreeSet, time::Instant};

use anyhow::Result;
use serde_json::Value;
use telltale_tests::eventually;

use super::{Operated, of_platform};
use crate::chaos::{ACKNOWLEDGED, Clocks, Outage, check_where_some_came_late, load::Load};

/// Waits until so many alarms of the platform are over, and none is active.
async fn until_over(load: &Load<Operated>, count: usize) -> Vec<Value> {
    let root = &load.people[0].session;
    eventually("the alarms of the platform are over", async || {
        let alarms = of_platform(root).await.ok()?;
        let are_over = alarms.iter().all(|alarm| alarm["state"] == "cleared");
        (alarms.len() == count && are_over).then_some(alarms)
    })
    .await
}

/// Asserts that the operator was told of so many outages and their ends, each under an id of its own and rightly signed.
fn was_told_once_each(load: &Load<Operated>, times: usize) {
    let (all, alarms, ends) = ["", "Alarm", "Recovered"].map(|subject| load.home.operator.deliveries(subject)).into();
    let ids: BTreeSet<&str> = all.iter().map(|delivery| delivery.id.as_str()).collect();
    assert_eq!((alarms.len(), ends.len(), ids.len()), (times, times, 2 * times), "{all:#?}");
    assert!(all.iter().all(|delivery| delivery.genuine), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_hangs_the_operator_hears_and_administrators_hear_when_it_is_back() -> Result<()> {
    let mut load = Load::<Operated>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let killed = Instant::now();
    load.home.cluster.redis.hangs().await?;
    load.home.until_told("Alarm: broker:", 2).await;
    let told = &load.home.operator.deliveries("Alarm")[0].body;
    assert_eq!((&told["type"], &told["data"]["needs"]), (&"platform".into(), &"queue".into()));
    assert!(told["data"]["text"].as_str().is_some_and(|text| text.contains("the queue is away since")), "{told}");
    assert_eq!(load.home.operator.deliveries("Recovered").len(), 0);

    load.home.cluster.redis.goes_on().await?;
    load.home.until_told("Recovered", 2).await;
    for alarm in until_over(&load, 2).await {
        assert_eq!((&alarm["source"]["needs"], &alarm["severity"]), (&"queue".into(), &"critical".into()), "{alarm}");
        assert!(alarm["cleared_by"].as_str().is_some_and(|by| by.starts_with("the queue is back")), "{alarm}");
    }
    assert_eq!(of_platform(&load.people[1].session).await?.len(), 0, "it is no business of Ann's");
    was_told_once_each(&load, 2);
    let disorder = [Outage { killed, over: Instant::now() }];
    check_where_some_came_late(load.end().await, &[], &disorder, Clocks::Agree).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_told_once_by_another_broker_when_the_one_that_raised_the_alarm_is_dead() -> Result<()> {
    let mut load = Load::<Operated>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let killed = Instant::now();
    load.home.cluster.redis.kill().await?;
    load.home.until_told("Alarm: broker:", 2).await;
    let told = load.home.operator.deliveries("Alarm")[0].body["data"]["text"].to_string();
    assert!(told.contains("batches of results wait in the spool"), "{told}");
    load.home.cluster.brokers[0].kill().await?;
    load.home.cluster.redis.restart().await?;
    load.home.until_told("Recovered", 2).await;
    until_over(&load, 2).await;
    was_told_once_each(&load, 2);
    let disorder = [Outage { killed, over: Instant::now() }];
    check_where_some_came_late(load.end().await, &[], &disorder, Clocks::Agree).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_started_again_tells_the_end_of_what_it_told_before() -> Result<()> {
    let mut load = Load::<Operated>::start().await?;
    let killed = Instant::now();
    load.home.cluster.owner()?.hangs()?;
    load.home.until_told("Alarm: broker:", 2).await;
    let data = load.home.operator.deliveries("Alarm")[0].body["data"].clone();
    assert_eq!(data["needs"], "store", "{data}");
    load.home.cluster.brokers[0].kill().await?;
    load.home.cluster.owner()?.goes_on()?;
    load.home.cluster.brokers[0].restart().await?;
    load.home.until_told("Recovered", 2).await;
    for alarm in until_over(&load, 2).await {
        assert_eq!(alarm["source"]["needs"], "store", "{alarm}");
    }
    was_told_once_each(&load, 2);
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let disorder = [Outage { killed, over: Instant::now() }];
    check_where_some_came_late(load.end().await, &[], &disorder, Clocks::Agree).await.map(drop)
}
