//! What a process remembers in, whosever it is: the embedded store of this process or of another one on this machine, or a
//! table on DynamoDB.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use engine_redis::Redis;
use jobs::ports::{Clock, Dice, Table};
use records::meeting_point;
use table::{OpenError, open_dynamodb};
use tokio::time::{Instant, sleep};

use super::{
    original::Original,
    owner::{self, Owner, table_of_another},
};
use crate::config::Config;

/// The file in the data folder that names the queue of the embedded store.
const QUEUE_FILE: &str = "queue";
/// What the queue is called that is in the store itself.
pub(super) const EMBEDDED: &str = "embedded";

/// How long DynamoDB may be away at the start.
const COMES_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A store, and which it is.
pub(super) struct Store {
    pub(super) table: Arc<dyn Table>,
    /// What it is known by to the Redis that belongs to it.
    pub(super) known_by: String,
    home: Home,
}

enum Home {
    /// In this data folder.
    Folder(PathBuf),
    /// The table of that name.
    DynamoDb(String),
}

impl Store {
    /// The store that the configuration says. Waits until it is there, if it is not this process's own.
    pub(super) async fn find(
        config: &Config,
        owner: Option<&Owner>,
        clock: &Arc<dyn Clock>,
        dice: &Arc<dyn Dice>,
    ) -> anyhow::Result<Self> {
        let data = &config.data;
        if let Some(name) = &config.table {
            ensure!(
                !data.join(QUEUE_FILE).exists(),
                "{} holds an embedded store that was worked on, and nothing of it would be seen in {name} on DynamoDB: give this \
                 process another data folder",
                data.display()
            );
            return on_dynamodb(name, clock, dice).await;
        }
        let table = match owner {
            Some(owner) => Arc::clone(&owner.table) as _,
            None => table_of_another(data).await?,
        };
        Ok(Self { table, known_by: owner::name(data)?, home: Home::Folder(data.clone()) })
    }

    /// What knows it from a copy on this Redis, where there may be one: a table on DynamoDB has an id that none other has.
    pub(super) async fn original(&self, redis: &Redis) -> anyhow::Result<Option<Original>> {
        match &self.home {
            Home::Folder(_) => Original::of(Arc::clone(&self.table), redis.clone()).await,
            Home::DynamoDb(_) => Ok(None),
        }
    }

    /// The queue that belongs to it, if one does by now.
    pub(super) async fn queue(&self) -> anyhow::Result<Option<String>> {
        match &self.home {
            Home::Folder(data) => written(&data.join(QUEUE_FILE)),
            Home::DynamoDb(_) => Ok(meeting_point::queue(self.table.as_ref()).await?),
        }
    }

    /// Makes `queue` its own, which belongs to it then, where none does but the embedded one. Another process may have been first:
    /// which it is.
    pub(super) async fn give(&self, queue: &str) -> anyhow::Result<String> {
        match &self.home {
            Home::Folder(data) => agree(&data.join(QUEUE_FILE), queue),
            Home::DynamoDb(_) => Ok(meeting_point::agree(self.table.as_ref(), queue).await?),
        }
    }

    /// What an operator does who means to leave the queue behind that belongs to it.
    pub(super) fn how_to_forget_its_queue(&self) -> String {
        match &self.home {
            Home::Folder(data) => format!("remove {}", data.join(QUEUE_FILE).display()),
            Home::DynamoDb(table) => {
                let (pk, sk) = meeting_point::PLACE;
                format!(
                    r#"aws dynamodb delete-item --table-name {table} --key '{{"pk":{{"S":"{pk}"}},"sk":{{"S":"{sk}"}}}}'"#
                )
            }
        }
    }
}

/// Writes what belongs there, such as which queue it is, unless another process has done so: one at a time looks and writes. What is
/// written then.
pub(super) fn agree(file: &Path, ours: &str) -> anyhow::Result<String> {
    let lock = file.with_extension("lock");
    let locked = OpenOptions::new().write(true).create(true).truncate(false).open(&lock).and_then(|lock| {
        lock.lock()?;
        Ok(lock)
    });
    let _locked = locked.with_context(|| format!("cannot lock {}", lock.display()))?;
    match written(file)? {
        Some(known) if known != EMBEDDED => Ok(known),
        _ => {
            write(file, ours)?;
            Ok(ours.to_owned())
        }
    }
}

/// The table of that name, once DynamoDB answers.
async fn on_dynamodb(name: &str, clock: &Arc<dyn Clock>, dice: &Arc<dyn Dice>) -> anyhow::Result<Store> {
    let began = Instant::now();
    let mut was_told = false;
    loop {
        match open_dynamodb(name, Arc::clone(clock), Arc::clone(dice)).await {
            Ok(opened) => {
                let home = Home::DynamoDb(name.to_owned());
                return Ok(Store { table: opened.table, known_by: opened.known_by, home });
            }
            Err(OpenError::Away(why)) if began.elapsed() < COMES_WITHIN => {
                if !was_told {
                    tracing::warn!("waiting for the table {name} on DynamoDB: {why}");
                    was_told = true;
                }
                sleep(LOOK_EVERY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a file of one line says, if it is there.
pub(super) fn written(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(written) => Ok(Some(written.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Writes a file of one line: all of it, or nothing.
pub(super) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let draft = file.with_extension("new");
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&draft).and_then(|mut draft| {
        writeln!(draft, "{text}")?;
        draft.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, file)).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::{Barrier, Mutex},
        thread,
    };

    use super::*;

    #[test]
    fn all_who_say_at_once_whose_a_store_is_hear_the_same() {
        for known in [None, Some(EMBEDDED)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(QUEUE_FILE);
            if let Some(known) = known {
                write(&file, known).unwrap();
            }
            let (begin, heard) = (Barrier::new(16), Mutex::new(BTreeSet::new()));
            thread::scope(|scope| {
                for number in 0..16 {
                    let (begin, heard, file) = (&begin, &heard, &file);
                    scope.spawn(move || {
                        begin.wait();
                        let queue = agree(file, &format!("redis {number}")).unwrap();
                        heard.lock().unwrap().insert(queue);
                    });
                }
            });
            let heard = heard.into_inner().unwrap();
            assert_eq!(heard.len(), 1, "{heard:?}");
            assert_eq!(written(&file).unwrap(), heard.into_iter().next());
        }
    }
}
