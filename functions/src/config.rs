//! What a function is told by its environment, which `template.yaml` sets.

use std::collections::HashMap;

use jobs::{
    AdoptionSettings, AlarmSettings, HeartbeatSettings, NoticeSettings, ReadingSettings, ScheduleSettings, Settings,
    WordSettings,
};
use link::AwsLinkSettings;
use notify::{SesSettings, SmsSettings, TopicSettings, WebhookSettings};
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
    /// The secret that holds the URL of the server that takes mail, where that is not SES (`TELLTALE_SMTP_URL_SECRET`).
    #[serde(default)]
    pub smtp_url_secret: Option<String>,
    /// The sender of mail to it (`TELLTALE_SMTP_FROM`).
    #[serde(default)]
    pub smtp_from: String,
    /// The secret that holds the Alibaba Cloud account which sends text messages: `notify.aliyun_sms` as JSON
    /// (`TELLTALE_ALIYUN_SMS_SECRET`).
    #[serde(default)]
    pub aliyun_sms_secret: Option<String>,
    /// The secret that holds the WeChat official account: `notify.wechat` as JSON (`TELLTALE_WECHAT_SECRET`).
    #[serde(default)]
    pub wechat_secret: Option<String>,
    /// Mail by SES (`TELLTALE_SES__FROM`).
    #[serde(default)]
    pub ses: Option<SesSettings>,
    /// Text messages (`TELLTALE_SMS__ENABLED`, `TELLTALE_SMS__SENDER_ID`).
    #[serde(default)]
    pub sms: Option<SmsSettings>,
    /// The topics of alarms (`TELLTALE_TOPICS__CRITICAL`, …).
    #[serde(default)]
    pub topics: Option<TopicSettings>,
    /// What webhooks may reach (`TELLTALE_WEBHOOK__ALLOWED_NETS`).
    #[serde(default)]
    pub webhook: WebhookSettings,
    /// What of the readings is kept (`TELLTALE_READINGS__SILENCE_MS`).
    #[serde(default)]
    pub readings: ReadingSettings,
    /// Who is told of alarms, beside the users, and how fast (`TELLTALE_NOTICES__TOPICS`, `TELLTALE_NOTICES__WAIT_WARNING_MS`, …).
    #[serde(default)]
    pub notices: NoticeSettings,
    /// How people are spoken to (`TELLTALE_WORDS__LANGUAGE`, `TELLTALE_WORDS__ZONE`, `TELLTALE_WORDS__PUBLIC_URL`).
    #[serde(default)]
    pub words: WordSettings,
    /// The secret that links in letters are signed with, the same as the API's (`TELLTALE_SIGNING_KEY_SECRET`).
    #[serde(default)]
    pub signing_key_secret: Option<String>,
    /// How often devices are asked (`TELLTALE_SCHEDULE__WINDOW_MS`, `TELLTALE_SCHEDULE__LEAD_MS`).
    pub schedule: ScheduleSettings,
    /// The heartbeat of the whole path (`TELLTALE_HEARTBEAT__URL`, `TELLTALE_HEARTBEAT__SILENT_AFTER_MS`).
    #[serde(default)]
    pub heartbeat: HeartbeatSettings,
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
        Settings {
            schedule: self.schedule.clone(),
            alarms: self.alarms.clone(),
            adoption: self.adoption.clone(),
            readings: self.readings.clone(),
            notices: self.notices.clone(),
            words: self.words.clone(),
            heartbeat: self.heartbeat.clone(),
        }
    }
}
