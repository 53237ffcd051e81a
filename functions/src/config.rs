//! What a function is told by its environment, which `template.yaml` sets.

use std::collections::HashMap;

use jobs::{AdoptionSettings, AlarmSettings, ScheduleSettings, Settings};
use link::AwsLinkSettings;
use notify::NotifySettings;
use serde::Deserialize;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The DynamoDB table (`TELLTALE_TABLE`).
    pub table: String,
    /// The URL of each job's queue (`TELLTALE_QUEUES__DISPATCH_QUERIES`): of its own, and of those that this function enqueues.
    #[serde(default)]
    pub queues: HashMap<String, String>,
    /// The URL of the queue of this function's dead letters (`TELLTALE_DEAD_LETTERS`).
    #[serde(default)]
    pub dead_letters: String,
    /// Where the brokers are (`TELLTALE_LINK__INBOX_PREFIX`, `TELLTALE_LINK__TOPIC`); only for jobs that reach them.
    #[serde(default)]
    pub link: Option<AwsLinkSettings>,
    /// The channels to people (`TELLTALE_NOTIFY__SMTP__URL`, …).
    #[serde(default)]
    pub notify: NotifySettings,
    /// How often devices are asked (`TELLTALE_SCHEDULE__WINDOW_MS`, `TELLTALE_SCHEDULE__LEAD_MS`).
    pub schedule: ScheduleSettings,
    /// When an alarm is one.
    #[serde(default)]
    pub alarms: AlarmSettings,
    /// Terminals that are registered by their coming.
    #[serde(default)]
    pub adoption: AdoptionSettings,
}

impl Config {
    /// What the jobs need of it.
    pub(crate) fn for_jobs(&self) -> Settings {
        Settings { schedule: self.schedule.clone(), alarms: self.alarms.clone(), adoption: self.adoption.clone() }
    }
}
