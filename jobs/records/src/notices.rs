//! Notices: what each person is told on each channel, and how that went.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Notice`] | `notice#` user | id |

use std::time::Duration;

use domain::{Source, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, facts::Facts, record};

/// How long notices are kept.
pub const RETENTION: Duration = Duration::from_hours(90 * 24);

/// Who is told of what concerns everybody: those who subscribed to a topic. No user is called so.
pub const EVERYBODY: &str = "*";

/// The channels' names.
pub mod channel {
    use domain::alarm::Severity;

    /// An e-mail.
    pub const EMAIL: &str = "email";
    /// A text message.
    pub const SMS: &str = "sms";
    /// A signed POST.
    pub const WEBHOOK: &str = "webhook";

    /// The topic of a severity's alarms.
    pub fn topic(severity: Severity) -> &'static str {
        match severity {
            Severity::Critical => "topic/critical",
            Severity::Warning => "topic/warning",
            Severity::Info => "topic/info",
        }
    }

    /// The severity whose topic this is; none when it is no topic.
    pub fn severity_of(channel: &str) -> Option<Severity> {
        [Severity::Critical, Severity::Warning, Severity::Info].into_iter().find(|severity| topic(*severity) == channel)
    }
}

/// What one person is told on one channel about one transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// A ULID, derived from transition, user and channel.
    pub id: String,
    /// Who is told: a user's name, or [`EVERYBODY`].
    pub user: String,
    /// On which [`channel`].
    pub channel: String,
    /// About what.
    pub source: Source,
    /// About which transition.
    pub transition: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it was decided to tell.
    pub at: Timestamp,
    /// How it stands.
    pub status: NoticeStatus,
    /// Every attempt to tell, oldest first.
    pub attempts: Vec<Attempt>,
    /// What it tells of, from which its words are made anew when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// How a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeStatus {
    /// Not taken by the other side yet.
    Waiting,
    /// Taken.
    Sent,
    /// Never to be taken: refused, or given up.
    Failed,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What the other side said.
    pub outcome: String,
}

/// The write that stores a new notice. Refused when it is there already.
pub fn put_new(notice: &Notice) -> Result<Write, TableError> {
    record::put_new(key(&notice.user, &notice.id), notice, Some(notice.at.plus(RETENTION)))
}

/// The write that stores what became of a notice.
pub fn update(notice: &Versioned<Notice>) -> Result<Write, TableError> {
    let Notice { user, id, at, .. } = &notice.value;
    notice.put_back(key(user, id), Some(at.plus(RETENTION)))
}

/// A user's notice.
pub async fn get(table: &dyn Table, user: &str, id: &str) -> Result<Option<Versioned<Notice>>, TableError> {
    record::get(table, &key(user, id)).await
}

/// A page of a user's notices, newest first.
pub async fn list(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Notice>, TableError> {
    record::page(table, &Range::all(format!("notice#{user}"), limit).newest_first().after(after)).await
}

fn key(user: &str, id: &str) -> Key {
    Key::new(format!("notice#{user}"), id)
}
