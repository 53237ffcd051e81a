//! The configuration of `telltale serve`: a TOML file, and `TELLTALE_…` variables over it.

mod explain;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use api::ApiSettings;
use broker::{BrokerSettings, PlatformSettings};
use engine_redis::RedisSettings;
use jobs::{
    AdoptionSettings, AlarmSettings, HeartbeatSettings, NoticeSettings, ReadingSettings, ScheduleSettings, Settings,
    WordSettings,
};
use notify::NotifySettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use table::{HAS_DYNAMODB, OpenError};

use crate::cli::ConfigArguments;

const AN_HOUR_MS: u64 = 3_600_000;
const A_YEAR_MS: u64 = 365 * 24 * AN_HOUR_MS;
/// The longest that a machine may be called: that of a host name.
const LONGEST_NAME: usize = 253;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The folder of the embedded store, and of what brokers spool. Made when it is not there.
    pub data: PathBuf,
    /// A DynamoDB table to remember everything in, in the place of the embedded store. It needs `redis`. Region, credentials and
    /// endpoint are those that the AWS SDK finds: `AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_DYNAMODB` and their like.
    pub table: Option<String>,
    /// Where the API and the sockets listen, on one port.
    pub listen: SocketAddr,
    /// The most connections that are open at a time: browsers, gateways and API together. No more than the files that the
    /// system lets a process have, less what the store needs.
    pub max_connections: u32,
    /// What this machine is called in alarms of the platform, where brokers of several machines work on one `table`: letters, digits,
    /// `.`, `-` and `_`. Without it they go by the host name; no two are called alike.
    pub machine: Option<String>,
    /// Where several processes meet: brokers, workers and the API. Without it one process does everything.
    pub redis: Option<RedisSettings>,
    /// A site file that is imported at the start, unless it is the one that was imported last.
    pub import: Option<PathBuf>,
    /// How often devices are asked.
    pub schedule: ScheduleSettings,
    /// When an alarm is one.
    pub alarms: AlarmSettings,
    /// Terminals that are registered by their coming.
    pub adoption: AdoptionSettings,
    /// What of the readings is kept.
    pub readings: ReadingSettings,
    /// How fast people are told of alarms, and how often.
    pub notices: NoticeSettings,
    /// The channels to people.
    pub notify: NotifySettings,
    /// How people are spoken to.
    pub words: WordSettings,
    /// The heartbeat of the whole path.
    pub heartbeat: HeartbeatSettings,
    /// The sockets.
    pub broker: BrokerSettings,
    /// When it is told that what we need ourselves is away, and to whom.
    pub platform: PlatformSettings,
    /// Signing in.
    pub auth: AuthSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("telltale-data"),
            table: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_connections: 20_000,
            machine: None,
            redis: None,
            import: None,
            schedule: ScheduleSettings::default(),
            alarms: AlarmSettings::default(),
            adoption: AdoptionSettings::default(),
            readings: ReadingSettings::default(),
            notices: NoticeSettings::default(),
            notify: NotifySettings::default(),
            words: WordSettings::default(),
            heartbeat: HeartbeatSettings::default(),
            broker: BrokerSettings::default(),
            platform: PlatformSettings::default(),
            auth: AuthSettings::default(),
        }
    }
}

impl Config {
    /// The configuration in a file and the environment, if a server can run on it. Opens and connects to nothing.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let config: Self = boot::load(file)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.notify.check()?;
        self.words.check()?;
        if let Some(webhook) = &self.platform.webhook {
            notify::check_webhook(&webhook.url, &webhook.secret)
                .map_err(|why| anyhow::anyhow!("platform.webhook: {why}"))?;
        }
        let ScheduleSettings { window_ms, lead_ms, minimum_interval_ms, instruction_ms } = self.schedule;
        for (key, told, least, most) in [
            ("schedule.window_ms", window_ms, 100, AN_HOUR_MS),
            ("schedule.lead_ms", lead_ms, 0, AN_HOUR_MS),
            ("schedule.minimum_interval_ms", minimum_interval_ms, 1, A_YEAR_MS),
            ("schedule.instruction_ms", instruction_ms, 1, AN_HOUR_MS),
            ("alarms.offline_debounce_ms", self.alarms.offline_debounce_ms, 0, A_YEAR_MS),
            ("alarms.flapping_more_than", u64::from(self.alarms.flapping_more_than), 0, 100),
            ("alarms.flapping_within_ms", self.alarms.flapping_within_ms, 1, 31 * 24 * AN_HOUR_MS),
            ("alarms.flapping_calm_ms", self.alarms.flapping_calm_ms, 1, 31 * 24 * AN_HOUR_MS),
            ("readings.silence_ms", self.readings.silence_ms, 0, A_YEAR_MS),
            ("broker.instruction_timeout_ms", self.broker.instruction_timeout_ms, 1, AN_HOUR_MS),
            ("broker.gather_ms", self.broker.gather_ms, 0, 10_000),
            ("broker.gather_reports", self.broker.gather_reports as u64, 1, 200),
            ("broker.spool_mb", self.broker.spool_mb, 1, 1_000_000),
            ("broker.query_grace_ms", self.broker.query_grace_ms, 0, AN_HOUR_MS),
            ("broker.operation_timeout_ms", self.broker.operation_timeout_ms, 1, AN_HOUR_MS),
            ("heartbeat.every_ms", self.heartbeat.every_ms, 1000, AN_HOUR_MS),
            ("heartbeat.silent_after_ms", self.heartbeat.silent_after_ms, 0, A_YEAR_MS),
            ("platform.away_after_ms", self.platform.away_after_ms, 0, A_YEAR_MS),
            ("auth.session_minutes", self.auth.session_minutes, 1, A_YEAR_MS / 60_000),
        ] {
            anyhow::ensure!((least..=most).contains(&told), "{key} is {least} to {most}, not {told}");
        }
        let HeartbeatSettings { every_ms, silent_after_ms, .. } = self.heartbeat;
        anyhow::ensure!(
            silent_after_ms == 0 || silent_after_ms >= every_ms.saturating_mul(2),
            "heartbeat.silent_after_ms is 0, or at least twice heartbeat.every_ms ({every_ms}): readings are looked for once in \
             that time; not {silent_after_ms}"
        );
        anyhow::ensure!(self.max_connections > 0, "max_connections is at least 1");
        if let Some(machine) = &self.machine {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
            anyhow::ensure!(
                (1..=LONGEST_NAME).contains(&machine.len()) && machine.chars().all(is_plain),
                "machine is 1 to {LONGEST_NAME} letters, digits, `.`, `-` and `_`, not {machine:?}"
            );
        }
        if let Some(table) = &self.table {
            anyhow::ensure!(!table.is_empty(), "table is empty: leave it out, or name a DynamoDB table");
            anyhow::ensure!(HAS_DYNAMODB, "table is {table}: {}", OpenError::NotBuilt);
        }
        Ok(())
    }

    /// The same with Redis at `url`, if that is given: it stands over `redis.url`, and leaves the other keys of `redis`.
    pub(crate) fn with_redis(mut self, url: Option<String>) -> Self {
        if let Some(url) = url {
            let settings = self.redis.take().unwrap_or_else(|| RedisSettings::new(""));
            self.redis = Some(RedisSettings { url, ..settings });
        }
        self
    }

    /// Refuses other keys of `redis` without its address, with which nobody would meet anywhere. Not a part of [`Self::load`]:
    /// the address may come from the command line, and some commands need no Redis.
    pub(crate) fn says_where_redis_is(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.redis.as_ref().is_none_or(|redis| !redis.url.is_empty()),
            "redis.url is missing beside the other keys of redis: set it (or TELLTALE_REDIS__URL), or give \
             --redis redis://host:6379; to do without Redis, leave all keys of redis out"
        );
        Ok(())
    }

    /// What the jobs need of it.
    pub(crate) fn for_jobs(&self) -> Settings {
        Settings {
            schedule: self.schedule.clone(),
            alarms: self.alarms.clone(),
            adoption: self.adoption.clone(),
            readings: self.readings.clone(),
            // Topics are something of AWS.
            notices: NoticeSettings { topics: false, ..self.notices.clone() },
            words: self.words.clone(),
            heartbeat: self.heartbeat.clone(),
        }
    }
}

/// Signing in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSettings {
    /// How long a sign-in lasts, in minutes.
    pub session_minutes: u64,
    /// Whether the cookie is sent over TLS only: set it when TLS ends before us.
    pub secure_cookie: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { session_minutes: 12 * 60, secure_cookie: false }
    }
}

impl AuthSettings {
    /// What the API needs of it.
    pub(crate) fn for_api(&self) -> ApiSettings {
        ApiSettings { session: Duration::from_secs(self.session_minutes * 60), secure_cookie: self.secure_cookie }
    }
}

/// `telltale config`.
pub(crate) fn command(arguments: &ConfigArguments) -> anyhow::Result<()> {
    if arguments.explain {
        print!("{}", explain::text());
        return Ok(());
    }
    let config = Config::load(arguments.config.as_deref())?.with_redis(arguments.redis.clone());
    config.says_where_redis_is()?;
    let data = config.data.display();
    let store = config.table.as_ref().map_or(format!("data in {data}"), |table| format!("data in {table} on DynamoDB"));
    println!("the configuration is right: {store}, listening on {}", config.listen);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_on_dynamodb_is_refused_where_that_is_not_built_in_and_the_refusal_says_how_to_build_it() {
        let on = |table: &str| Config { table: Some(table.to_owned()), ..Config::default() };
        let told = on("readings").check().map_err(|refused| refused.to_string());
        let expected = "table is readings: this program was built without DynamoDB: build it with `cargo build --release \
                        --features dynamodb`";
        assert_eq!(told, if HAS_DYNAMODB { Ok(()) } else { Err(expected.to_owned()) });
        assert!(on("").check().is_err(), "a name that is empty is none");
    }

    #[test]
    fn the_address_of_redis_may_be_given_beside_its_other_keys() {
        let with = |redis: Option<&str>| {
            let config: Config =
                serde_json::from_value(serde_json::json!({ "redis": { "queue": "apalis-redis" } })).unwrap();
            config.with_redis(redis.map(str::to_owned))
        };
        let config = with(Some("redis://host"));
        config.says_where_redis_is().unwrap();
        let redis = config.redis.unwrap();
        assert_eq!((redis.url.as_str(), redis.queue), ("redis://host", engine_redis::QueueKind::ApalisRedis));
        assert!(with(None).says_where_redis_is().unwrap_err().to_string().contains("redis.url is missing"));
        Config::default().says_where_redis_is().unwrap();
    }
    #[test]
    fn a_silence_that_ends_before_readings_are_looked_for_again_is_refused() {
        let with = |every_ms, silent_after_ms| {
            let heartbeat = HeartbeatSettings { every_ms, silent_after_ms, ..HeartbeatSettings::default() };
            Config { heartbeat, ..Config::default() }.check().is_ok()
        };
        assert!(with(60_000, 0) && with(60_000, 120_000));
        assert!(!with(60_000, 119_999));
    }
}
