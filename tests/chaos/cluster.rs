//! Several processes that meet over Redis, of which any may die: what was acknowledged is there afterwards, and nobody is
//! told twice.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use telltale_tests::{Cluster, DynamoDb};
use tokio::time::sleep;

use super::{
    ACKNOWLEDGED, Clocks, DELIVERED, Outage, at_random, check_where_some_came_late, enough_were_in_order,
    load::{ClocksApart, Kind, Load, OnApalisRedis, OnDynamoDb, Several, Usual},
};

/// What happens to a cluster.
#[derive(Debug, Clone, Copy)]
enum Fault {
    KillBroker,
    KillWorker,
    KillApi,
    /// Who owns the store is killed; where nobody does, DynamoDB is out of reach for a while.
    KillStore,
    KillRedis,
    StopBroker,
    StopWorker,
    /// Every connection of gateways breaks.
    Cut,
    /// Everything between gateways and brokers is slow for a while.
    SlowDown,
}

const ALL: [Fault; 9] = [
    Fault::KillBroker,
    Fault::KillWorker,
    Fault::KillApi,
    Fault::KillStore,
    Fault::KillRedis,
    Fault::StopBroker,
    Fault::StopWorker,
    Fault::Cut,
    Fault::SlowDown,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_death_of_any_process_and_nothing_is_told_twice() -> Result<()> {
    outlives::<Usual>(ALL.to_vec(), 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_apalis_redis_what_was_acknowledged_outlives_the_death_of_workers_and_of_redis() -> Result<()> {
    use Fault::{KillBroker, KillRedis, KillWorker, StopWorker};
    outlives::<OnApalisRedis>(vec![KillWorker, StopWorker, KillRedis, KillBroker, KillWorker], 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn on_dynamodb_what_was_acknowledged_outlives_the_death_of_any_process_and_nothing_is_told_twice() -> Result<()> {
    use Fault::{KillBroker, KillRedis, KillStore, KillWorker, StopWorker};
    outlives::<OnDynamoDb>(vec![KillWorker, KillStore, KillRedis, KillBroker, StopWorker], 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn on_dynamodb_what_was_acknowledged_outlives_many_deaths_at_random_and_nothing_is_told_twice() -> Result<()> {
    let (seed, faults) = at_random(&ALL);
    outlives::<OnDynamoDb>(faults, seed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn what_was_acknowledged_outlives_many_deaths_at_random_and_nothing_is_told_twice() -> Result<()> {
    let (seed, faults) = at_random(&ALL);
    outlives::<Usual>(faults, seed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_whose_clocks_are_seconds_apart_do_what_others_do() -> Result<()> {
    let apart = Clocks::Differ.at_most_apart();
    let earlier = Instant::now().checked_sub(apart).context("the system has run for a while")?;
    let mut load = Load::<Several<ClocksApart>>::start().await?;
    let mut outages = Vec::new();
    for _ in 0..2 {
        load.until_acknowledged(ACKNOWLEDGED * 2).await?;
        load.until_delivered(DELIVERED * 2).await;
        let killed = Instant::now();
        load.home.cluster.workers[0].kill().await?;
        load.home.cluster.workers[0].restart().await?;
        // Nodes go from one broker to the other, by whose clock they are back before they went.
        load.home.cluster.balancer.cut();
        outages.push(Outage { killed, over: Instant::now() });
    }
    load.until_acknowledged(ACKNOWLEDGED).await?;
    // An answer without a proof is as old as its broker's clock says, values as their question: what came first is not told.
    let disorder = [Outage { killed: earlier, over: Instant::now() + apart }];
    check_where_some_came_late(load.end().await, &outages, &disorder, Clocks::Differ).await.map(drop)
}

impl Fault {
    /// Whether the receipt of what is told meanwhile may be lost: by who tells it, or by where that is written down.
    fn may_lose_receipts(self) -> bool {
        matches!(self, Self::KillWorker | Self::KillStore | Self::KillRedis)
    }
}

/// The faults happen one after the other under load, each at an instant that chance says.
async fn outlives<K: Kind>(faults: impl IntoIterator<Item = Fault>, seed: u64) -> Result<()> {
    let mut chance = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let mut load = Load::<Several<K>>::start().await?;
    let (mut outages, mut disorder) = (Vec::new(), Vec::new());
    for fault in faults {
        load.until_acknowledged(K::BEARS.acknowledged).await?;
        load.until_delivered(K::BEARS.delivered).await;
        sleep(Duration::from_millis(chance.random_range(0..40))).await;
        println!("{fault:?}");
        let killed = Instant::now();
        happens(fault, &mut load.home.cluster, &mut chance).await?;
        let of_its_kind = if fault.may_lose_receipts() { &mut outages } else { &mut disorder };
        of_its_kind.push(Outage { killed, over: Instant::now() });
        load.until_each_is_asked().await?;
    }
    load.goes_on_in_calm().await?;
    if K::BEARS.is_slow {
        disorder.push(Outage { killed: began, over: Instant::now() });
    }
    let judged = check_where_some_came_late(load.end().await, &outages, &disorder, Clocks::Agree).await?;
    if K::BEARS.is_slow {
        assert!(judged > 0, "the alarms were held against no answer");
    } else {
        enough_were_in_order(judged);
    }
    Ok(())
}

async fn happens(fault: Fault, cluster: &mut Cluster, chance: &mut StdRng) -> Result<()> {
    let down = Duration::from_millis(chance.random_range(0..1500));
    let (broker, worker) =
        (chance.random_range(0..cluster.brokers.len()), chance.random_range(0..cluster.workers.len()));
    let victim = match fault {
        Fault::KillBroker | Fault::StopBroker => &mut cluster.brokers[broker],
        Fault::KillWorker | Fault::StopWorker => &mut cluster.workers[worker],
        Fault::KillApi => &mut cluster.api,
        Fault::KillStore => match &cluster.dynamodb {
            Some(dynamodb) => return goes_away(dynamodb, down).await,
            None => cluster.owner()?,
        },
        Fault::KillRedis => {
            cluster.redis.kill().await?;
            sleep(down).await;
            return cluster.redis.restart().await;
        }
        Fault::Cut => {
            cluster.balancer.cut();
            return Ok(());
        }
        Fault::SlowDown => {
            cluster.balancer.slow_down(Duration::from_millis(200));
            sleep(down).await;
            cluster.balancer.slow_down(Duration::ZERO);
            return Ok(());
        }
    };
    if matches!(fault, Fault::StopBroker | Fault::StopWorker) {
        victim.terminate().await?;
    } else {
        victim.kill().await?;
    }
    sleep(down).await;
    victim.restart().await
}

/// Nothing gets to DynamoDB for a while, and what was on the way is lost.
async fn goes_away(dynamodb: &DynamoDb, down: Duration) -> Result<()> {
    dynamodb.way.let_nobody_in(true);
    dynamodb.way.cut();
    sleep(down).await;
    dynamodb.way.let_nobody_in(false);
    Ok(())
}
