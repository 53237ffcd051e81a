//! The API on Lambda: the same routes as everywhere, asked through API Gateway.

use std::{collections::HashMap, sync::Arc, time::Duration};

use api::{ApiParts, ApiSettings};
use boot::{SystemClock, SystemDice};
use engine_http::{Tokens, axum::Router};
use jobs::{
    AlarmSettings, NoticeSettings, WordSettings,
    backtest::Terms,
    links::Links,
    ports::{Clock, Dice, Table},
};
use lambda_http::Adapter;
use lambda_runtime::{Error, Runtime};
use link::{AwsLink, AwsLinkSettings};
use queue::{SqsInspect, SqsQueue};
use serde::Deserialize;
use table::DynamoDbTable;

use crate::{request::RequestLayer, serve::start};

/// Everything that can be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The DynamoDB table (`TELLTALE_TABLE`).
    table: String,
    /// The URL of each job's queue (`TELLTALE_QUEUES__DISPATCH_QUERIES`).
    queues: HashMap<String, String>,
    /// The URL of the queue of each job's dead letters (`TELLTALE_DEAD_LETTERS__DISPATCH_QUERIES`).
    dead_letters: HashMap<String, String>,
    /// Where the brokers are (`TELLTALE_LINK__INBOX_PREFIX`, `TELLTALE_LINK__TOPIC`).
    link: AwsLinkSettings,
    /// The secret that holds what sign-ins are signed with, the same as the brokers' (`TELLTALE_SIGNING_KEY_SECRET`).
    signing_key_secret: String,
    /// How people are spoken to (`TELLTALE_WORDS__LANGUAGE`, `TELLTALE_WORDS__ZONE`). Links lead here, wherever people say it is.
    #[serde(default)]
    words: WordSettings,
    /// How people are told of alarms, for who tries a rule, as `fan_out` is told (`TELLTALE_NOTICES__REPEAT_WARNING_MS`).
    #[serde(default)]
    notices: NoticeSettings,
    /// When an alarm flaps, for who tries a rule, as `evaluate_alarms` is told (`TELLTALE_ALARMS__FLAPPING_MORE_THAN`).
    #[serde(default)]
    alarms: AlarmSettings,
    /// How long a sign-in lasts, in minutes (`TELLTALE_SESSION_MINUTES`).
    #[serde(default = "half_a_day")]
    session_minutes: u64,
    /// Whether the sign-in cookie is sent over TLS only (`TELLTALE_SECURE_COOKIE`).
    #[serde(default = "yes")]
    secure_cookie: bool,
}

fn half_a_day() -> u64 {
    12 * 60
}

fn yes() -> bool {
    true
}

/// Answers requests of an HTTP API (payload format 2.0).
pub async fn serve_api() -> Result<(), Error> {
    let router = start(router).await?;
    Runtime::new(Adapter::from(router)).layer(RequestLayer).run().await
}

/// The routes, over what the environment names.
async fn router() -> anyhow::Result<Router> {
    let config: Config = boot::load(None)?;
    let aws = engine_aws::load().await;
    let signing_key = engine_aws::secret(&aws, &config.signing_key_secret).await?;
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let table: Arc<dyn Table> = Arc::new(DynamoDbTable::new(&aws, config.table, Arc::clone(&clock), Arc::clone(&dice)));
    let jobs = SqsQueue::new(&aws, config.queues.clone(), Arc::clone(&clock), Arc::clone(&dice));
    let session = Duration::from_secs(config.session_minutes.saturating_mul(60));
    Ok(api::router(ApiParts {
        table: Arc::clone(&table),
        clock,
        tokens: Arc::new(Tokens::new(signing_key.as_bytes())?),
        scripts: Arc::new(script::JavaScript),
        link: Arc::new(AwsLink::new(&aws, config.link)),
        door: Arc::new(api::StoredDoors(table)),
        dice,
        queue: Arc::new(SqsInspect::new(&aws, config.queues, config.dead_letters)),
        jobs: Arc::new(jobs),
        // What gateways say does not come here.
        spool: None,
        // And SQS is one that nobody changes.
        meeting: None,
        links: Links::reading(signing_key.as_bytes()).map(Arc::new),
        words: config.words,
        terms: Terms::of(&config.notices, &config.alarms),
        settings: ApiSettings { session, secure_cookie: config.secure_cookie },
    }))
}
