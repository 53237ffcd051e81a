//! A webhook as the API takes and shows it.

use engine_http::{Problem, axum::http::Uri};
use jobs::EVENTS;
use records::{
    channels::{self, Endpoint},
    notices::channel,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::moment::Moment;

const MOST_NAME_CHARS: usize = 100;
const MOST_URL_BYTES: usize = 2000;
const MOST_SECRET_BYTES: usize = 200;

/// What a webhook's receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookKind)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The Standard Webhooks scheme.
    #[default]
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

/// A webhook as you want it.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookForm)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// What you call it.
    pub(super) name: String,
    /// What its receiver understands. It stays what it was made as.
    #[serde(default)]
    pub(super) kind: Kind,
    /// Where to POST: `http://` or `https://`. Of a Telegram bot `https://api.telegram.org/bot` and its token.
    pub(super) url: String,
    /// What DingTalk or Feishu gave you to sign with. A webhook's secret is made for you.
    #[serde(default)]
    pub(super) secret: Option<String>,
    /// The id of the chat, for Telegram.
    #[serde(default)]
    pub(super) chat: Option<String>,
    /// The event types that are sent there: `alarm.raised`, `alarm.cleared`, `alarm.changed`, `channel.disabled`. All of them
    /// when empty.
    #[serde(default)]
    pub(super) events: Vec<String>,
}

/// A webhook of yours.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhook {
    /// Its id.
    id: String,
    /// The channel that it is, in notices and in your order.
    channel: String,
    /// What you call it.
    name: String,
    /// What its receiver understands.
    kind: Kind,
    /// Where it is; of a chat the host alone, since whoever knows the rest may write there.
    url: String,
    /// The id of the chat, for Telegram.
    chat: Option<String>,
    /// The event types that are sent there; all of them when empty.
    events: Vec<String>,
    /// When it was made.
    made_at: Moment,
    /// Until when what is sent is signed with the secret before as well.
    overlaps_until: Option<Moment>,
    /// Since when it took nothing; none when it is well.
    failing_since: Option<Moment>,
    /// That nothing is sent there any more.
    disabled: Option<Disabled>,
    /// What to check signatures with. It is told when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// That nothing is sent to a webhook any more.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDisabled)]
struct Disabled {
    /// Since when.
    at: Moment,
    /// Why.
    why: String,
}

impl Webhook {
    /// The same with the secret that was just made.
    pub(super) fn told(self, secret: String) -> Self {
        Self { secret: Some(secret), ..self }
    }
}

impl From<Endpoint> for Webhook {
    fn from(endpoint: Endpoint) -> Self {
        let kind = Kind::from(endpoint.kind);
        Self {
            channel: channel::endpoint(&endpoint.id),
            id: endpoint.id,
            name: endpoint.name,
            kind,
            url: if kind == Kind::Webhook { endpoint.url } else { host_alone(&endpoint.url) },
            chat: endpoint.chat,
            events: endpoint.events,
            made_at: Moment(endpoint.made_at),
            overlaps_until: endpoint.retired.map(|retired| Moment(retired.until)),
            failing_since: endpoint.failing.map(|failing| Moment(failing.since)),
            disabled: endpoint.disabled.map(|disabled| Disabled { at: Moment(disabled.at), why: disabled.why }),
            secret: None,
        }
    }
}

fn host_alone(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let parts = uri.as_ref().and_then(|uri| uri.scheme_str().zip(uri.host()));
    parts.map_or_else(String::new, |(scheme, host)| format!("{scheme}://{host}{LEFT_OUT}"))
}

/// What stands in a chat's address for the rest of it.
const LEFT_OUT: &str = "/…";

impl Form {
    /// The form of a change: who sends back what was shown of a chat's address means the address that it has.
    pub(super) fn of_change(self, endpoint: &Endpoint) -> Self {
        let is_as_shown = self.kind != Kind::Webhook && self.url == host_alone(&endpoint.url);
        Self { url: if is_as_shown { endpoint.url.clone() } else { self.url }, ..self }
    }
}

/// That a form makes sense.
pub(super) fn check(form: &Form) -> Result<(), Problem> {
    let mut faults = Vec::new();
    if form.name.trim().is_empty() || form.name.chars().count() > MOST_NAME_CHARS {
        faults.push(format!("name: give one of 1 to {MOST_NAME_CHARS} characters"));
    }
    if !is_http(&form.url) || form.url.len() > MOST_URL_BYTES || form.url.ends_with(LEFT_OUT) {
        faults.push("url: it begins with http:// or https:// and names a host".to_owned());
    }
    faults.extend(
        form.events
            .iter()
            .filter(|event| !EVENTS.contains(&event.as_str()))
            .map(|event| format!("events: there is no {event}, but {}", EVENTS.join(", "))),
    );
    if form.secret.is_some() && !takes_secret(form.kind) {
        faults.push("secret: one is made for a webhook, and Slack and Telegram have none".to_owned());
    }
    if form.secret.as_ref().is_some_and(|secret| secret.is_empty() || secret.len() > MOST_SECRET_BYTES) {
        faults.push(format!("secret: it has 1 to {MOST_SECRET_BYTES} bytes"));
    }
    if (form.kind == Kind::Telegram) != form.chat.as_ref().is_some_and(|chat| !chat.trim().is_empty()) {
        faults.push("chat: Telegram needs the id of a chat, and nothing else has one".to_owned());
    }
    if form.kind == Kind::Telegram && !form.url.contains("/bot") {
        faults.push("url: of a Telegram bot it is https://api.telegram.org/bot and its token".to_owned());
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::faults("bad-webhook", "Nothing was stored: the webhook is wrong, errors says where.", faults))
}

fn takes_secret(kind: Kind) -> bool {
    matches!(kind, Kind::DingTalk | Kind::Feishu)
}

fn is_http(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}

impl From<channels::Kind> for Kind {
    fn from(kind: channels::Kind) -> Self {
        match kind {
            channels::Kind::Webhook => Self::Webhook,
            channels::Kind::DingTalk => Self::DingTalk,
            channels::Kind::Feishu => Self::Feishu,
            channels::Kind::Slack => Self::Slack,
            channels::Kind::Telegram => Self::Telegram,
        }
    }
}

impl From<Kind> for channels::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Webhook => Self::Webhook,
            Kind::DingTalk => Self::DingTalk,
            Kind::Feishu => Self::Feishu,
            Kind::Slack => Self::Slack,
            Kind::Telegram => Self::Telegram,
        }
    }
}
