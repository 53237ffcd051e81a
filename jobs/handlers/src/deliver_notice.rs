//! `deliver_notice`: one letter, one receipt, one line in the ledger.
//!
//! A letter carries the notice's id, so a receiver can tell a letter that is sent again after a crash (`webhook-id`,
//! `Message-ID`). The ledger's claim keeps two workers from sending at once.

mod dress;
mod picture;

use std::time::Duration;

use domain::Timestamp;
use records::{
    Table, Versioned,
    ledger::{self, Claim},
    notices::{self, Attempt, Notice, NoticeStatus, channel},
    users::{self, User},
};
use serde::{Deserialize, Serialize};

use crate::{
    Context, Job, JobError,
    ports::{Address, Delivery, Forms, Letter},
};

/// For how long a letter is tried before it is given up.
const PATIENCE: Duration = Duration::from_hours(10);

/// Delivers one notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverNotice {
    /// Who is told.
    pub user: String,
    /// The notice.
    pub notice: String,
}

impl Job for DeliverNotice {
    const NAME: &'static str = "deliver_notice";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    const MAX_ATTEMPTS: u32 = 200;

    fn key(&self) -> String {
        self.notice.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let table = cx.table.as_ref();
        let now = cx.clock.now();
        let claimed = match ledger::claim(table, &format!("deliver_notice/{}", self.notice), now, Self::LEASE).await? {
            Claim::Ours(claimed) => claimed,
            Claim::Done => return Ok(()),
            Claim::Busy(until) => return Err(JobError::retry_after("another worker delivers it", until.since(now))),
        };
        // Read behind the claim: whoever held it before may have written an attempt down.
        let (notice, letter) = match self.read(cx).await {
            Ok(Some(read)) => read,
            Ok(None) => {
                claimed.done(table, now).await?;
                return Ok(());
            }
            Err(error) => {
                // Nothing was told. If this fails too, the lease runs out.
                let _ = claimed.give_back(table).await;
                return Err(error);
            }
        };
        let delivery = match letter {
            Some(letter) => cx.notifier.send(&letter).await,
            None => Delivery::Refused { why: format!("{} has no {} address", self.user, notice.value.channel) },
        };
        let now = cx.clock.now();
        match outcome(&notice.value, delivery, now) {
            Told::For(notice_status, said) => {
                write_down(table, notice, notice_status, said, now).await?;
                claimed.done(table, now).await?;
                Ok(())
            }
            Told::NotYet(after, said) => {
                write_down(table, notice, NoticeStatus::Waiting, said.clone(), now).await?;
                claimed.give_back(table).await?;
                Err(JobError::Retry { why: said, after })
            }
        }
    }
}

impl DeliverNotice {
    /// The notice and its letter, which there is where the user has such an address; none when the notice is settled.
    async fn read(&self, cx: &Context) -> Result<Option<(Versioned<Notice>, Option<Letter>)>, JobError> {
        let Some(notice) = notices::get(cx.table.as_ref(), &self.user, &self.notice).await? else {
            return Err(JobError::fail("the notice is not stored"));
        };
        if notice.value.status != NoticeStatus::Waiting {
            return Ok(None);
        }
        let letter = letter(cx, &notice.value).await?;
        Ok(Some((notice, letter)))
    }
}

/// What an attempt means for the notice.
enum Told {
    /// It is settled, for good.
    For(NoticeStatus, String),
    /// It is to be tried again.
    NotYet(Option<Duration>, String),
}

fn outcome(notice: &Notice, delivery: Delivery, now: Timestamp) -> Told {
    match delivery {
        Delivery::Sent(receipt) => Told::For(NoticeStatus::Sent, receipt.0),
        Delivery::Refused { why } => Told::For(NoticeStatus::Failed, why),
        Delivery::TryLater { why, .. } if now.since(notice.at) > PATIENCE => {
            Told::For(NoticeStatus::Failed, format!("given up: {why}"))
        }
        Delivery::TryLater { after, why } => Told::NotYet(after, why),
    }
}

async fn letter(cx: &Context, notice: &Notice) -> Result<Option<Letter>, JobError> {
    let (user, address) = if let Some(severity) = channel::severity_of(&notice.channel) {
        (None, Some(Address::Topic { severity }))
    } else {
        let user = users::get(cx.table.as_ref(), &notice.user).await?;
        let address = user.as_ref().and_then(|user| address(user, &notice.channel));
        (user, address)
    };
    let Some(address) = address else { return Ok(None) };
    let data = serde_json::json!({
        "type": "alarm.changed",
        "notice": notice.id,
        "transition": notice.transition,
        "source": notice.source.to_string(),
        "subject": notice.subject,
        "text": notice.text,
    });
    let (subject, text) = (notice.subject.clone(), notice.text.clone());
    let letter = Letter { id: notice.id.clone(), address, subject, text, data, forms: Forms::default() };
    Ok(Some(dress::dressed(cx, notice, user.as_ref(), letter).await))
}

fn address(user: &User, name: &str) -> Option<Address> {
    match name {
        channel::EMAIL => user.mail.clone().map(|to| Address::Email { to }),
        channel::SMS => user.phone.clone().map(|to| Address::Sms { to }),
        channel::WEBHOOK => user.webhook.clone().map(|hook| Address::Webhook { url: hook.url, secret: hook.secret }),
        _ => None,
    }
}

async fn write_down(
    table: &dyn Table,
    mut notice: Versioned<Notice>,
    status: NoticeStatus,
    outcome: String,
    at: Timestamp,
) -> Result<(), JobError> {
    notice.value.status = status;
    notice.value.attempts.push(Attempt { at, outcome });
    // Only the holder of the claim writes a notice, so this is refused only to one whose claim ran out.
    let _ = table.write(notices::update(&notice)?).await?;
    Ok(())
}
