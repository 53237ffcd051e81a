//! Which queue belongs to a store. All processes that work on a store must meet at the same Redis, and what waits in one
//! queue is not seen through another: so the data folder says which it is, and nobody starts on another by accident.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, bail};
use engine_redis::{QueueKind, Redis, redis::cmd};
use jobs::ports::{Dice, Enqueue};
use queue::EmbeddedQueue;

/// The file in the data folder.
const FILE: &str = "queue";
const EMBEDDED: &str = "embedded";

/// Sees that the embedded queue is the store's.
pub(super) fn embedded(data: &Path) -> anyhow::Result<()> {
    match written(data)?.as_deref() {
        None => write(data, EMBEDDED),
        Some(EMBEDDED) => Ok(()),
        Some(_) => bail!(
            "this store's jobs wait in a redis: start with --redis as before. (To leave what waits there behind, remove {}.)",
            data.join(FILE).display()
        ),
    }
}

/// Sees that this Redis, and this kind of queue on it, is where those who work on the store meet.
pub(super) async fn redis(data: &Path, redis: &Redis, kind: QueueKind, dice: &dyn Dice) -> anyhow::Result<()> {
    let kind = match kind {
        QueueKind::Streams => "redis",
        QueueKind::ApalisRedis => "apalis-redis",
    };
    let ours = format!("{kind} {}", name(redis, dice).await?);
    match written(data)?.as_deref() {
        None | Some(EMBEDDED) => write(data, &ours),
        Some(written) if written == ours => Ok(()),
        Some(_) => bail!(
            "this is another redis than the one (or another namespace in it, or another redis.queue) that the store's jobs wait \
             in, or it has lost everything. (If that is meant, remove {}.)",
            data.join(FILE).display()
        ),
    }
}

/// Moves what waits in the embedded queue to where the others are. A store that was alone is not any more.
pub(super) async fn move_over(data: &Path, from: &EmbeddedQueue, to: &dyn Enqueue) -> anyhow::Result<()> {
    if written(data)?.as_deref() == Some(EMBEDDED) {
        let moved = from.move_to(to).await.context("what waits in the embedded queue cannot be moved to redis")?;
        tracing::info!(jobs = moved, "what waited in the embedded queue waits in redis");
    }
    Ok(())
}

/// A name that this Redis keeps for this namespace.
async fn name(redis: &Redis, dice: &dyn Dice) -> anyhow::Result<String> {
    let (key, name) = (redis.key("name"), format!("{:016x}", dice.roll()));
    let _: Option<String> = redis.call(cmd("SET").arg(&key).arg(&name).arg("NX")).await?;
    Ok(redis.call(cmd("GET").arg(&key)).await?)
}

fn written(data: &Path) -> anyhow::Result<Option<String>> {
    let file = data.join(FILE);
    match fs::read_to_string(&file) {
        Ok(written) => Ok(Some(written.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// All of it, or nothing.
fn write(data: &Path, text: &str) -> anyhow::Result<()> {
    let (file, draft) = (data.join(FILE), data.join(format!("{FILE}.new")));
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&draft).and_then(|mut draft| {
        writeln!(draft, "{text}")?;
        draft.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, &file)).with_context(|| format!("cannot write {}", file.display()))
}
