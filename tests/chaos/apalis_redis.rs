//! A cluster whose jobs go through apalis-redis, of which workers die: it serves its field, and the books balance.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{
    ACKNOWLEDGED, DELIVERED, Outage, check,
    load::{Load, OnApalisRedis},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_apalis_redis_what_was_acknowledged_outlives_the_death_of_a_worker_and_of_redis() -> Result<()> {
    let mut load = Load::<OnApalisRedis>::start().await?;
    let mut outages = Vec::new();
    for round in 0..3 {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        let killed = Instant::now();
        let cluster = &mut load.home.0;
        if round == 2 {
            cluster.redis.kill().await?;
            sleep(Duration::from_millis(500)).await;
            cluster.redis.restart().await?;
        } else {
            cluster.workers[round].kill().await?;
            cluster.workers[round].restart().await?;
        }
        outages.push(Outage { killed, over: Instant::now() });
    }
    load.until_acknowledged(ACKNOWLEDGED).await?;
    check(load.end().await, &outages).await
}
