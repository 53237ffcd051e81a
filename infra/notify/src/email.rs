//! E-mail through the operator's SMTP server.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use tokio::time::timeout;

use domain::Timestamp;
use jobs::ports::{Delivery, Letter, Receipt};

use crate::post::Channel;
use crate::settings::NotifySettingsError;

pub(crate) mod message;

pub use message::is_mail_address;

/// Connection, dialogue and the server's last word together.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The server that takes our mail: the `notify.smtp` table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// `smtps://user:password@host:port` for TLS from the start, `smtp://…?tls=required` for STARTTLS,
    /// plain `smtp://…` for a server on the same machine. User and password are percent-encoded and may be left out.
    pub url: SmtpUrl,
    /// The sender, such as `Telltale <alarms@example.com>`. Its domain is in every Message-ID.
    pub from: String,
}

/// An SMTP server's URL. It holds a password and is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SmtpUrl(String);

/// Written where it is set, and nowhere else.
impl Serialize for SmtpUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(a secret)")
    }
}

impl From<String> for SmtpUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl(…)")
    }
}

pub(crate) struct EmailChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl EmailChannel {
    pub(crate) fn new(settings: &SmtpSettings) -> Result<Self, NotifySettingsError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url.0)
            .map_err(|_| NotifySettingsError::SmtpUrl)?
            .timeout(Some(TIME_LIMIT))
            .build();
        let from = settings.from.parse().map_err(|_| NotifySettingsError::From(settings.from.clone()))?;
        Ok(Self { transport, from })
    }
}

#[async_trait]
impl Channel for EmailChannel {
    async fn send(&self, letter: &Letter, to: &str, now: Timestamp) -> Delivery {
        let message = match message::write(letter, to, &self.from, now) {
            Ok(message) => message,
            Err(why) => {
                return Delivery::Refused { why: why.to_string() };
            }
        };
        match timeout(TIME_LIMIT, self.transport.send(message)).await {
            Ok(Ok(response)) => Delivery::Sent(receipt(&response)),
            Ok(Err(error)) => of_error(&error),
            Err(_) => Delivery::TryLater { after: None, why: "the SMTP server took longer than 10 s".to_owned() },
        }
    }
}

/// The server's last word, which names its queue's id for the mail.
fn receipt(response: &Response) -> Receipt {
    Receipt(format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}

/// 5xx is final, and so is what our side of the dialogue cannot do; everything else may pass.
fn of_error(error: &smtp::Error) -> Delivery {
    let why = format!("the SMTP server did not take the mail: {error}");
    if (error.is_permanent() && !is_our_credentials(error)) || error.is_client() {
        Delivery::Refused { why }
    } else {
        Delivery::TryLater { after: None, why }
    }
}

/// 530, 534 and 535 (RFC 4954) are about how we sign in, not about the letter: once the operator mends that, it goes.
fn is_our_credentials(error: &smtp::Error) -> bool {
    error.status().is_some_and(|code| ["530", "534", "535"].contains(&code.to_string().as_str()))
}

#[cfg(test)]
mod tests;
