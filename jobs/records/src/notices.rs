//! Notices: what each person is told on each channel, and how that went.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Notice`] | `notice#` user | id |
//! | that notices wait that were tried in vain | `notices-wait#` user | channel |

use std::time::Duration;

use domain::{Source, Timestamp, identity::least_id_of};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, facts::Facts, record};

/// How long notices are kept.
pub const RETENTION: Duration = Duration::from_hours(90 * 24);

/// How long it is kept that a heartbeat was sent.
const HEARTBEAT_RETENTION: Duration = Duration::from_hours(24);

/// Who is told of what concerns everybody: those who subscribed to a topic. No user is called so.
pub const EVERYBODY: &str = "*";

/// The channels' names.
pub mod channel {
    use domain::alarm::Severity;

    /// An e-mail.
    pub const EMAIL: &str = "email";
    /// A text message.
    pub const SMS: &str = "sms";
    /// A message of the operator's official account.
    pub const WECHAT: &str = "wechat";
    /// A signed POST to the webhook that the user's record names.
    pub const WEBHOOK: &str = "webhook";

    /// Proof for somebody outside that readings come; nobody in particular.
    pub const HEARTBEAT: &str = "heartbeat";

    /// What the channels that are endpoints of their own begin with.
    const ENDPOINT: &str = "webhook/";

    /// The channel that an endpoint is.
    pub fn endpoint(id: &str) -> String {
        format!("{ENDPOINT}{id}")
    }

    /// The id of the endpoint that a channel is; none when it is none.
    pub fn endpoint_of(channel: &str) -> Option<&str> {
        channel.strip_prefix(ENDPOINT)
    }

    /// Whether a channel of this name may be somebody's: an endpoint that is theirs no more was one.
    pub fn is_of_people(channel: &str) -> bool {
        let is_id = |id: &str| ulid::Ulid::from_string(id).is_ok();
        matches!(channel, EMAIL | SMS | WECHAT | WEBHOOK) || endpoint_of(channel).is_some_and(is_id)
    }

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

/// What one person is told on one channel about an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// A ULID, derived from incident, sequence, user and channel.
    pub id: String,
    /// Who is told: a user's name, or [`EVERYBODY`].
    pub user: String,
    /// On which [`channel`].
    pub channel: String,
    /// About what.
    pub source: Source,
    /// About which transition: the last of [`Self::transitions`], or of what it repeats.
    pub transition: String,
    /// Every transition that it is the first notice of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<String>,
    /// The incident that it tells of: a channel that can puts it in the place of the incident's notice before it.
    #[serde(default)]
    pub incident: String,
    /// Which notice of the incident it is, 1 for the first.
    #[serde(default)]
    pub sequence: u32,
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
    /// How it is delivered.
    #[serde(default)]
    pub way: Way,
    /// What it tells of, from which its words are made anew when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// How a notice is delivered, beside what it says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Way {
    /// The type of the event that it tells of.
    pub event: Option<String>,
    /// Since when it is tried, where that is not since it was decided: it was replayed.
    pub since: Option<Timestamp>,
    /// When it is to be tried again.
    pub next: Option<Timestamp>,
    /// Whether it is tried once alone: a test.
    pub once: bool,
    /// Whether it was passed on to another channel or person, or there was none.
    pub passed_on: bool,
    /// The notice in whose place this one is.
    pub instead_of: Option<String>,
    /// Whom nothing reached, where this person is told in their place, be it by way of others: it is of their incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_place_of: Option<String>,
    /// Who is told when this person takes it on no channel, first ones first; none before that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Vec<String>>,
    /// An earlier notice to the same person on the same channel, whose message this one changes where the channel can.
    pub follows: Option<String>,
    /// The notice of the incident that the same person was told before this one on the same channel, if they were told any there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Whether it tells what an earlier one was to tell that was not taken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tells_earlier: bool,
    /// Since when the earliest of what it tells waits, where that was not passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
    /// The later notice that tells what this one was to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<String>,
    /// What the other side calls the message.
    pub message: Option<String>,
}

impl Notice {
    fn kept_until(&self) -> Timestamp {
        self.at.plus(if self.channel == channel::HEARTBEAT { HEARTBEAT_RETENTION } else { RETENTION })
    }

    /// Since when it is tried.
    pub fn tried_since(&self) -> Timestamp {
        self.way.since.unwrap_or(self.at)
    }

    /// Whether it tells of a transition, or repeats what does.
    pub fn tells_of(&self, transition: &str) -> bool {
        self.transition == transition || self.transitions.iter().any(|told| told == transition)
    }

    /// The attempts since then.
    pub fn tries(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.at >= self.tried_since()).count()
    }
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
    record::put_new(key(&notice.user, &notice.id), notice, Some(notice.kept_until()))
}

/// The write that stores what became of a notice.
pub fn update(notice: &Versioned<Notice>) -> Result<Write, TableError> {
    let Notice { user, id, .. } = &notice.value;
    notice.put_back(key(user, id), Some(notice.value.kept_until()))
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

/// A page of a user's notices, oldest first, of those that were decided at `since` or later.
pub async fn list_since(
    table: &dyn Table,
    user: &str,
    since: Timestamp,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Notice>, TableError> {
    let range = Range { from: least_id_of(since), ..Range::all(format!("notice#{user}"), limit) };
    record::page(table, &range.after(after)).await
}

/// How long it is known that something waits on a way beyond when it is tried next, and says so again.
const WAITS: Duration = Duration::from_mins(15);

/// The write that says that a notice to a user on a channel was tried in vain, and waits until it is tried again.
pub fn put_waits(user: &str, channel: &str, until: Timestamp) -> Result<Write, TableError> {
    record::put_until(Key::new(format!("notices-wait#{user}"), channel), &until, until.plus(WAITS))
}

/// Whether notices to a user on a channel may wait that were tried in vain.
pub async fn may_wait(table: &dyn Table, user: &str, channel: &str) -> Result<bool, TableError> {
    let found = record::get::<Timestamp>(table, &Key::new(format!("notices-wait#{user}"), channel)).await?;
    Ok(found.is_some())
}

fn key(user: &str, id: &str) -> Key {
    Key::new(format!("notice#{user}"), id)
}
