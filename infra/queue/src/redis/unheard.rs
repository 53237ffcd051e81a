//! Claims whose answers were lost: what they took is this process's, and it does not know.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How many are asked for again, the latest.
const MOST: usize = 8;
/// For how long: what they took was given to others then.
const LONGEST: Duration = Duration::from_mins(1);

/// What each claim is called, and which were not heard of, by their jobs.
#[derive(Default)]
pub(super) struct Unheard {
    last: AtomicU64,
    of_jobs: Mutex<HashMap<String, Vec<(u64, Instant)>>>,
}

impl Unheard {
    /// A new claim.
    pub(super) fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// Its answer did not come. Redis may do it all the same, also later than what is asked next.
    pub(super) fn was_lost(&self, job: &str, claim: u64) {
        let mut of_jobs = self.of_jobs();
        let lost = of_jobs.entry(job.to_owned()).or_default();
        lost.push((claim, Instant::now()));
        if lost.len() > MOST {
            lost.remove(0);
        }
    }

    /// What a claim of `job` is told: what it is called, and which before it were not heard of.
    pub(super) fn arguments(&self, job: &str, claim: u64) -> [Vec<u8>; 2] {
        let mut of_jobs = self.of_jobs();
        let lost = of_jobs.get_mut(job).map(|lost| {
            lost.retain(|(_, since)| since.elapsed() < LONGEST);
            lost.iter().map(|(claim, _)| claim.to_string()).collect::<Vec<_>>().join(" ")
        });
        [claim.to_string().into(), lost.unwrap_or_default().into()]
    }

    fn of_jobs(&self) -> MutexGuard<'_, HashMap<String, Vec<(u64, Instant)>>> {
        self.of_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
