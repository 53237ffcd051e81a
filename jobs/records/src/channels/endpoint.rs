//! A URL of somebody's that is told: a webhook of their own, or a chat's.

use std::{fmt, time::Duration};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// How many endpoints one person may have.
pub const MOST_OF_A_USER: usize = 20;

/// For how long what is sent is signed with the old secret as well, once there is a new one.
pub const OVERLAP: Duration = Duration::from_hours(24);

/// How long an endpoint must have failed before it is disabled,
const PATIENCE: Duration = Duration::from_hours(5 * 24);
/// and for how long it must have been tried, again and again, at the end of that.
const TRIED_FOR: Duration = Duration::from_hours(24);
/// Failures further apart than this are not one trying.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// What an endpoint understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The Standard Webhooks scheme.
    Webhook,
    /// A DingTalk group's robot.
    DingTalk,
    /// A Feishu group's robot.
    Feishu,
    /// A Slack channel's incoming webhook.
    Slack,
    /// A Telegram bot.
    Telegram,
}

/// A URL that is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// A ULID.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// What people call it.
    pub name: String,
    /// What it understands.
    pub kind: Kind,
    /// Where to POST. Of a chat, whoever knows it may write there.
    pub url: String,
    /// What is signed with: `whsec_` and base64 for a webhook; what DingTalk or Feishu gave, if it wants a signature.
    pub secret: Option<String>,
    /// The secret before that, while it still counts.
    #[serde(default)]
    pub retired: Option<Retired>,
    /// Which chat, for Telegram.
    #[serde(default)]
    pub chat: Option<String>,
    /// The event types that are wanted; all of them when empty.
    #[serde(default)]
    pub events: Vec<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// That nothing is sent there any more.
    #[serde(default)]
    pub disabled: Option<Disabled>,
    /// That it takes nothing at present.
    #[serde(default)]
    pub failing: Option<Failing>,
}

/// A secret that has a successor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// It.
    pub secret: String,
    /// Until when it is signed with.
    pub until: Timestamp,
}

/// That nothing is sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// That an endpoint has taken nothing since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The first failure after it took something last.
    pub since: Timestamp,
    /// The first failure after which there was no longer pause.
    pub tried_since: Timestamp,
    /// The last failure.
    pub last: Timestamp,
}

impl Failing {
    /// After one more failure.
    pub fn again(before: Option<Self>, at: Timestamp) -> Self {
        let Some(before) = before else { return Self { since: at, tried_since: at, last: at } };
        let paused = at.since(before.last) > LONGEST_PAUSE;
        Self { tried_since: if paused { at } else { before.tried_since }, last: at, ..before }
    }

    /// Whether it has failed for so long, and was tried for so long, that nobody need try any more.
    pub fn is_hopeless(&self) -> bool {
        self.last.since(self.since) >= PATIENCE && self.last.since(self.tried_since) >= TRIED_FOR
    }
}

impl Endpoint {
    /// Whether an event is to be told there.
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == event)
    }

    /// The secret before this one, if it is still signed with.
    pub fn retired_at(&self, now: Timestamp) -> Option<&str> {
        self.retired.as_ref().filter(|retired| now < retired.until).map(|retired| retired.secret.as_str())
    }
}

// Neither secret nor URL may reach a log through a debug print.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("id", &self.id).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl fmt::Debug for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retired").field("until", &self.until).finish_non_exhaustive()
    }
}
