//! The whole path against its limit, in one run: gateway programs post answers to a `telltale serve` as fast as it
//! acknowledges them, until every answer is stored and the alarms of the last ones are raised. The limit is what the
//! embedded engine alone does on the same disk with the same readings.

mod disk;
mod gateways;
mod outcome;
mod sensor;
mod site;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use telltale_tests::Server;

use crate::{
    gateways::{POSTS_AT_A_TIME, Posted},
    sensor::Sensor,
    site::ANSWERS,
};

#[tokio::main]
async fn main() -> Result<()> {
    let sensor = Arc::new(Sensor::new()?);
    let fsyncs = disk::fsyncs_per_second()?;
    let limit = disk::engine_writes_per_second(&sensor).await?;
    let path = whole_path(&sensor).await?;
    println!(
        "whole path: {:.0} answers/s = {:.2} of the engine's limit {limit:.0} writes/s; \
         acknowledgement p50 {:.1} ms p99 {:.1} ms; {ANSWERS} answers, {} lost",
        per_second(path.evaluated),
        per_second(path.evaluated) / limit,
        millis(path.posted.wait(50)),
        millis(path.posted.wait(99)),
        ANSWERS.saturating_sub(path.stored),
    );
    println!(
        "context: {POSTS_AT_A_TIME} posts at a time, acknowledged at {:.0} answers/s; \
         {fsyncs:.0} fsyncs/s one after another",
        per_second(path.acknowledged),
    );
    ensure!(path.stored == ANSWERS, "{ANSWERS} answers were acknowledged, {} are stored", path.stored);
    Ok(())
}

/// What was measured of the whole path. Times count from the first post.
struct WholePath {
    posted: Posted,
    /// When the last post was acknowledged.
    acknowledged: Duration,
    /// When the last alarm was seen.
    evaluated: Duration,
    /// How many answers the history holds.
    stored: u32,
}

async fn whole_path(sensor: &Arc<Sensor>) -> Result<WholePath> {
    let server = Server::start(&site::site()?, "").await;
    let server = server.context("there is no server to measure: `cargo build --release -p telltale` builds it")?;
    let admin = server.sign_in(site::ADMIN, site::PASSWORD).await?;
    let began = Instant::now();
    let posted = gateways::post_all(server.url(), sensor).await?;
    let acknowledged = began.elapsed();
    outcome::until_evaluated(&admin).await;
    let evaluated = began.elapsed();
    Ok(WholePath { posted, acknowledged, evaluated, stored: outcome::stored(&admin).await? })
}

fn per_second(all: Duration) -> f64 {
    f64::from(ANSWERS) / all.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
