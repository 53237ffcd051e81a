//! The ways to Redis and to the store's table break and are slow: what was acknowledged is there afterwards, and nobody is told twice.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use telltale_tests::{Cluster, Ways};
use tokio::time::sleep;

use super::{
    ACKNOWLEDGED, Clocks, DELIVERED, Outage, at_random, check_where_some_came_late, enough_were_in_order,
    load::{Load, Several, Tapped},
};

/// What happens to the ways of brokers and workers.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    CutToRedis,
    CutToTable,
    /// Both, again and again for a while.
    CutOften,
    SlowToRedis,
    SlowToTable,
}

use Trouble::{CutOften, CutToRedis, CutToTable, SlowToRedis, SlowToTable};

/// How long each call and each answer takes when they are slow. Others wait behind it.
const SLOW: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_ways_to_redis_and_the_table_are_cut_and_slow_nothing_is_lost_or_told_twice() -> Result<()> {
    withstands([CutToRedis, SlowToRedis, CutToTable, SlowToTable, CutOften], 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn whenever_the_ways_to_redis_and_the_table_are_cut_or_slow_nothing_is_lost_or_told_twice() -> Result<()> {
    let (seed, troubles) = at_random(&[CutToRedis, CutToTable, CutOften, SlowToRedis, SlowToTable]);
    withstands(troubles, seed).await
}

async fn withstands(troubles: impl IntoIterator<Item = Trouble>, seed: u64) -> Result<()> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut load = Load::<Several<Tapped>>::start().await?;
    let mut outages = Vec::new();
    for trouble in troubles {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        sleep(Duration::from_millis(chance.random_range(0..40))).await;
        println!("{trouble:?}");
        let killed = Instant::now();
        happens(trouble, &load.home.cluster, &mut chance).await;
        outages.push(Outage { killed, over: Instant::now() });
    }
    load.until_acknowledged(ACKNOWLEDGED).await?;
    enough_were_in_order(check_where_some_came_late(load.end().await, &outages, &[], Clocks::Agree).await?);
    Ok(())
}

async fn happens(trouble: Trouble, cluster: &Cluster, chance: &mut StdRng) {
    let (redis, table) = (cluster.ways_to_redis(), cluster.ways_to_table());
    match trouble {
        CutToRedis => redis.cut(),
        CutToTable => table.cut(),
        CutOften => {
            for _ in 0..5 {
                sleep(Duration::from_millis(chance.random_range(0..300))).await;
                redis.cut();
                table.cut();
            }
        }
        SlowToRedis => are_slow(redis, chance).await,
        SlowToTable => are_slow(table, chance).await,
    }
}

async fn are_slow(ways: &Ways, chance: &mut StdRng) {
    ways.slow_down(SLOW);
    sleep(Duration::from_millis(chance.random_range(500..2000))).await;
    ways.slow_down(Duration::ZERO);
}
