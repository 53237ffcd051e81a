//! A pipeline of npm's usual parts (`tests/players/pipeline.mjs`), under the same load.

use std::sync::Arc;

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use telltale_tests::{Pipeline, RedisServer};

use crate::{
    browsers::{Browsers, Seen},
    path::Run,
    poster::{IN_FLIGHT, Poster},
};

/// As fast as it goes: every terminal's answer is posted so often, and shown to browsers.
pub(crate) async fn closed_loop(terminals: u32, rounds: u16) -> Result<Run> {
    let redis = RedisServer::start().await?;
    let pipeline = Pipeline::serve(&redis).await?;
    let poster = Arc::new(Poster::new(&pipeline.url())?);
    let browsers = Browsers::open(&pipeline.url(), "", terminals, &poster).await?;
    let posting = Arc::clone(&poster);
    let load = tokio::spawn(async move {
        let answers = (0..i64::from(rounds)).flat_map(|round| (0..terminals).map(move |terminal| (terminal, round)));
        let posts = answers.map(|answer| {
            let poster = Arc::clone(&posting);
            Ok(async move { tokio::spawn(async move { poster.post(0, answer, 200).await }).await? })
        });
        stream::iter(posts).boxed().try_buffer_unordered(IN_FLIGHT).try_collect::<()>().await
    });
    let readings = terminals * u32::from(rounds);
    let Seen { warm, last, waits } = browsers.see(terminals, readings).await?;
    load.await??;
    Ok(Run { per_second: f64::from(readings - terminals) / (last - warm).as_secs_f64(), waits })
}

/// How many jobs a second `BullMQ` takes and runs.
pub(crate) async fn jobs_per_second(redis: &RedisServer, jobs: u32) -> Result<f64> {
    Ok(f64::from(jobs) / Pipeline::drain(redis, jobs).await?)
}
