//! AWS is stopped, cut, slow, or out of reach under brokers and functions that go on: what was acknowledged is there
//! afterwards, and nobody is told twice.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use telltale_tests::{LambdaHost, Proxy, eventually_within};
use tokio::time::sleep;

use super::{
    Clocks, Outage, at_random, check_where_some_came_late,
    load::{Home, Load},
    stack::Stack,
};

/// What happens to a stack.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// AWS stands still, and goes on.
    Stop,
    /// Every connection to AWS breaks, in the middle of whatever goes over it.
    Cut,
    /// Every connection to AWS breaks, and none comes about for a while.
    Refuse,
    /// Everything to and from AWS is slow for a while.
    SlowDown,
    KillBroker,
    StopBroker,
    /// A function's program dies in the middle of its batch.
    KillFunction,
    /// A function's program dies when its batch is done, before anybody hears of it.
    LoseAnAnswer,
}

const ALL: [Fault; 8] = [
    Fault::KillFunction,
    Fault::LoseAnAnswer,
    Fault::Stop,
    Fault::Cut,
    Fault::Refuse,
    Fault::SlowDown,
    Fault::KillBroker,
    Fault::StopBroker,
];

/// Those that need AWS to happen; `functions::whole` has what becomes of brokers.
const OF_AWS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_stops_and_cuts_of_aws_and_nothing_is_told_twice() -> Result<()> {
    outlives(ALL[..OF_AWS].to_vec(), 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn what_was_acknowledged_outlives_many_stops_and_cuts_of_aws_at_random() -> Result<()> {
    let (seed, faults) = at_random(&ALL);
    outlives(faults, seed).await
}

/// The faults happen one after the other under load, each at an instant that chance says.
async fn outlives(faults: impl IntoIterator<Item = Fault>, seed: u64) -> Result<()> {
    let mut chance = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let mut load = Load::<Stack>::start().await?;
    let mut outages = Vec::new();
    for fault in faults {
        load.until_acknowledged(Stack::BEARS.acknowledged).await?;
        load.until_delivered(Stack::BEARS.delivered).await;
        sleep(Duration::from_millis(chance.random_range(0..200))).await;
        println!("{fault:?}");
        let killed = Instant::now();
        happens(fault, &mut load.home, &mut chance).await?;
        outages.push(Outage { killed, over: Instant::now() });
        load.home.revive().await?;
    }
    load.until_acknowledged(Stack::BEARS.acknowledged).await?;
    // SQS keeps no order: what is good may be looked at after what was abnormal later, at any time.
    let disorder = [Outage { killed: began, over: Instant::now() }];
    check_where_some_came_late(load.end().await, &outages, &disorder, Clocks::Agree).await.map(drop)
}

async fn happens(fault: Fault, stack: &mut Stack, chance: &mut StdRng) -> Result<()> {
    let lasts = Duration::from_millis(chance.random_range(100..2000));
    let broker = chance.random_range(0..stack.brokers.len());
    let function = &stack.functions[chance.random_range(0..stack.functions.len())];
    match fault {
        Fault::Stop => {
            stack.brake.hold()?;
            sleep(lasts).await;
            stack.brake.release()
        }
        Fault::Cut => stack.with_door(Proxy::cut).await,
        Fault::Refuse => {
            stack.with_door(|door| door.let_nobody_in(true)).await?;
            stack.with_door(Proxy::cut).await?;
            sleep(lasts).await;
            stack.with_door(|door| door.let_nobody_in(false)).await
        }
        Fault::SlowDown => {
            stack.with_door(|door| door.slow_down(Duration::from_millis(200))).await?;
            sleep(lasts).await;
            stack.with_door(|door| door.slow_down(Duration::ZERO)).await
        }
        Fault::KillBroker => {
            stack.brokers[broker].kill().await?;
            stack.brokers[broker].restart().await
        }
        Fault::StopBroker => {
            stack.brokers[broker].terminate().await?;
            stack.brokers[broker].restart().await
        }
        Fault::KillFunction => {
            function.dies();
            Ok(())
        }
        Fault::LoseAnAnswer => {
            function.loses_an_answer();
            until_lost(function).await;
            Ok(())
        }
    }
}

async fn until_lost(function: &LambdaHost) {
    let is_lost = async || (function.answers_to_lose() == 0).then_some(());
    eventually_within(Stack::BEARS.goes_on_within, "an answer is lost", is_lost).await;
}
