//! The time by Redis's own clock.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::Timestamp;
use records::Clock;

use crate::{Redis, RedisError};

/// How often Redis is asked.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether our own clock jumped, and by how much it must have.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const JUMPED_BY_MS: u64 = 500;

/// The clock of the machine that Redis runs on: what processes on several machines do is counted by one clock. Between two
/// looks at it time goes on by what nobody sets, so our own clock may be wrong, and jump.
pub struct ServerClock {
    began: Instant,
    /// What it showed when this began, in milliseconds.
    showed_ms: AtomicI64,
}

impl ServerClock {
    /// Its clock, to which is seen again now and then for as long as anybody holds this; at once when `ours` jumped, since a
    /// machine that slept has not counted that.
    pub async fn of(redis: Redis, ours: Arc<dyn Clock>) -> Result<Arc<Self>, RedisError> {
        let clock = Self { began: Instant::now(), showed_ms: AtomicI64::new(0) };
        let mut tells = false;
        for _ in 0..TRIES {
            let look = clock.look_at(&redis).await?;
            tells = look.tells();
            clock.showed_ms.store(look.showed_ms, Ordering::Relaxed);
            if tells {
                break;
            }
        }
        if !tells {
            tracing::warn!("redis is too slow to tell what its clock shows");
        }
        let clock = Arc::new(clock);
        tokio::spawn(Self::keep(Arc::downgrade(&clock), redis, ours));
        Ok(clock)
    }

    async fn keep(watched: Weak<Self>, redis: Redis, ours: Arc<dyn Clock>) {
        let (mut looked, mut difference) = (Instant::now(), None);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(clock) = watched.upgrade() else { return };
            let now = ours.now().0 - clock.passed_ms();
            let jumped = difference.replace(now).is_some_and(|before: i64| before.abs_diff(now) >= JUMPED_BY_MS);
            if !jumped && looked.elapsed() < COMPARE_EVERY {
                continue;
            }
            looked = Instant::now();
            // While it is away, or slow to answer, what is known is the best there is.
            if let Ok(look) = clock.look_at(&redis).await {
                clock.learn(&look);
            }
        }
    }

    /// Goes by what was seen, unless what is known may be right: an answer that took long tells the time less well.
    fn learn(&self, look: &Look) {
        let known = self.showed_ms.load(Ordering::Relaxed);
        if look.tells() && known.abs_diff(look.showed_ms) > look.took_ms.unsigned_abs() / 2 + 1 {
            self.showed_ms.store(look.showed_ms, Ordering::Relaxed);
        }
    }

    async fn look_at(&self, redis: &Redis) -> Result<Look, RedisError> {
        let asked = self.passed_ms();
        let shows = time_of(redis).await?;
        let took_ms = self.passed_ms() - asked;
        Ok(Look { showed_ms: shows - asked - took_ms / 2, took_ms })
    }

    fn passed_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.showed_ms.load(Ordering::Relaxed) + self.passed_ms())
    }
}

/// What a look at its clock brought.
struct Look {
    /// What it showed when ours began.
    showed_ms: i64,
    took_ms: i64,
}

impl Look {
    fn tells(&self) -> bool {
        (0..=TELLS_WITHIN_MS).contains(&self.took_ms)
    }
}

/// How often it is asked at the start before an answer will do that took long.
const TRIES: usize = 5;

/// How long an answer may take that is to tell the difference.
const TELLS_WITHIN_MS: i64 = 1000;

/// By how many milliseconds our clock is ahead of its own; negative behind. None when its answer took so long that it does not tell.
///
/// # Errors
/// When it does not answer.
pub async fn clock_ahead(redis: &Redis, ours: &dyn Clock) -> Result<Option<i64>, RedisError> {
    let asked = ours.now();
    let shows = time_of(redis).await?;
    let took = ours.now().0 - asked.0;
    // Half of the time that it takes to ask is taken off.
    Ok((0..=TELLS_WITHIN_MS).contains(&took).then_some(asked.0 + took / 2 - shows))
}

/// What its clock shows, in milliseconds.
async fn time_of(redis: &Redis) -> Result<i64, RedisError> {
    let (seconds, micros): (i64, i64) = redis.call(&redis::cmd("TIME")).await?;
    Ok(seconds * 1000 + micros / 1000)
}
