//! Processes that die exactly before and exactly after each of their effects and acknowledgements: what was acknowledged is
//! there afterwards, and nobody is told twice.

use std::time::Instant;

use anyhow::Result;
use jobs::{DeliverNotice, DispatchQueries, EvaluateAlarms, FanOut, Job, PlanWindow, ProcessResults, Sweep};
use telltale_tests::{Caught, Cluster, Effect, Moment};

use super::{
    ACKNOWLEDGED, Clocks, DELIVERED, Outage, at_random, check_where_some_came_late, enough_were_in_order,
    load::{Load, Several, Tapped},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_before_and_after_each_thing_it_does_with_a_question_or_a_reading() -> Result<()> {
    outlives(deaths(Victim::WhoDoesIt, of_workers_with_readings())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_before_and_after_each_thing_it_does_with_an_alarm_or_a_letter() -> Result<()> {
    outlives(deaths(Victim::WhoDoesIt, of_workers_with_alarms())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_may_die_before_and_after_each_thing_it_does() -> Result<()> {
    outlives(deaths(Victim::WhoDoesIt, of_brokers())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_and_the_store_may_die_before_and_after_each_thing_that_is_asked_of_them() -> Result<()> {
    outlives(deaths(Victim::WhoIsAsked, of_redis_and_the_store())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long"]
async fn whoever_dies_at_whatever_point_nothing_is_lost_and_nothing_is_told_twice() -> Result<()> {
    let who_do_it = [of_workers_with_readings(), of_workers_with_alarms(), of_brokers()].concat();
    let all = [deaths(Victim::WhoDoesIt, who_do_it), deaths(Victim::WhoIsAsked, of_redis_and_the_store())].concat();
    outlives(at_random(&all).1).await
}

/// What a worker does with a question and a reading.
fn of_workers_with_readings() -> Vec<Effect> {
    vec![
        Effect::enqueue(PlanWindow::NAME),
        Effect::enqueue(DispatchQueries::NAME),
        Effect::acknowledge(PlanWindow::NAME),
        Effect::command("plan"),
        Effect::acknowledge(DispatchQueries::NAME),
        Effect::write("store the history", &["history#"]),
        Effect::write("store what is latest", &["terminal#", "latest"]),
        Effect::enqueue(EvaluateAlarms::NAME),
        Effect::show(),
        Effect::acknowledge(ProcessResults::NAME),
    ]
}

/// What a worker does with an alarm and a letter.
fn of_workers_with_alarms() -> Vec<Effect> {
    vec![
        Effect::acknowledge(Sweep::NAME),
        Effect::write("step the alarm machine", &["watch#", "transition#"]),
        Effect::enqueue(FanOut::NAME),
        Effect::write("empty the outbox", &["watch#"]).without("transition#"),
        Effect::acknowledge(EvaluateAlarms::NAME),
        Effect::write("claim a transition", &["ledger#fan_out/", r#""claimed""#]),
        Effect::write("step an incident", &["incident#", "incident-heard#"]),
        Effect::write("store a notice", &["notice#"]).of_version(1),
        Effect::enqueue(DeliverNotice::NAME),
        Effect::write("empty an incident's outbox", &["incident#"]).without("incident-heard#"),
        Effect::write("end a transition", &["ledger#fan_out/", r#""done""#]),
        Effect::acknowledge(FanOut::NAME),
        Effect::write("claim a letter", &["ledger#deliver_notice/", r#""claimed""#]),
        Effect::write("store a receipt", &["notice#"]).of_version(2),
        Effect::write("end a letter", &["ledger#deliver_notice/", r#""done""#]),
        Effect::acknowledge(DeliverNotice::NAME),
    ]
}

/// What a broker does.
fn of_brokers() -> Vec<Effect> {
    vec![
        Effect::enqueue(ProcessResults::NAME),
        Effect::command("answered"),
        Effect::write("give a sign of life", &["\x06broker"]),
        Effect::write("open a session", &["\x07session", r#""connection""#]),
        Effect::write("end a session", &["\x07session"]).without(r#""connection""#),
    ]
}

/// What is asked of Redis and of the store.
fn of_redis_and_the_store() -> Vec<Effect> {
    vec![
        Effect::enqueue(ProcessResults::NAME),
        Effect::write("store the history", &["history#"]),
        Effect::acknowledge(ProcessResults::NAME),
        Effect::write("step the alarm machine", &["watch#", "transition#"]),
        Effect::enqueue(FanOut::NAME),
        Effect::write("store a notice", &["notice#"]).of_version(1),
        Effect::enqueue(DeliverNotice::NAME),
        Effect::write("store a receipt", &["notice#"]).of_version(2),
        Effect::acknowledge(DeliverNotice::NAME),
    ]
}

/// Who dies at an effect.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// The broker or the worker.
    WhoDoesIt,
    /// Redis, or the owner of the store.
    WhoIsAsked,
}

/// A death, and when it is to come.
#[derive(Debug, Clone)]
struct Death {
    victim: Victim,
    effect: Effect,
    moment: Moment,
}

/// At each effect first before and then after it.
fn deaths(victim: Victim, effects: Vec<Effect>) -> Vec<Death> {
    let both = |effect: Effect| [Moment::Before, Moment::After].map(|moment| (effect.clone(), moment));
    effects.into_iter().flat_map(both).map(|(effect, moment)| Death { victim, effect, moment }).collect()
}

/// The deaths happen under load, one after the other.
async fn outlives(deaths: impl IntoIterator<Item = Death>) -> Result<()> {
    let mut load = Load::<Several<Tapped>>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    load.until_delivered(DELIVERED).await;
    let (mut outages, mut disorder) = (Vec::new(), Vec::new());
    for Death { victim, effect, moment } in deaths {
        let cluster = &mut load.home.cluster;
        let caught = cluster.catch(effect.clone(), moment);
        if effect.name.ends_with("a session") {
            cluster.balancer.cut();
        }
        let caught = caught.await?;
        let killed = Instant::now();
        println!("{moment:?} {}: {caught:?}", effect.name);
        // Brokers tell nobody anything.
        let may_lose_receipts = matches!(victim, Victim::WhoIsAsked) || matches!(caught, Caught::Worker(_));
        match victim {
            Victim::WhoDoesIt => who_does_it_dies(cluster, caught).await?,
            Victim::WhoIsAsked => who_is_asked_dies(cluster, &effect).await?,
        }
        let of_its_kind = if may_lose_receipts { &mut outages } else { &mut disorder };
        of_its_kind.push(Outage { killed, over: Instant::now() });
        load.until_each_is_asked().await?;
    }
    load.goes_on_in_calm().await?;
    enough_were_in_order(check_where_some_came_late(load.end().await, &outages, &disorder, Clocks::Agree).await?);
    Ok(())
}

async fn who_does_it_dies(cluster: &mut Cluster, caught: Caught) -> Result<()> {
    let victim = match caught {
        Caught::Broker(number) => &mut cluster.brokers[number],
        Caught::Worker(number) => &mut cluster.workers[number],
    };
    victim.kill().await?;
    victim.restart().await
}

async fn who_is_asked_dies(cluster: &mut Cluster, effect: &Effect) -> Result<()> {
    if effect.is_of_redis() {
        cluster.redis.kill().await?;
        cluster.let_go();
        cluster.redis.restart().await
    } else {
        cluster.owner()?.kill().await?;
        cluster.let_go();
        cluster.owner()?.restart().await
    }
}
