//! What can be set about the platform's own alarms.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When it is told that a dependency is away, and to whom beside the administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformSettings {
    /// How long the queue or the store must be away before anybody is told, in milliseconds. 0 tells nobody.
    pub away_after_ms: u64,
    /// Who is told at once, by this process itself: the alarm of the administrators may wait for the very thing that is away.
    pub webhook: Option<PlatformWebhook>,
}

impl Default for PlatformSettings {
    fn default() -> Self {
        Self { away_after_ms: 15_000, webhook: None }
    }
}

impl PlatformSettings {
    /// How long it must be away; none where nobody is told.
    pub(crate) fn away_after(&self) -> Option<Duration> {
        (self.away_after_ms > 0).then(|| Duration::from_millis(self.away_after_ms))
    }
}

/// Where the operator of the platform is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformWebhook {
    /// Where: `https://…`. An internal address must lie in `notify.webhook.allowed_nets`.
    pub url: String,
    /// What is signed with: `whsec_` and the base64 of a key.
    #[serde(skip_serializing)]
    pub secret: String,
}

/// The secret reaches no log.
impl fmt::Debug for PlatformWebhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PlatformWebhook").field("url", &self.url).finish_non_exhaustive()
    }
}
