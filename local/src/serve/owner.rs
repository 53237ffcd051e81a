//! The process that owns the embedded store, and how others on the machine reach it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use engine_embedded::Engine;
use jobs::ports::{Clock, Dice, Table};
use records::{Key, TableError, meeting_point::set_owners_place};
use table::{EmbeddedTable, RemoteTable, TableServer};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    original::place_of,
    store::{write, written},
};
use crate::{config::Config, site::import_if_new};

/// The owner's socket, in the data folder.
const SOCKET: &str = "table.sock";
/// The file there that says what the store is called, since its first start.
const NAME: &str = "name";
/// How long others wait for the owner to be there.
const COMES_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often it is looked whether the store has failed.
const LOOK_AT_STORE_EVERY: Duration = Duration::from_secs(1);

/// The store of this process.
pub(super) struct Owner {
    pub(super) engine: Engine,
    pub(super) table: Arc<EmbeddedTable>,
}

impl Owner {
    /// Opens the store, and imports the site file that the configuration names.
    pub(super) async fn open(config: &Config, clock: &Arc<dyn Clock>, dice: &dyn Dice) -> anyhow::Result<Self> {
        let data = &config.data;
        std::fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
        let engine = Engine::open(data.join("store"));
        let engine = engine.with_context(|| format!("cannot open the store in {}", data.display()))?;
        let table = Arc::new(EmbeddedTable::new(engine.clone(), Arc::clone(clock))?);
        let name = data.join(NAME);
        if written(&name)?.is_none() {
            write(&name, &format!("embedded store {:016x}", dice.roll()))?;
        }
        say_where(table.as_ref(), &name).await?;
        if let Some(file) = &config.import {
            import_if_new(file, table.as_ref(), clock.as_ref(), dice).await?;
        }
        Ok(Self { engine, table })
    }

    /// Returns when the store has failed for good.
    pub(super) async fn failed(&self) {
        while !self.engine.has_failed() {
            sleep(LOOK_AT_STORE_EVERY).await;
        }
    }

    /// Lets other processes of this user on this machine use the table, until `stop`.
    pub(super) fn share(
        &self,
        data: &Path,
        stop: CancellationToken,
    ) -> anyhow::Result<impl Future<Output = ()> + use<>> {
        let socket = data.join(SOCKET);
        let server = TableServer::listen(Arc::clone(&self.table) as _, &socket);
        let server = server.with_context(|| format!("cannot make the socket {}", socket.display()))?;
        Ok(server.run(stop))
    }
}

/// Has the table say where the store is. A disk that takes nothing is said later, and to all.
async fn say_where(table: &dyn Table, name: &Path) -> anyhow::Result<()> {
    let place = place_of(name)?;
    if let Err(error) = set_owners_place(table, &place).await {
        tracing::warn!(%error, "the store cannot say where it is: a copy of it would not be known from it");
    }
    Ok(())
}

/// What the store in this folder is called. Its owner was there before.
pub(super) fn name(data: &Path) -> anyhow::Result<String> {
    let file = data.join(NAME);
    written(&file)?
        .with_context(|| format!("there is no {}: the store's owner makes it when it starts", file.display()))
}

/// The table that another process on this machine owns. Waits until that is there.
pub(super) async fn table_of_another(data: &Path) -> anyhow::Result<Arc<dyn Table>> {
    let table = RemoteTable::new(&data.join(SOCKET));
    let began = Instant::now();
    let mut was_told = false;
    loop {
        match table.get(&Key::new("readiness", "owner")).await {
            Ok(_) => return Ok(Arc::new(table)),
            Err(TableError::Away(why)) if began.elapsed() < COMES_WITHIN => {
                if !was_told {
                    tracing::info!("waiting for the process that owns the store in {}: {why}", data.display());
                    was_told = true;
                }
                sleep(LOOK_EVERY).await;
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "no process owns the store in {}: start `telltale serve --redis …` or `telltale store` there first",
                        data.display()
                    )
                });
            }
        }
    }
}
