//! Workers that are held up in the middle of a delivery, and such whose clocks jump meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use telltale_tests::WebhookReceiver;
use tokio::time::sleep;

use super::{
    ACKNOWLEDGED, Clocks, DELIVERED, Outage, check_where_some_came_late,
    load::{ClocksJump, Home, Load, Several, Usual},
};

/// Longer than the lease of a letter, in the queue and in the ledger.
const HELD_UP: Duration = Duration::from_secs(40);
/// Longer than a look at the clock takes, and less than a webhook may take to answer.
const ANSWERED_AFTER: Duration = Duration::from_millis(3500);
/// How long it takes until a program that is told another time has looked at it.
const CLOCK_IS_SET: Duration = Duration::from_secs(2);
/// How long what was held up may take to go on.
const GOES_ON: Duration = Duration::from_secs(5);

/// The webhook of Root, who is told of everything, while it holds back what came to it.
async fn until_one_is_held<H: Home>(load: &Load<H>) -> Result<&WebhookReceiver> {
    let webhook = load.people[0].webhook().context("root is told by webhooks")?;
    webhook.hold();
    webhook.until_held().await?;
    Ok(webhook)
}

/// Others take what they held; when they go on, they end what is no longer theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_stand_still_in_the_middle_of_a_delivery_for_longer_than_its_lease_repeat_no_more_than_that()
-> Result<()> {
    let mut load = Load::<Several<Usual>>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    load.until_delivered(DELIVERED).await;
    let webhook = until_one_is_held(&load).await?;
    let killed = Instant::now();
    for worker in &load.home.cluster.workers {
        worker.hangs()?;
    }
    let another = load.home.cluster.another_worker().await?;
    sleep(HELD_UP).await;
    webhook.let_go();
    for worker in &load.home.cluster.workers {
        worker.goes_on()?;
    }
    sleep(GOES_ON).await;
    let outages = [Outage { killed, over: Instant::now() }];
    load.home.cluster.workers.push(another);
    load.until_acknowledged(ACKNOWLEDGED).await?;
    load.until_delivered(DELIVERED).await;
    check_where_some_came_late(load.end().await, &outages, &[], Clocks::Agree).await.map(drop)
}

/// A minute is longer than any lease: who goes by a clock that jumps so takes what others are at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_whose_clocks_jump_by_a_minute_take_nothing_that_others_are_at() -> Result<()> {
    let mut load = Load::<Several<ClocksJump>>::start().await?;
    let began = Instant::now();
    for ahead in ["+60s", "+0s", "-60s", "+0s"] {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        let webhook = until_one_is_held(&load).await?;
        load.home.cluster.set_clocks_of_workers(ahead)?;
        sleep(ANSWERED_AFTER).await;
        webhook.let_go();
    }
    sleep(CLOCK_IS_SET).await;
    for worker in &mut load.home.cluster.workers {
        assert!(!worker.has_ended()?, "it is no longer than half a minute that a clock is wrong");
    }
    // Alarms are not delayed by it either; but what was asked while a worker hung at a webhook may be looked at later.
    let disorder = [Outage { killed: began, over: Instant::now() }];
    check_where_some_came_late(load.end().await, &[], &disorder, Clocks::Agree).await.map(drop)
}
