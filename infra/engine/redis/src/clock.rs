//! The time by Redis's own clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;
use records::Clock;

use crate::{Redis, RedisError};

/// How often the clocks are compared.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

/// The clock of the machine that Redis runs on: leases that workers on several machines hold are counted by one clock.
pub struct ServerClock {
    ours: Arc<dyn Clock>,
    ahead_ms: AtomicI64,
}

impl ServerClock {
    /// Its clock, by `ours` and the difference between them. The difference is seen to again now and then, for as long as
    /// anybody holds this.
    pub async fn of(redis: Redis, ours: Arc<dyn Clock>) -> Result<Arc<Self>, RedisError> {
        let ahead_ms = at_the_start(&redis, ours.as_ref()).await?;
        let clock = Arc::new(Self { ours: Arc::clone(&ours), ahead_ms: AtomicI64::new(ahead_ms) });
        let watched = Arc::downgrade(&clock);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(COMPARE_EVERY).await;
                let Some(clock) = watched.upgrade() else { return };
                // While it is away, or slow to answer, the old difference is the best there is.
                if let Ok((ahead_ms, true)) = difference(&redis, ours.as_ref()).await {
                    clock.ahead_ms.store(ahead_ms, Ordering::Relaxed);
                }
            }
        });
        Ok(clock)
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.ours.now().0 + self.ahead_ms.load(Ordering::Relaxed))
    }
}

/// How often it is asked at the start before an answer will do that took long.
const TRIES: usize = 5;

/// By how many milliseconds its clock is ahead of ours, as well as it can be told by now.
async fn at_the_start(redis: &Redis, ours: &dyn Clock) -> Result<i64, RedisError> {
    let (mut ahead_ms, mut tells) = difference(redis, ours).await?;
    for _ in 1..TRIES {
        if tells {
            break;
        }
        (ahead_ms, tells) = difference(redis, ours).await?;
    }
    Ok(ahead_ms)
}

/// How long an answer may take that is to tell the difference.
const TELLS_WITHIN_MS: i64 = 1000;

/// By how many milliseconds our clock is ahead of its own; negative behind. None when its answer took so long that it does not tell.
///
/// # Errors
/// When it does not answer.
pub async fn clock_ahead(redis: &Redis, ours: &dyn Clock) -> Result<Option<i64>, RedisError> {
    let (its_ahead_ms, tells) = difference(redis, ours).await?;
    Ok(tells.then_some(-its_ahead_ms))
}

/// By how many milliseconds its clock is ahead of ours; half of the time that it takes to ask is taken off. And whether that was so
/// little that it tells.
async fn difference(redis: &Redis, ours: &dyn Clock) -> Result<(i64, bool), RedisError> {
    let asked = ours.now();
    let (seconds, micros): (i64, i64) = redis.call(&redis::cmd("TIME")).await?;
    let told = ours.now();
    let took = told.0 - asked.0;
    Ok((seconds * 1000 + micros / 1000 - asked.0 - took / 2, (0..=TELLS_WITHIN_MS).contains(&took)))
}
