//! A disk that is full: nothing is acknowledged that is not kept, and all goes on once there is room.

use std::time::Instant;

use anyhow::Result;
use telltale_tests::{Server, eventually, http_client};

use super::{
    ACKNOWLEDGED, DELIVERED, Outage, check,
    load::{Load, OnSmallDisk, all},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_that_was_acknowledged_and_all_goes_on_when_there_is_room() -> Result<()> {
    if !Server::may_have_small_disks().await {
        println!("LEFT OUT: this system lets nobody have a disk of their own (unshare is refused)");
        return Ok(());
    }
    let mut load = Load::<OnSmallDisk>::start().await?;
    let (client, ready) = (http_client()?, format!("{}/health/ready", load.home.0.url()));
    let is_ready = async || client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success());
    // What was told when its receipt could not be stored is told again, under the same id: as when the process dies.
    let mut outages = Vec::new();
    let told = |load: &Load<OnSmallDisk>, subject: &str| load.home.1.deliveries(subject).len();
    for round in 1..=2 {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        let full = Instant::now();
        load.home.0.fill_disk()?;
        eventually("it says that it takes nothing", async || (!is_ready().await).then_some(())).await;
        load.until_refused().await;
        // Longer than the operator is to hear of.
        eventually("the operator hears", async || (told(&load, "Alarm: telltale, store") == round).then_some(())).await;
        load.home.0.free_disk()?;
        eventually("it is well again", async || is_ready().await.then_some(())).await;
        eventually("the operator hears", async || (told(&load, "Recovered: telltale, store") == round).then_some(()))
            .await;
        outages.push(Outage { killed: full, over: Instant::now() });
    }
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let alarms = all(&load.people[0].session, "/api/alarms").await?;
    let of_platform =
        alarms.iter().filter(|alarm| alarm["source"]["kind"] == "platform" && alarm["state"] == "cleared");
    assert_eq!(of_platform.count(), 2, "administrators hear of it too");
    check(load.end().await, &outages).await
}
