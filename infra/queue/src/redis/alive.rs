//! The signs of life that processes give, so that what a dead one held need not wait for the end of its leases.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use engine_redis::Redis;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::scripts;

/// How long a sign lasts, and how often one is given.
const LASTS: Duration = Duration::from_secs(10);
const GIVEN_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked, for each job, who is dead.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Gives signs of life for as long as it is there.
pub(super) struct SignsOfLife {
    prefix: String,
    looked: Mutex<HashMap<String, Instant>>,
    giving: JoinHandle<()>,
}

impl SignsOfLife {
    pub(super) fn give(redis: Redis, process: &str) -> Self {
        let prefix = redis.key("alive:");
        let (sign, key) = (scripts::sign(), format!("{prefix}{process}"));
        let giving = tokio::spawn(async move {
            let mut ticks = interval(GIVEN_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = redis.run::<()>(&sign, &key, vec![millis(LASTS).to_string().into()]).await {
                    tracing::debug!(%error, "no sign of life could be given");
                }
            }
        });
        Self { prefix, looked: Mutex::default(), giving }
    }

    /// What a claim of `job` is told of them: what their names begin with, how long one lasts, and whether it is to look.
    pub(super) fn arguments(&self, job: &str) -> [Vec<u8>; 3] {
        let look = if self.is_time_to_look(job) { "1" } else { "0" };
        [self.prefix.clone().into(), millis(LASTS).to_string().into(), look.into()]
    }

    fn is_time_to_look(&self, job: &str) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match looked.get_mut(job) {
            Some(last) if last.elapsed() < LOOK_EVERY => false,
            Some(last) => {
                *last = Instant::now();
                true
            }
            None => {
                looked.insert(job.to_owned(), Instant::now());
                true
            }
        }
    }
}

impl Drop for SignsOfLife {
    fn drop(&mut self) {
        self.giving.abort();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
