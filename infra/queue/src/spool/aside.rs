//! What was spooled and no queue will take: it is damaged, or refused. Nothing waits for it, and it is kept for people to look at.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Bound,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use engine_embedded::{Engine, EngineError, Space};

pub(super) struct Aside {
    engine: Engine,
    rows: Space,
    count: AtomicU64,
}

impl Aside {
    pub(super) fn open(engine: &Engine) -> Result<Self, EngineError> {
        let rows = engine.space("aside")?;
        let mut count = 0;
        for row in rows.range(Bound::Unbounded, Bound::Unbounded) {
            row?;
            count += 1;
        }
        Ok(Self { engine: engine.clone(), rows, count: AtomicU64::new(count) })
    }

    /// How many messages are kept.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Keeps a row of the spool. One that comes a second time is kept once.
    pub(super) async fn keep(&self, row: Bytes, why: &str) -> Result<(), EngineError> {
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        let key = hasher.finish().to_be_bytes();
        if self.rows.get(&key)?.is_some() {
            return Ok(());
        }
        let rows = self.rows.clone();
        let put = self.engine.commit(move |batch| {
            batch.put(&rows, key.to_vec(), row);
            Ok(())
        });
        put.await?;
        self.count.fetch_add(1, Ordering::Relaxed);
        tracing::error!(why, "a spooled message that no queue takes is kept aside, in the spool's folder");
        Ok(())
    }
}
