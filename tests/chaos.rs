//! The server dies under load, again and again: what it acknowledged is there afterwards, and nobody is told twice.

mod alarms;
mod away;
mod aws;
mod channels;
mod cluster;
mod disk;
mod held;
mod history;
mod load;
mod nodes;
mod points;
mod rolling;
mod stack;
mod told;
mod ways;
mod work;

use std::time::{Duration, Instant};

use anyhow::Result;
use boot::SystemDice;
use field::FieldCounters;
use jobs::ports::Dice;
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use telltale_tests::{Server, told};
use tokio::time::sleep;

use alarms::{Said, instant};
use history::History;
use load::{Aftermath, Load, SECONDS_APART};
use told::Told;

/// What must have happened since the start before the server dies.
const ACKNOWLEDGED: usize = 80;
const DELIVERED: usize = 20;

/// From a webhook's or a mailbox's answer to the commit of its receipt it takes milliseconds; on a machine that is very busy, not
/// longer than this.
const RECEIPT_IS_STORED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_kill_9_and_nothing_is_told_twice() -> Result<()> {
    outlives_kills(6).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn what_was_acknowledged_outlives_many_a_kill_9_and_nothing_is_told_twice() -> Result<()> {
    outlives_kills(30).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_by_sigterm_loses_nothing() -> Result<()> {
    let mut load = Load::<Server>::start().await?;
    let mut stops = Vec::new();
    for _ in 0..2 {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        let killed = Instant::now();
        load.home.terminate().await?;
        load.home.restart().await?;
        stops.push(Outage { killed, over: Instant::now() });
        load.until_each_is_asked().await?;
    }
    load.goes_on_in_calm().await?;
    // What a device did not answer just before its node was gone says nothing of it.
    enough_were_in_order(check_where_some_came_late(load.end().await, &[], &stops, Clocks::Agree).await?);
    Ok(())
}

/// Whether the processes have one time: else a question may seem to have been asked after its answer came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clocks {
    Agree,
    Differ,
}

impl Clocks {
    fn at_most_apart(self) -> Duration {
        match self {
            Self::Agree => Duration::ZERO,
            Self::Differ => Duration::from_secs(u64::from(2 * SECONDS_APART)),
        }
    }
}

/// From a kill to when the next process listens.
struct Outage {
    killed: Instant,
    over: Instant,
}

impl Outage {
    /// Whether the receipt of what was delivered then may have died with the process.
    fn may_have_lost_the_receipt_of(&self, delivered: Instant) -> bool {
        self.killed.saturating_duration_since(delivered) < RECEIPT_IS_STORED_WITHIN && delivered < self.over
    }
}

/// What is under way when the server dies: the kills come upon an acknowledgement, upon a webhook, and at some instant
/// in between, while jobs follow from one another.
async fn outlives_kills(rounds: u64) -> Result<()> {
    let mut load = Load::<Server>::start().await?;
    let mut outages = Vec::new();
    for round in 0..rounds {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        load.until_delivered(DELIVERED).await;
        match round % 3 {
            0 => load.until_acknowledged(1).await?,
            1 => load.until_delivered(1).await,
            _ => {
                load.until_acknowledged(1).await?;
                sleep(Duration::from_millis(3 * round % 30)).await;
            }
        }
        let killed = Instant::now();
        load.home.kill().await?;
        load.home.restart().await?;
        outages.push(Outage { killed, over: Instant::now() });
        load.until_each_is_asked().await?;
    }
    load.goes_on_in_calm().await?;
    check(load.end().await, &outages).await
}

/// Waits until the server has worked off what it holds, then compares its books with those of the outside world.
async fn check(aftermath: Aftermath<impl Sized>, outages: &[Outage]) -> Result<()> {
    enough_were_in_order(check_where_some_came_late(aftermath, outages, &[], Clocks::Agree).await?);
    Ok(())
}

/// The seed that `TELLTALE_CHAOS_SEED` tells, or a new one, and what chance picks out of `all` by it: for `TELLTALE_CHAOS_SECONDS`, or
/// else `TELLTALE_CHAOS_ROUNDS` times.
fn at_random<T: Clone>(all: &[T]) -> (u64, impl Iterator<Item = T>) {
    let seed = told("TELLTALE_CHAOS_SEED").unwrap_or_else(|| SystemDice.roll());
    let lasts = told("TELLTALE_CHAOS_SECONDS").map(Duration::from_secs);
    let rounds = told("TELLTALE_CHAOS_ROUNDS").unwrap_or(if lasts.is_some() { u64::MAX } else { 60 });
    println!("TELLTALE_CHAOS_SEED={seed} TELLTALE_CHAOS_ROUNDS={rounds} for at most {lasts:?}");
    let (mut chance, began) = (StdRng::seed_from_u64(seed), Instant::now());
    let picked = (0..rounds).map_while(move |_| all.choose(&mut chance).cloned());
    (seed, picked.take_while(move |_| lasts.is_none_or(|lasts| began.elapsed() < lasts)))
}

/// Books that excuse everything would always balance.
fn enough_were_in_order(exact: usize) {
    assert!(exact >= ACKNOWLEDGED / 4, "alarms were held against {exact} answers only");
}

/// The same where more was worked off in another order than it was said in, without being told twice. Against how many answers
/// the alarms were held exactly.
async fn check_where_some_came_late(
    aftermath: Aftermath<impl Sized>,
    outages: &[Outage],
    disorder: &[Outage],
    clocks: Clocks,
) -> Result<usize> {
    let Aftermath { home, people, acknowledged, field, ended, nodes_are_missed } = aftermath;
    let end = Outage { killed: ended, over: Instant::now() };
    let FieldCounters { posts_failed, posts_retried, .. } = field;
    println!("{} kills; posts of the field: {posts_retried} tried again, {posts_failed} given up", outages.len());
    if nodes_are_missed {
        // None was while the field was there, however its brokers died.
        let since = outages.iter().chain(disorder).map(|outage| outage.killed).max().unwrap_or(ended);
        nodes::are_missed_since(&people[0].session, instant(since.min(ended)).minus(clocks.at_most_apart())).await?;
    }
    History::until_complete(&people[0].session, &acknowledged).await?;
    for person in &people {
        Told::until_settled(person).await?;
    }
    if nodes_are_missed {
        // Else what looks after a node that is back waits for a quarter of an hour.
        work::is_all_done(&people[0].session).await?;
    }
    // Only now: books that are closed when they first balance do not see what comes too often.
    let history = History::until_complete(&people[0].session, &acknowledged).await?;
    history.shows_each_once_and_as_it_was_said(&acknowledged);
    let said = Said::new(&acknowledged, &history, outages.iter().chain(disorder).chain([&end]), clocks);
    let exact = said.demands_the_alarms_there_are(&people[0].session).await?;
    for person in &people {
        let told = Told::until_settled(person).await?;
        told.raises_and_clears_alternate();
        told.says_each_change_once();
        let may_come_again = |came: Instant| outages.iter().any(|outage| outage.may_have_lost_the_receipt_of(came));
        told.was_delivered_once(may_come_again);
        told.was_mailed_once(may_come_again);
    }
    drop(home);
    Ok(exact)
}
