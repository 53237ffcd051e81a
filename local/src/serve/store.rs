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
use jobs::ports::{Clock, Dice, Table};
use records::meeting_point;
use table::{OpenError, open_dynamodb};
use tokio::time::{Instant, sleep};

use super::owner::{self, Owner, table_of_another};
use crate::config::Config;

/// The file in the data folder that names the queue of the embedded store.
const QUEUE_FILE: &str = "queue";

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

    /// The queue that belongs to it, if one does by now.
    pub(super) async fn queue(&self) -> anyhow::Result<Option<String>> {
        match &self.home {
            Home::Folder(data) => written(&data.join(QUEUE_FILE)),
            Home::DynamoDb(_) => Ok(meeting_point::queue(self.table.as_ref()).await?),
        }
    }

    /// Makes `queue` its own, which belongs to it then. On DynamoDB another process may have been first: which it is.
    pub(super) async fn give(&self, queue: &str) -> anyhow::Result<String> {
        match &self.home {
            Home::Folder(data) => {
                write(&data.join(QUEUE_FILE), queue)?;
                Ok(queue.to_owned())
            }
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
