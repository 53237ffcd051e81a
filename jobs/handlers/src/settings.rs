//! What the operator may choose about the jobs.

use std::{sync::Arc, time::Duration};

use domain::{
    Timestamp,
    alarm::Flapping,
    routing::{
        Zone,
        incident::{BriefAlarms, BySeverity, Pace},
    },
};
use records::locale::Language;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    heartbeat::HeartbeatSettings,
    links::{BadPublicUrl, Links},
};

/// How often devices are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// How much work one plan covers, in milliseconds (on AWS a minute: 60000).
    pub window_ms: u64,
    /// How long before its window a plan is made, in milliseconds.
    pub lead_ms: u64,
    /// The shortest poll interval of any device, in milliseconds.
    pub minimum_interval_ms: u64,
    /// What one instruction takes on a wired line, in milliseconds; over a SIM it takes twice as much. A line is not asked
    /// more often than its instructions allow.
    pub instruction_ms: u64,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self { window_ms: 5_000, lead_ms: 1_000, minimum_interval_ms: 5_000, instruction_ms: 1_000 }
    }
}

impl ScheduleSettings {
    /// How much work one plan covers.
    pub fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms.max(1))
    }

    /// The first instant of the window that `at` lies in.
    pub fn window_start(&self, at: Timestamp) -> Timestamp {
        let window = i64::try_from(self.window_ms.max(1)).unwrap_or(i64::MAX);
        Timestamp(at.0.div_euclid(window).saturating_mul(window))
    }

    /// Up to when plans have been made at `now`: a plan is made `lead_ms` before its window begins.
    pub fn planned_until(&self, now: Timestamp) -> Timestamp {
        self.window_start(now.plus(Duration::from_millis(self.lead_ms))).plus(self.window())
    }
}

/// When an alarm is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmSettings {
    /// How long a terminal or node must be away before its alarm is raised, in milliseconds.
    pub offline_debounce_ms: u64,
    /// The most queries in a row that a device may miss before its alarm is raised (with 10 it is raised at the 11th).
    pub misses_allowed: u32,
    /// How often a rule may be raised on its source, or come to matter more or less, within `flapping_within_ms` before it is told
    /// no more each time; 0: it is always told. Rules that people made may say otherwise.
    pub flapping_more_than: u16,
    /// See `flapping_more_than`, in milliseconds.
    pub flapping_within_ms: u64,
    /// How long such a rule must neither be raised nor end to be told again, in milliseconds.
    pub flapping_calm_ms: u64,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            offline_debounce_ms: 60_000,
            misses_allowed: 10,
            flapping_more_than: 5,
            flapping_within_ms: 1_800_000,
            flapping_calm_ms: 900_000,
        }
    }
}

impl AlarmSettings {
    /// When rules that say nothing of it are damped.
    pub fn flapping(&self) -> Flapping {
        let (within, calm) =
            (Duration::from_millis(self.flapping_within_ms), Duration::from_millis(self.flapping_calm_ms));
        Flapping { more_than: self.flapping_more_than, within, calm }
    }
}

/// Terminals that are registered by their coming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdoptionSettings {
    /// The nodes whose unknown terminals are taken in: gateways of cards that are plugged into a UPS each.
    pub nodes: Vec<String>,
    /// The protocol that such a card speaks.
    pub protocol: String,
}

impl Default for AdoptionSettings {
    fn default() -> Self {
        Self { nodes: vec!["pwsiv".to_owned(), "besiv-1".to_owned()], protocol: "Pesiv卡".to_owned() }
    }
}

/// What of the readings is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReadingSettings {
    /// For how long a reading whose values are those of the one before is not stored, in milliseconds; 0 stores every
    /// reading. Alarms and browsers see all of them either way.
    pub silence_ms: u64,
}

impl ReadingSettings {
    /// For how long what does not move is not stored; none when everything is.
    pub fn silence(&self) -> Option<Duration> {
        (self.silence_ms > 0).then(|| Duration::from_millis(self.silence_ms))
    }
}

/// Who is told of alarms, beside the users, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeSettings {
    /// Whether there is a topic for each severity, to which every alarm of it is published.
    pub topics: bool,
    /// How many text messages a number gets a day at most. What is more is held back, and told as one the next day.
    pub sms_a_day: u32,
    /// How long a critical alarm waits for others of its place before one notice tells them, in milliseconds.
    pub wait_critical_ms: u64,
    /// How long a warning waits for others of its place before one notice tells them, in milliseconds.
    pub wait_warning_ms: u64,
    /// How long what is good to know waits for others of its place before one notice tells them, in milliseconds.
    pub wait_info_ms: u64,
    /// How long after a notice the next one tells what changed since, in milliseconds, with a critical alarm among it; longer for what flaps.
    pub interval_critical_ms: u64,
    /// How long after a notice the next one tells what changed since, in milliseconds, with a warning among it; longer for what flaps.
    pub interval_warning_ms: u64,
    /// How long after a notice the next one tells what changed since, in milliseconds, with what is good to know among it; longer for what flaps.
    pub interval_info_ms: u64,
    /// How long after a notice it is told again while a critical alarm is open that nobody acknowledged, in milliseconds; 0 for never.
    pub repeat_critical_ms: u64,
    /// How long after a notice it is told again while a warning is open that nobody acknowledged, in milliseconds; 0 for never.
    pub repeat_warning_ms: u64,
    /// How long after a notice it is told again while what is good to know is open that nobody acknowledged, in milliseconds; 0 for never.
    pub repeat_info_ms: u64,
    /// For how long after a recovery what comes is told as of the same incident, in milliseconds.
    pub reopen_ms: u64,
    /// For how long an acknowledgement holds, in milliseconds; 0 for good.
    pub acknowledgement_ms: u64,
    /// What becomes of an alarm that is over before it was told: `tell_critical`, `tell` or `drop`.
    pub brief: Brief,
}

/// What becomes of an alarm that is over before it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Brief {
    /// A critical one is told, all others are counted.
    #[default]
    TellCritical,
    /// It is told, with its end.
    Tell,
    /// It is counted.
    Drop,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            topics: false,
            sms_a_day: domain::routing::SMS_A_DAY,
            wait_critical_ms: 0,
            wait_warning_ms: 10_000,
            wait_info_ms: 30_000,
            interval_critical_ms: 5_000,
            interval_warning_ms: 60_000,
            interval_info_ms: 300_000,
            repeat_critical_ms: 1_800_000,
            repeat_warning_ms: 14_400_000,
            repeat_info_ms: 0,
            reopen_ms: 300_000,
            acknowledgement_ms: 0,
            brief: Brief::TellCritical,
        }
    }
}

impl NoticeSettings {
    /// How fast an incident is told.
    pub fn pace(&self) -> Pace {
        let time = Duration::from_millis;
        let some = |ms: u64| (ms > 0).then(|| time(ms));
        Pace {
            wait: BySeverity {
                critical: time(self.wait_critical_ms),
                warning: time(self.wait_warning_ms),
                info: time(self.wait_info_ms),
            },
            interval: BySeverity {
                critical: time(self.interval_critical_ms),
                warning: time(self.interval_warning_ms),
                info: time(self.interval_info_ms),
            },
            repeat: BySeverity {
                critical: some(self.repeat_critical_ms),
                warning: some(self.repeat_warning_ms),
                info: some(self.repeat_info_ms),
            },
            reopen: time(self.reopen_ms),
            brief: match self.brief {
                Brief::TellCritical => BriefAlarms::TellCritical,
                Brief::Tell => BriefAlarms::Tell,
                Brief::Drop => BriefAlarms::Drop,
            },
            acknowledgement: some(self.acknowledgement_ms),
            ..Pace::default()
        }
    }
}

/// How people are spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WordSettings {
    /// The language of notices to those who chose none: `en` or `zh`.
    #[schemars(with = "String")]
    pub language: Language,
    /// The clocks that notices go by to those who chose none: an IANA zone such as `Asia/Shanghai`.
    pub zone: String,
    /// Where people reach the API, such as `https://telltale.example.com`. Without it notices have no links.
    pub public_url: Option<String>,
}

impl Default for WordSettings {
    fn default() -> Self {
        Self { language: Language::default(), zone: "UTC".to_owned(), public_url: None }
    }
}

impl WordSettings {
    /// Who signs links with the server's secret; none when nobody said where people reach us.
    pub fn links(&self, secret: &[u8]) -> Result<Option<Arc<Links>>, BadPublicUrl> {
        let url = self.public_url.as_deref().filter(|url| !url.is_empty());
        url.map(|url| Links::new(url, secret).map(Arc::new)).transpose()
    }

    /// By whose days people are told who chose none.
    pub fn zone(&self) -> Zone {
        Zone::try_from(self.zone.clone()).unwrap_or_default()
    }

    /// Refuses what nobody could be spoken to by.
    pub fn check(&self) -> Result<(), BadWords> {
        if jiff::tz::TimeZone::get(&self.zone).is_err() {
            return Err(BadWords::Zone(self.zone.clone()));
        }
        Ok(self.links(&[]).map(drop)?)
    }
}

/// Why people cannot be spoken to like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWords {
    /// There is no such zone.
    #[error("words.zone: there is no time zone `{0}`; zones are written as Europe/Berlin")]
    Zone(String),
    /// Nobody can be sent there.
    #[error("words.public_url: {0}")]
    PublicUrl(#[from] BadPublicUrl),
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The heartbeat of the whole path.
    pub heartbeat: HeartbeatSettings,
    /// How often devices are asked.
    pub schedule: ScheduleSettings,
    /// When an alarm is one.
    pub alarms: AlarmSettings,
    /// Terminals that are registered by their coming.
    pub adoption: AdoptionSettings,
    /// What of the readings is kept.
    pub readings: ReadingSettings,
    /// Who is told of alarms, beside the users.
    pub notices: NoticeSettings,
    /// How people are spoken to.
    pub words: WordSettings,
}
