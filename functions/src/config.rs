//! What a function is told by its environment, which `template.yaml` sets.

use std::collections::HashMap;

use jobs::{AdoptionSettings, AlarmSettings, ScheduleSettings, Settings};
use serde::Deserialize;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The DynamoDB table (`TELLTALE_TABLE`).
    pub table: String,
    /// The URL of each job's queue (`TELLTALE_QUEUES__DISPATCH_QUERIES`); only of those that this function enqueues.
    #[serde(default)]
    pub queues: HashMap<String, String>,
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
