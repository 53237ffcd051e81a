//! A pipeline of npm's usual parts (`tests/players/pipeline.mjs`), under the same load.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use telltale_tests::{Pipeline, RedisServer};
use tokio::{task::JoinSet, time::interval};

use crate::{
    browsers::{Browsers, Seen},
    path::Run,
    poster::{IN_FLIGHT, Poster},
    process::{self, Spent},
};

/// As fast as it goes: every terminal's answer is posted so often, and shown to browsers.
pub(crate) async fn closed_loop(terminals: u32, rounds: u16) -> Result<Run> {
    run(terminals, rounds, None).await
}

/// Every terminal's answer each `interval_ms`.
pub(crate) async fn open_loop(terminals: u32, rounds: u16, interval_ms: u32) -> Result<Run> {
    run(terminals, rounds, Some(terminals / interval_ms)).await
}

async fn run(terminals: u32, rounds: u16, per_millisecond: Option<u32>) -> Result<Run> {
    let redis = RedisServer::start().await?;
    let pipeline = Pipeline::serve(&redis).await?;
    let processes = [("pipeline", pipeline.pid().context("it runs")?), ("redis", redis.pid().context("it runs")?)];
    let spent = || processes.iter().map(|(_, pid)| Spent::of(*pid)).collect::<Result<Vec<_>>>();
    let poster = Arc::new(Poster::new(&pipeline.url())?);
    let browsers = Browsers::open(&pipeline.url(), "", terminals, &poster).await?;
    let before = spent()?;
    let load = tokio::spawn(post(Arc::clone(&poster), terminals, rounds, per_millisecond));
    let readings = terminals * u32::from(rounds);
    let Seen { warm, last, waits } = browsers.see(terminals, readings).await?;
    load.await??;
    let per_second = f64::from(readings - terminals) / (last - warm).as_secs_f64();
    let processor = spent()?.iter().zip(&before).map(|(after, before)| after.since(before)).sum::<Duration>();
    let memory = processes.map(|(name, pid)| Ok((name, process::mebibytes(process::most_resident(pid)?))));
    let memory = memory.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(Run { per_second, waits, processor: processor / readings, memory })
}

/// Posts every terminal's answer so often: so many a millisecond, or as fast as they are taken.
async fn post(poster: Arc<Poster>, terminals: u32, rounds: u16, per_millisecond: Option<u32>) -> Result<()> {
    let mut clock = interval(Duration::from_millis(1));
    let answers = (0..i64::from(rounds)).flat_map(|round| (0..terminals).map(move |terminal| (terminal, round)));
    let mut posts = JoinSet::new();
    for answer in answers {
        match per_millisecond {
            Some(at_once) if answer.0 % at_once == 0 => drop(clock.tick().await),
            None if posts.len() >= IN_FLIGHT => posts.join_next().await.context("posts are on their way")???,
            _ => {}
        }
        let poster = Arc::clone(&poster);
        posts.spawn(async move { poster.post(0, answer, 200).await });
    }
    posts.join_all().await.into_iter().collect()
}

/// How many jobs a second `BullMQ` takes and runs.
pub(crate) async fn jobs_per_second(redis: &RedisServer, jobs: u32) -> Result<f64> {
    Ok(f64::from(jobs) / Pipeline::drain(redis, jobs).await?)
}
