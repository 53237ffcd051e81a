//! That those who work on an embedded store over Redis work on one, and not some of them on a copy of its folder: all that a store says
//! of itself is copied with it, and its copy would have half of its jobs. What is not copied is where it lies.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use engine_redis::{Redis, RedisError, Turn};
use jobs::ports::Table;
use records::meeting_point::owners_place;
use tokio::time::{Instant, sleep, timeout};

/// For how long the store is taken to be worked on where somebody last said so.
const LASTS: Duration = Duration::from_secs(10);
/// How long a start waits for who worked on it elsewhere to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(13);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long its owner may take to say where the store is.
const OWNER_ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// What an operator is told.
pub(super) const IS_COPIED: &str = "another copy of this store is at work on this redis: both are called the same, and each would get half of the jobs. Stop the parts of \
     the one that was copied or replaced. (A copy that is to live beside the other: stop it, remove `name`, `queue` and `spool` in its data \
     folder, and start it with a redis.namespace of its own)";

/// The place that a file of the store lies in, on this boot of this machine: no copy has the same.
pub(super) fn place_of(file: &Path) -> anyhow::Result<String> {
    let is = fs::metadata(file).with_context(|| format!("cannot look at {}", file.display()))?;
    // Where there is none, copies on two machines may look the same if they were made of one image.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok(format!("{} {} {}", boot.trim(), is.dev(), is.ino()))
}

/// The store as it is where this process works on it.
pub(super) struct Original {
    table: Arc<dyn Table>,
    redis: Redis,
    /// Where its owner had it when it was asked last.
    place: Mutex<String>,
}

impl Original {
    /// The store of this table. None if its owner does not say where it is, as one of before does.
    pub(super) async fn of(table: Arc<dyn Table>, redis: Redis) -> anyhow::Result<Option<Self>> {
        let Some(place) = owners_place(table.as_ref()).await? else { return Ok(None) };
        Ok(Some(Self { table, redis, place: Mutex::new(place) }))
    }

    /// Waits until nobody works on a copy of it, and refuses if somebody goes on to.
    pub(super) async fn is_alone(&self) -> anyhow::Result<()> {
        let (began, mut was_told) = (Instant::now(), false);
        while !self.is_at_work().await? {
            if began.elapsed() > GONE_WITHIN {
                bail!(IS_COPIED);
            }
            if !was_told {
                tracing::warn!("waiting for who works on this store elsewhere to be gone");
                was_told = true;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Whether it is this one that is worked on, from now on or still.
    ///
    /// # Errors
    /// When Redis is away: nobody knows.
    pub(super) async fn is_at_work(&self) -> Result<bool, RedisError> {
        let known = self.place().clone();
        let told = timeout(OWNER_ANSWERS_WITHIN, owners_place(self.table.as_ref())).await;
        let Some(now) = told.ok().and_then(Result::ok).flatten().filter(|now| *now != known) else {
            return self.turn(&known).is_ours().await;
        };
        // Its owner was started again on another boot, or in another container: who worked on it there has ended.
        self.turn(&known).give_up().await?;
        self.place().clone_from(&now);
        self.turn(&now).is_ours().await
    }

    fn place(&self) -> MutexGuard<'_, String> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, place: &str) -> Turn {
        Turn::at(self.redis.clone(), "store", place, LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_lies_in_another_place_and_what_is_moved_or_written_again_in_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let [file, copy, moved] = ["name", "copy", "moved"].map(|name| folder.path().join(name));
        fs::write(&file, "one").unwrap();
        fs::copy(&file, &copy).unwrap();
        let place = place_of(&file).unwrap();
        assert_ne!(place_of(&copy).unwrap(), place);
        fs::write(&file, "another").unwrap();
        assert_eq!(place_of(&file).unwrap(), place);
        fs::rename(&file, &moved).unwrap();
        assert_eq!(place_of(&moved).unwrap(), place);
        assert!(place_of(&file).is_err());
    }
}
