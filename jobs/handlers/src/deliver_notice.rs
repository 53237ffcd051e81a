//! `deliver_notice`: one letter, one receipt, one line in the ledger.
//!
//! A letter carries the notice's id, so a receiver can tell a letter that is sent again after a crash (`webhook-id`,
//! `Message-ID`). The ledger's claim keeps two workers from sending at once. What a channel does not take goes on to the
//! person's next one, and from there to the next person.

mod address;
mod dress;
mod endpoints;
mod event;
mod facts;
mod health;
mod joining;
mod pace;
mod passing_on;
mod picture;
mod sight;
mod wording;

use domain::{Timestamp, time::is_ahead};
use records::{
    Versioned,
    channels::Endpoint,
    ledger::{self, Claim},
    notices::{self, Attempt, Notice, NoticeStatus},
    users::User,
};
use serde::{Deserialize, Serialize};

pub use self::event::{EVENTS, TEST_EVENT};
pub(crate) use self::event::{RAISED, event_of_held, event_of_telling};
use self::{pace::Pace, passing_on::Passed};
use crate::{
    Context, Job, JobError,
    ports::{Address, Delivery, Forms, Letter},
};

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
    const MAX_ATTEMPTS: u32 = 400;

    fn key(&self) -> String {
        self.notice.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let table = cx.table.as_ref();
        let now = cx.clock.now();
        let claimed = match ledger::claim(table, &Self::claim(&self.notice), now, Self::LEASE).await? {
            Claim::Ours(claimed) => claimed,
            Claim::Done => return Ok(()),
            Claim::Busy(until) => return Err(JobError::retry_after("another worker delivers it", until.since(now))),
        };
        // Read behind the claim: whoever held it before may have written an attempt down.
        let work = match self.read(cx).await {
            Ok(Some(work)) => work,
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
        match work.go_on(cx).await? {
            None => {
                claimed.done(table, cx.clock.now()).await?;
                Ok(())
            }
            Some(again) => {
                claimed.give_back(table).await?;
                Err(again)
            }
        }
    }
}

impl DeliverNotice {
    /// What the ledger calls the delivery of a notice.
    pub fn claim(notice: &str) -> String {
        format!("{}/{notice}", Self::NAME)
    }

    /// The notice and where it goes; none when it is settled.
    async fn read(&self, cx: &Context) -> Result<Option<Work>, JobError> {
        let table = cx.table.as_ref();
        let Some(mut notice) = notices::get(table, &self.user, &self.notice).await? else {
            return Err(JobError::fail("the notice is not stored"));
        };
        if is_settled(&notice.value) {
            return Ok(None);
        }
        let now = cx.clock.now();
        if notice.value.status == NoticeStatus::Failed || !is_due(&notice.value, now) {
            return Ok(Some(Work { notice, endpoint: None, letter: None }));
        }
        if let Some(other) = passing_on::told_instead(table, &notice.value).await? {
            let letter = Some(Err(format!("not tried any more: told by {other} instead")));
            return Ok(Some(Work { notice, endpoint: None, letter }));
        }
        if !sight::keeps_what_is_seen(cx, &mut notice.value).await? {
            notice.value.way.passed_on = true;
            let letter = Some(Err(format!("not tried any more: {} may not see it by now", notice.value.user)));
            return Ok(Some(Work { notice, endpoint: None, letter }));
        }
        let found = address::of(cx, &notice.value, now).await?;
        if found.address.as_ref().is_ok_and(joining::may_join) {
            joining::join_earlier(cx, &mut notice, found.user.as_ref()).await?;
        }
        let letter = match found.address {
            Ok(address) => Ok(letter(cx, &notice.value, address, found.user.as_ref()).await?),
            Err(why) => Err(why),
        };
        Ok(Some(Work { notice, endpoint: found.endpoint, letter: Some(letter) }))
    }
}

/// Whether nothing is left to do: it was taken, or what was not went on to another.
fn is_settled(notice: &Notice) -> bool {
    match notice.status {
        NoticeStatus::Sent => true,
        NoticeStatus::Waiting => false,
        NoticeStatus::Failed => notice.way.passed_on,
    }
}

fn is_due(notice: &Notice, now: Timestamp) -> bool {
    // What lies ahead of an attempt in the future was reckoned by a clock that was set back since.
    let by_another_clock = notice.attempts.last().is_some_and(|last| is_ahead(last.at, now));
    notice.way.next.is_none_or(|next| now >= next) || by_another_clock
}

/// A notice that waits.
struct Work {
    notice: Versioned<Notice>,
    /// The endpoint it goes to, if that is a record of its own.
    endpoint: Option<Versioned<Endpoint>>,
    /// What is sent, or why nothing can be; none when it is not time yet.
    letter: Option<Result<Letter, String>>,
}

impl Work {
    /// Sends it where it is time, and passes it on where it is late; gives when there is more to do.
    async fn go_on(mut self, cx: &Context) -> Result<Option<JobError>, JobError> {
        let Some(letter) = self.letter.take() else {
            self.pass_on_when_due(cx).await?;
            return Ok(self.again(cx));
        };
        let was_sent = letter.is_ok();
        let delivery = match letter {
            Ok(letter) => cx.notifier.send(&letter).await,
            Err(why) => Delivery::Refused { why },
        };
        let at = cx.clock.now();
        self.note(&delivery, at, cx.dice.roll());
        // Before it is asked who is next: of several that are refused at once, the last to be stored sees that the others were.
        self.store(cx).await?;
        self.pass_on_when_due(cx).await?;
        let again = self.again(cx);
        if was_sent {
            self.look_at_the_way(cx, &delivery, at).await;
        }
        Ok(again)
    }

    /// Puts down what an attempt means for the notice.
    fn note(&mut self, delivery: &Delivery, at: Timestamp, roll: u64) {
        let notice = &mut self.notice.value;
        let (status, outcome) = match delivery {
            Delivery::Sent(receipt) => {
                notice.way.message = receipt.message().map(str::to_owned);
                (NoticeStatus::Sent, receipt.0.clone())
            }
            Delivery::Refused { why } => (NoticeStatus::Failed, why.clone()),
            Delivery::TryLater { why, .. } if notice.way.once => (NoticeStatus::Failed, why.clone()),
            Delivery::TryLater { after, why } => match Pace::of(notice).next(notice, *after, at, roll) {
                Some(next) => {
                    notice.way.next = Some(next);
                    (NoticeStatus::Waiting, why.clone())
                }
                None => (NoticeStatus::Failed, format!("given up: {why}")),
            },
        };
        notice.status = status;
        notice.attempts.push(Attempt { at, outcome });
    }

    /// Only the holder of the claim writes a notice, so this is refused only to one whose claim ran out.
    async fn store(&mut self, cx: &Context) -> Result<(), JobError> {
        if cx.table.write(notices::update(&self.notice)?).await?.applied() {
            self.notice.version += 1;
        }
        let notice = &self.notice.value;
        if notice.status == NoticeStatus::Waiting && !notice.channel.starts_with(notices::channel::WEBHOOK) {
            let until = notice.way.next.unwrap_or_default().max(cx.clock.now());
            let _ = cx.table.write(notices::put_waits(&notice.user, &notice.channel, until)?).await?;
        }
        Ok(())
    }

    async fn pass_on_when_due(&mut self, cx: &Context) -> Result<(), JobError> {
        let notice = &self.notice.value;
        let is_due = match notice.status {
            NoticeStatus::Sent => false,
            NoticeStatus::Waiting => cx.clock.now() >= passing_on::due(notice),
            NoticeStatus::Failed => true,
        };
        if is_due && !notice.way.passed_on && passing_on::pass_on(cx, notice).await? == Passed::On {
            self.notice.value.way.passed_on = true;
            self.store(cx).await?;
        }
        Ok(())
    }

    /// When the notice is to be looked at again: to be tried, or to be passed on; none when it is settled.
    fn again(&self, cx: &Context) -> Option<JobError> {
        let (notice, now) = (&self.notice.value, cx.clock.now());
        let next = notice.way.next.unwrap_or(now);
        let due = match notice.status {
            _ if is_settled(notice) => return None,
            NoticeStatus::Failed => now.plus(passing_on::ASKED_AGAIN).min(passing_on::due(notice)),
            _ if notice.way.passed_on => next,
            _ => next.min(passing_on::due(notice)),
        };
        let why = notice.attempts.last().map_or_else(String::new, |attempt| attempt.outcome.clone());
        Some(JobError::retry_after(why, due.since(now)))
    }

    /// What the attempt shows of the channel itself. The notice is stored by now: what fails here is seen at the next letter.
    async fn look_at_the_way(self, cx: &Context, delivery: &Delivery, at: Timestamp) {
        let notice = &self.notice.value;
        let looked = match self.endpoint {
            Some(endpoint) => endpoints::saw(cx, endpoint, notice, delivery, at).await,
            None => health::saw(cx, notice, delivery, at).await,
        };
        if let Err(error) = looked {
            tracing::warn!(%error, notice.id, notice.channel, "what an attempt shows of its channel is not stored");
        }
    }
}

async fn letter(cx: &Context, notice: &Notice, address: Address, user: Option<&User>) -> Result<Letter, JobError> {
    let mut data = serde_json::json!({
        "type": notice.way.event.as_deref().unwrap_or(event::CHANGED),
        "notice": notice.id,
        "transition": notice.transition,
        "transitions": notice.transitions,
        "incident": notice.incident,
        "sequence": notice.sequence,
        "alarms": notice.facts.as_ref().map(records::facts::Facts::alarms).unwrap_or_default(),
        "source": notice.source.to_string(),
        "subject": notice.subject,
        "text": notice.text,
    });
    let rules = notice.facts.as_ref().map(|facts| &facts.rules).filter(|rules| !rules.is_empty());
    if let Some(rules) = rules {
        data["rules"] = serde_json::json!(rules);
    }
    if facts::are_for(&address)
        && let Some(facts) = facts::of(cx, notice).await?
    {
        data["alarm"] = facts;
    }
    let (subject, text) = (notice.subject.clone(), notice.text.clone());
    let letter = Letter { id: notice.id.clone(), address, subject, text, data, forms: Forms::default() };
    Ok(dress::dressed(cx, notice, user, letter).await)
}
