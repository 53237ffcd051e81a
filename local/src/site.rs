//! Site files: one that is imported at the start, and `telltale import`.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use boot::{SystemClock, SystemDice};
use engine_embedded::Engine;
use jobs::ports::Dice;
use records::{
    Clock, Table,
    imports::{self, Import},
};
use site::{Counts, Site};
use table::{EmbeddedTable, open_dynamodb};

use crate::{cli::ImportArguments, config::Config};

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read the site file {}", file.display()))
}

fn parse(file: &Path, bytes: &[u8]) -> anyhow::Result<Site> {
    Site::parse(bytes).with_context(|| format!("in {}", file.display()))
}

/// Imports a site file, unless it is the one that was imported last: what people changed since would be undone.
pub(crate) async fn import_if_new(
    file: &Path,
    table: &dyn Table,
    clock: &dyn Clock,
    dice: &dyn Dice,
) -> anyhow::Result<()> {
    let bytes = bytes(file)?;
    let site = parse(file, &bytes)?;
    let this = Import::of(&bytes, clock.now());
    if let Some(last) = imports::site(table).await?.filter(|last| last.sha256 == this.sha256) {
        tracing::info!(
            "the site file {} has not changed since it was imported at {}",
            file.display(),
            last.at.rfc3339()
        );
        return Ok(());
    }
    let Counts { protocols, nodes, terminals, users } = site.import(table, clock, dice).await?;
    imports::put_site(table, &this).await?;
    tracing::info!(protocols, nodes, terminals, users, "the site file {} is in the store", file.display());
    Ok(())
}

/// `telltale import`.
pub(crate) async fn command(arguments: ImportArguments) -> anyhow::Result<()> {
    boot::init_log("warn");
    let config = Config::load(arguments.config.as_deref())?;
    let site = parse(&arguments.site, &bytes(&arguments.site)?)?;
    let table = table_of(&config).await?;
    let (verb, counts) = if arguments.dry_run {
        site.must_be_right(table.as_ref()).await?;
        ("would import", site.counts())
    } else {
        ("imported", site.import(table.as_ref(), &SystemClock, &SystemDice).await?)
    };
    let Counts { protocols, nodes, terminals, users } = counts;
    println!("{verb} {protocols} protocols, {nodes} nodes, {terminals} terminals, {users} users");
    Ok(())
}

/// The table on DynamoDB, or that of the embedded store, which nobody else may have open.
pub(crate) async fn table_of(config: &Config) -> anyhow::Result<Arc<dyn Table>> {
    if let Some(name) = &config.table {
        return Ok(open_dynamodb(name, Arc::new(SystemClock), Arc::new(SystemDice)).await?.table);
    }
    let engine = Engine::open(config.data.join("store"))
        .with_context(|| format!("cannot open the store in {}", config.data.display()))?;
    Ok(Arc::new(EmbeddedTable::new(engine, Arc::new(SystemClock))?))
}

#[cfg(test)]
mod tests {
    use records::nodes;
    use tempfile::TempDir;

    use super::*;

    /// A store, and the site file beside it.
    struct Place {
        folder: TempDir,
        table: EmbeddedTable,
    }

    impl Place {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let engine = Engine::open(folder.path().join("store")).unwrap();
            Self { table: EmbeddedTable::new(engine, Arc::new(SystemClock)).unwrap(), folder }
        }

        async fn import(&self, site: &serde_json::Value) {
            let file = self.folder.path().join("site.json");
            std::fs::write(&file, site.to_string()).unwrap();
            import_if_new(&file, &self.table, &SystemClock, &SystemDice).await.unwrap();
        }

        async fn port(&self) -> u16 {
            nodes::get(&self.table, "hill").await.unwrap().unwrap().port
        }
    }

    #[tokio::test]
    async fn a_site_file_that_has_not_changed_does_not_undo_what_people_changed() {
        let place = Place::new();
        let site = |port: u16| serde_json::json!({ "nodes": [{ "Name": "hill", "Port": port, "token": "t" }] });
        place.import(&site(9000)).await;
        let hill = nodes::get(&place.table, "hill").await.unwrap().unwrap();
        nodes::put(&place.table, &nodes::Node { port: 9100, ..hill }).await.unwrap();
        place.import(&site(9000)).await;
        assert_eq!(place.port().await, 9100);
        place.import(&site(9200)).await;
        assert_eq!(place.port().await, 9200);
    }
}
