//! What this machine could do at best: the embedded engine alone, and the disk alone.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::Result;
use bytes::Bytes;
use domain::Timestamp;
use engine_embedded::Engine;
use futures::{TryStreamExt, stream};

use crate::{
    gateways::POSTS_AT_A_TIME,
    sensor::Sensor,
    site::{ANSWERS, ROUNDS, TERMINALS},
};

/// What is written before each fsync.
const BLOCK: [u8; 512] = [1; 512];
const FSYNCS_FOR: Duration = Duration::from_secs(1);

/// How many readings a second the engine makes durable, when each is one commit and as many are on their way at a time
/// as there are posts.
pub(crate) async fn engine_writes_per_second(sensor: &Sensor) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(folder.path())?;
    let items = engine.space("items")?;
    let rows = rows(sensor)?;
    let began = Instant::now();
    let writes = rows.into_iter().map(|(key, value)| {
        let items = items.clone();
        Ok(engine.commit(move |batch| {
            batch.put(&items, key, value);
            Ok(())
        }))
    });
    stream::iter(writes).try_buffer_unordered(POSTS_AT_A_TIME).try_collect::<()>().await?;
    Ok(f64::from(ANSWERS) / began.elapsed().as_secs_f64())
}

/// The key and the value that the server stores for each answer.
fn rows(sensor: &Sensor) -> Result<Vec<(Bytes, Bytes)>> {
    let answers = (0..ROUNDS).flat_map(|round| (0..TERMINALS).map(move |terminal| (terminal, round)));
    answers
        .map(|(terminal, round)| {
            let asked = Timestamp(1_800_000_000_000 + i64::from(round));
            let item = sensor.history_item(terminal, round, asked)?;
            Ok((format!("{}\0{}", item.key.pk, item.key.sk).into(), item.body))
        })
        .collect()
}

/// How often a second the disk makes a little more of a file durable.
pub(crate) fn fsyncs_per_second() -> Result<f64> {
    let mut file = tempfile::tempfile()?;
    let began = Instant::now();
    let mut fsyncs = 0;
    while began.elapsed() < FSYNCS_FOR {
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        fsyncs += 1;
    }
    Ok(f64::from(fsyncs) / began.elapsed().as_secs_f64())
}
