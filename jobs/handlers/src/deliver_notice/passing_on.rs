//! Where a notice goes that a channel does not take: to the person's next channel, and behind the last to the next person.

mod next_person;

use std::time::Duration;

use domain::{
    Source, Timestamp,
    alarm::Change,
    identity::{derived_id, time_of},
};
use records::{
    Table,
    channels::Channels,
    facts::{Facts, Instead, Kind},
    notices::{self, EVERYBODY, Notice, NoticeStatus, Way},
    users::{self, User},
};

use self::next_person::to_the_next_person;
use super::{DeliverNotice, event, wording::said_to};
use crate::{
    Context, Job, JobError,
    gate::{Asked, Common, Gate},
};

/// How long a channel may take before a notice goes on to the next one.
const PATIENCE: Duration = Duration::from_mins(2);

/// How soon it is asked again who is next.
pub(super) const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// How far back it is looked for what else somebody was told of the same.
pub(super) const LOOKED_THROUGH: usize = 200;

/// When a notice that was not taken goes on.
pub(super) fn due(notice: &Notice) -> Timestamp {
    waits_since(notice).plus(PATIENCE)
}

/// Since when it is tried, or what it tells of.
pub(super) fn waits_since(notice: &Notice) -> Timestamp {
    notice.way.waits_since.unwrap_or_else(|| notice.tried_since())
}

/// Whether a notice went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// It did, or need not, or there is nobody.
    On,
    /// Who is next is not known yet.
    NotYet,
}

/// Tells it on the next channel, or the next person, if there is one. Doing it again tells nobody twice.
pub(super) async fn pass_on(cx: &Context, notice: &Notice) -> Result<Passed, JobError> {
    if notice.way.once || notice.user == EVERYBODY {
        return Ok(Passed::On);
    }
    let table = cx.table.as_ref();
    let told = of_the_same(table, notice).await?;
    if told.iter().any(|told| told.status == NoticeStatus::Sent) {
        return Ok(Passed::On);
    }
    if let Some(user) = users::get(table, &notice.user).await? {
        let channels = Channels::of(table, &user).await?;
        let mut wanting = channels.wanting(event(notice));
        wanting.retain(|channel| !told.iter().any(|told| told.channel == *channel));
        let (common, happened) = (Common::default(), happened(notice));
        let gate = gate_of(cx, &common, &user, &happened).await?;
        let tried: Vec<&str> = told.iter().map(|told| told.channel.as_str()).collect();
        let reachable = channels.without(&tried);
        for channel in wanting {
            let next = instead(cx, notice, &user, channel);
            // What its first channel let through is judged as of then.
            if is_let_through(&gate, &reachable, (&next, notice.at), &happened).await? {
                tell(cx, vec![next]).await?;
                return Ok(Passed::On);
            }
        }
    }
    let now = cx.clock.now();
    let waits = |other: &Notice| other.status == NoticeStatus::Waiting && !other.way.passed_on && now < due(other);
    if told.iter().any(|other| other.id != notice.id && waits(other)) {
        // Of several that are told at once, the last to fail goes on.
        return Ok(Passed::On);
    }
    // Apart: it is large, and seldom.
    Box::pin(to_the_next_person(cx, notice)).await
}

/// What holds for somebody who may be told of what happened.
async fn gate_of<'a>(
    cx: &'a Context,
    common: &'a Common,
    user: &User,
    happened: &[(&Source, &Change)],
) -> Result<Gate<'a>, JobError> {
    Gate::read(cx, common, happened.iter().map(|(source, _)| *source), [user.user.as_str()], false).await
}

/// Whether somebody may be told so in another's place, by the channels that are left: neither where they want nothing of it or
/// are left alone, nor beyond what an address is told a day.
async fn is_let_through(
    gate: &Gate<'_>,
    reachable: &[String],
    (notice, at): (&Notice, Timestamp),
    happened: &[(&Source, &Change)],
) -> Result<bool, JobError> {
    let reachable: Vec<&str> = reachable.iter().map(String::as_str).collect();
    let asked = Asked {
        user: &notice.user,
        reachable: &reachable,
        channel: &notice.channel,
        notice: &notice.id,
        at,
        is_by_name: false,
        has_next: true,
    };
    // What was held back is due: what held it does not hold it again.
    let is_told = if notice.facts.as_ref().is_some_and(was_held) {
        !gate.chosen_by(asked.user).is_off(happened, asked.channel, asked.reachable)
    } else {
        gate.is_told_now(asked, happened)
    };
    Ok(is_told && gate.limit(asked).await?.is_none())
}

/// Whether a notice tells of what was held back until now.
fn was_held(facts: &Facts) -> bool {
    matches!(facts.kind, Kind::HeldBack | Kind::Digest)
}

/// What a notice tells of, and where it happened.
fn happened(notice: &Notice) -> Vec<(&Source, &Change)> {
    let parts = notice.facts.iter().flat_map(|facts| &facts.parts);
    parts.flat_map(|part| part.changes.iter().map(move |change| (&part.source, change))).collect()
}

/// The channel that a notice went on to, if that took it: the person was told, and is not told once more.
pub(super) async fn told_instead(table: &dyn Table, notice: &Notice) -> Result<Option<String>, JobError> {
    // What is replayed was asked for.
    if !notice.way.passed_on || notice.way.since.is_some() {
        return Ok(None);
    }
    let mut told = of_the_same(table, notice).await?.into_iter();
    let instead = |told: &Notice| told.status == NoticeStatus::Sent && told.way.instead_of.as_ref() == Some(&notice.id);
    Ok(told.find(instead).map(|told| told.channel))
}

/// What the person was told of the same, this notice among it: a repeat tells of the same transition, and is another telling.
async fn of_the_same(table: &dyn Table, notice: &Notice) -> Result<Vec<Notice>, JobError> {
    let listed = notices::list(table, &notice.user, LOOKED_THROUGH, None).await?.items;
    let mut told = listed.clone();
    let is_of_one = |told: &Notice| told.incident == notice.incident && told.sequence == notice.sequence;
    let is_same = |told: &Notice| !notice.incident.is_empty() || told.transition == notice.transition;
    told.retain(|told| is_of_one(told) && is_same(told) && told.id != notice.id);
    // What a later notice tells stands as that does.
    for told in &mut told {
        if let Some(last) = told_in(&listed, told) {
            (told.status, told.way.passed_on) = (last.status, last.way.passed_on);
        }
    }
    told.push(notice.clone());
    Ok(told)
}

/// The last of the later notices that tell what this one was to tell, if one does.
fn told_in<'a>(listed: &'a [Notice], notice: &'a Notice) -> Option<&'a Notice> {
    let by = |notice: &Notice| listed.iter().find(|later| Some(&later.id) == notice.way.told_by.as_ref());
    std::iter::successors(by(notice), |later| by(later)).last()
}

fn instead(cx: &Context, notice: &Notice, user: &User, channel: String) -> Notice {
    let is_other = user.user != notice.user;
    let facts = notice.facts.clone().map(|facts| Facts {
        instead: Some(Instead {
            user: is_other.then(|| notice.user.clone()),
            channel: notice.channel.clone(),
            is_late: notice.status != NoticeStatus::Failed,
            said: notice.attempts.last().map(|attempt| attempt.outcome.clone()).unwrap_or_default(),
        }),
        ..facts
    });
    let in_place_of = notice.way.in_place_of.clone().or_else(|| is_other.then(|| notice.user.clone()));
    // By the transition, not by the notice: of several that fail at once, one goes on, be they of several people. The same person is told
    // of one transition again.
    let began = time_of(if is_other { &notice.transition } else { &notice.id }).unwrap_or(notice.at);
    let instead = Notice {
        id: derived_id(began, &["instead", &notice.transition, &user.user, &channel]),
        user: user.user.clone(),
        channel,
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way {
            event: notice.way.event.clone(),
            instead_of: Some(notice.id.clone()),
            others: notice.way.others.clone(),
            in_place_of,
            tells_earlier: notice.way.tells_earlier,
            ..Way::default()
        },
        facts,
        ..notice.clone()
    };
    said_to(cx, Some(user), instead)
}

fn event(notice: &Notice) -> &str {
    notice.way.event.as_deref().unwrap_or(event::CHANGED)
}

/// Stores notices and has them delivered.
pub(super) async fn tell(cx: &Context, notices: Vec<Notice>) -> Result<(), JobError> {
    let mut messages = Vec::new();
    for notice in notices {
        // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
        let _ = cx.table.write(notices::put_new(&notice)?).await?;
        messages.push(DeliverNotice { user: notice.user, notice: notice.id }.message());
    }
    if !messages.is_empty() {
        cx.queue.enqueue(messages).await?;
    }
    Ok(())
}
