//! Site files on Lambda.

use std::sync::Arc;

use boot::{SystemClock, SystemDice};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime, service_fn};
use serde::Deserialize;
use serde_json::Value;
use site::{Counts, Site, SiteError};
use table::DynamoDbTable;

use crate::{request::RequestLayer, serve::start};

/// Everything that can be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The DynamoDB table (`TELLTALE_TABLE`).
    table: String,
}

/// Answers invocations whose event is a site file with how much was imported, or with everything that is wrong with it.
pub async fn serve_imports() -> Result<(), Error> {
    let table = &start(table).await?;
    let answer = service_fn(|event: LambdaEvent<Value>| async move {
        import(table, &event.payload).await.map_err(|error| told(&error))
    });
    Runtime::new(answer).layer(RequestLayer).run().await
}

async fn table() -> anyhow::Result<DynamoDbTable> {
    let config: Config = boot::load(None)?;
    let aws = engine_aws::load().await;
    Ok(DynamoDbTable::new(&aws, config.table, Arc::new(SystemClock), Arc::new(SystemDice)))
}

async fn import(table: &DynamoDbTable, file: &Value) -> Result<Counts, SiteError> {
    Site::parse(file.to_string().as_bytes())?.import(table, &SystemClock, &SystemDice).await
}

fn told(error: &SiteError) -> Diagnostic {
    let error_type = match error {
        SiteError::NotUnderstood(_) | SiteError::Wrong(_) => "import_site.never",
        SiteError::Table(_) | SiteError::Password(_) => "import_site.again",
    };
    Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
}
