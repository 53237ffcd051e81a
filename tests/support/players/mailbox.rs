use std::time::Instant;

use anyhow::Result;
use boot::SystemClock;
use domain::Timestamp;
use records::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{MailForms, Player, of};

/// A mail server that tells what it took: a genuine aiosmtpd.
#[derive(Debug)]
pub struct Mailbox {
    player: Player,
    port: u16,
}

/// A mail it took.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mail {
    /// The mailboxes it is for.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The `Message-ID` header.
    pub message_id: String,
    /// What it says.
    #[serde(flatten)]
    pub forms: MailForms,
    /// When it was taken; UTC milliseconds.
    taken_at: Timestamp,
}

impl Mail {
    /// When it was taken.
    pub fn taken_at(&self) -> Instant {
        let now = Instant::now();
        now.checked_sub(SystemClock.now().since(self.taken_at)).unwrap_or(now)
    }
}

impl Mailbox {
    /// An empty one.
    pub async fn start() -> Result<Self> {
        let player = Player::python("mailbox", &json!({}))?;
        let port = player.port().await?;
        Ok(Self { player, port })
    }

    /// Where it takes mail.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// It answers the next mails with a refusal: 451 for later, 550 for never.
    pub async fn refuse(&mut self, code: u16, times: usize) -> Result<()> {
        self.player.order_done("refuse", json!({ "code": code, "times": times })).await
    }

    /// The mails it took so far whose subject begins so.
    pub fn mails(&self, subject: &str) -> Vec<Mail> {
        self.player.reports("mail").iter().filter_map(|report| mail(report, subject)).collect()
    }

    /// Waits for the first mail whose subject begins so.
    pub async fn until_mail(&self, subject: &str) -> Result<Mail> {
        let wanted = format!("holding a mail {subject:?}");
        self.player.until(&wanted, |reports| of(reports, "mail").find_map(|report| mail(report, subject))).await
    }
}

fn mail(report: &Value, subject: &str) -> Option<Mail> {
    Mail::deserialize(report).ok().filter(|mail| mail.subject.starts_with(subject))
}
