//! A disk that is full, read-only, or broken: nothing is acknowledged that is not kept, and all goes on once it takes writes.

use std::time::Instant;

use anyhow::{Context, Result};
use telltale_tests::{Server, eventually, http_client};

use super::{
    ACKNOWLEDGED, DELIVERED, Outage, check,
    load::{Load, OnSmallDisk, all},
};

/// Whether there can be small disks; says so if not.
async fn there_are_small_disks() -> bool {
    let may = Server::may_have_small_disks().await;
    if !may {
        println!("LEFT OUT: this system lets nobody have a disk of their own (unshare is refused)");
    }
    may
}

/// Twice under load the disk takes no writes for a while: the server says that it takes nothing, refuses posts, and goes on.
async fn goes_on_after(
    trouble: impl AsyncFn(&Server) -> Result<()>,
    end_of_trouble: impl AsyncFn(&Server) -> Result<()>,
) -> Result<()> {
    let mut load = Load::<OnSmallDisk>::start().await?;
    let (client, ready) = (http_client()?, format!("{}/health/ready", load.home.0.url()));
    let is_ready = async || client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success());
    // What was told when its receipt could not be stored is told again, under the same id: as when the process dies.
    let mut outages = Vec::new();
    let told = |load: &Load<OnSmallDisk>, subject: &str| load.home.1.deliveries(subject).len();
    for round in 1..=2 {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        let began = Instant::now();
        trouble(&load.home.0).await?;
        eventually("it says that it takes nothing", async || (!is_ready().await).then_some(())).await;
        load.until_refused().await;
        // Longer than the operator is to hear of.
        eventually("the operator hears", async || (told(&load, "Alarm: telltale, store") == round).then_some(())).await;
        end_of_trouble(&load.home.0).await?;
        eventually("it is well again", async || is_ready().await.then_some(())).await;
        eventually("the operator hears", async || (told(&load, "Recovered: telltale, store") == round).then_some(()))
            .await;
        outages.push(Outage { killed: began, over: Instant::now() });
    }
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let alarms = all(&load.people[0].session, "/api/alarms").await?;
    let of_platform =
        alarms.iter().filter(|alarm| alarm["source"]["kind"] == "platform" && alarm["state"] == "cleared");
    assert_eq!(of_platform.count(), 2, "administrators hear of it too");
    check(load.end().await, &outages).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_that_was_acknowledged_and_all_goes_on_when_there_is_room() -> Result<()> {
    if !there_are_small_disks().await {
        return Ok(());
    }
    goes_on_after(async |server| server.fill_disk(), async |server| server.free_disk()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_becomes_read_only_loses_nothing_that_was_acknowledged_and_all_goes_on_when_it_is_writable()
-> Result<()> {
    if !there_are_small_disks().await {
        return Ok(());
    }
    goes_on_after(
        async |server| server.set_disk_read_only(true).await,
        async |server| server.set_disk_read_only(false).await,
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_write_failed_ends_and_starts_again_only_where_it_can_write() -> Result<()> {
    if !there_are_small_disks().await {
        return Ok(());
    }
    let mut load = Load::<OnSmallDisk>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    load.until_delivered(DELIVERED).await;
    let killed = Instant::now();
    let server = &mut load.home.0;
    server.break_writes()?;
    eventually("it ends", async || server.has_ended().ok().filter(|ended| *ended)).await;
    server.set_disk_read_only(true).await?;
    let refused = server.restart().await.err().context("it starts on a disk that is read-only")?;
    println!("on a disk that is read-only: {refused:#}");
    server.set_disk_read_only(false).await?;
    server.restart().await?;
    let outages = [Outage { killed, over: Instant::now() }];
    load.until_acknowledged(ACKNOWLEDGED).await?;
    check(load.end().await, &outages).await
}
