//! DynamoDB itself and DynamoDB Local, where the person who runs the tests says so: one table that all tests use, each a
//! part of it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use boot::SystemDice;
use records::Clock;
use serde_json::{Value, json};
use table::DynamoDbTable;
use tokio::{sync::OnceCell, task::spawn_blocking};

use super::{python, script};
use crate::{Apart, LoadedDice, environment};

/// DynamoDB Local. It ends when the tests do, since its player's stdin closes then.
struct Local {
    endpoint: String,
    _player: Child,
}

static LOCAL: OnceCell<Local> = OnceCell::const_new();

/// A part of the table on DynamoDB Local, which the first who asks starts.
pub async fn dynamodb_local(clock: Arc<dyn Clock>) -> Result<Apart> {
    let local = LOCAL.get_or_try_init(async || spawn_blocking(Local::start).await?).await?;
    let config = engine_aws::emulated(&local.endpoint).await;
    Ok(Apart::new(Arc::new(DynamoDbTable::new(&config, "Table", clock, Arc::new(LoadedDice(1))))))
}

/// A part of the table in the AWS account that the SDK finds: its environment, its profile.
pub async fn dynamodb_on_aws(clock: Arc<dyn Clock>) -> Result<Apart> {
    let name: String = environment::told("TELLTALE_TEST_AWS_TABLE").context(
        "TELLTALE_TEST_AWS_TABLE does not say on which table to test: one for tests alone, with the keys pk and sk, both strings, \
         and the TTL attribute ttl",
    )?;
    let config = engine_aws::load().await;
    Ok(Apart::new(Arc::new(DynamoDbTable::new(&config, name, clock, Arc::new(SystemDice)))))
}

impl Local {
    fn start() -> Result<Self> {
        ensure!(
            environment::told("ACCEPT_DYNAMODB_LOCAL_LICENSE") == Some(1),
            "ACCEPT_DYNAMODB_LOCAL_LICENSE=1 does not say that you may use DynamoDB Local"
        );
        let settings = json!({ "jar": environment::dynamodb_local()? });
        let mut player = Command::new(python()?)
            .arg(script("dynamodb_local.py"))
            .arg(settings.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the player dynamodb_local does not start")?;
        let mut report = String::new();
        BufReader::new(player.stdout.take().context("the player has a stdout")?).read_line(&mut report)?;
        let report: Value = serde_json::from_str(&report).context("DynamoDB Local does not start: stderr says why")?;
        let port = report["listening"].as_u64().context("DynamoDB Local says where it listens")?;
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), _player: player })
    }
}
