//! Where a notice goes that a channel does not take: to the person's next channel, and behind the last to the next person.

use std::time::Duration;

use domain::{
    Timestamp,
    identity::{derived_id, time_of},
};
use records::{
    Table,
    channels::Channels,
    facts::{Facts, Instead},
    notices::{self, EVERYBODY, Notice, NoticeStatus, Way},
    users::{self, User},
};

use super::{DeliverNotice, event};
use crate::{
    Context, Job, JobError,
    words::{self, Enclosed, Reader},
};

/// How long a channel may take before a notice goes on to the next one.
const PATIENCE: Duration = Duration::from_mins(2);

/// How far back it is looked for what else somebody was told of the same.
const LOOKED_THROUGH: usize = 200;

/// When a notice that was not taken goes on.
pub(super) fn due(notice: &Notice) -> Timestamp {
    notice.tried_since().plus(PATIENCE)
}

/// Tells it on the next channel, or the next person, if there is one. Doing it again tells nobody twice.
pub(super) async fn pass_on(cx: &Context, notice: &Notice) -> Result<(), JobError> {
    if notice.way.once || notice.user == EVERYBODY {
        return Ok(());
    }
    let table = cx.table.as_ref();
    let told = of_the_same(table, notice).await?;
    if told.iter().any(|told| told.status == NoticeStatus::Sent) {
        return Ok(());
    }
    if let Some(user) = users::get(table, &notice.user).await? {
        let mut channels = Channels::of(table, &user).await?.wanting(event(notice)).into_iter();
        if let Some(next) = channels.find(|channel| !told.iter().any(|told| told.channel == *channel)) {
            return tell(cx, vec![instead(cx, notice, &user, next)]).await;
        }
    }
    let now = cx.clock.now();
    let waits = |other: &Notice| other.status == NoticeStatus::Waiting && !other.way.passed_on && now < due(other);
    if told.iter().any(|other| other.id != notice.id && waits(other)) {
        // Of several that are told at once, the last to fail goes on.
        return Ok(());
    }
    to_the_next_person(cx, notice).await
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

async fn to_the_next_person(cx: &Context, notice: &Notice) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    for (index, other) in notice.way.others.iter().enumerate() {
        let Some(user) = users::get(table, other).await? else { continue };
        let channels = Channels::of(table, &user).await?.told_first(event(notice));
        if channels.is_empty() {
            continue;
        }
        let others = notice.way.others.iter().skip(index + 1).cloned().collect::<Vec<_>>();
        let notices = channels.into_iter().map(|channel| {
            let mut instead = instead(cx, notice, &user, channel);
            instead.way.others.clone_from(&others);
            instead
        });
        return tell(cx, notices.collect()).await;
    }
    tracing::error!(user.name = notice.user, notice.id, "nobody could be told: no channel took it");
    Ok(())
}

/// What the person was told of the same, this notice among it.
async fn of_the_same(table: &dyn Table, notice: &Notice) -> Result<Vec<Notice>, JobError> {
    let mut told = notices::list(table, &notice.user, LOOKED_THROUGH, None).await?.items;
    told.retain(|told| told.transition == notice.transition && told.id != notice.id);
    told.push(notice.clone());
    Ok(told)
}

fn instead(cx: &Context, notice: &Notice, user: &User, channel: String) -> Notice {
    let facts = notice.facts.clone().map(|facts| Facts {
        instead: Some(Instead {
            user: (user.user != notice.user).then(|| notice.user.clone()),
            channel: notice.channel.clone(),
            is_late: notice.status != NoticeStatus::Failed,
            said: notice.attempts.last().map(|attempt| attempt.outcome.clone()).unwrap_or_default(),
        }),
        ..facts
    });
    let reader = Reader::new(&user.locale, &cx.settings.words);
    let words = facts.as_ref().map(|facts| words::compose(facts, &reader, &Enclosed::default()));
    let (subject, text) = match words {
        Some(words) => (words.subject, words.text),
        None => (notice.subject.clone(), notice.text.clone()),
    };
    // By the transition, not by the notice: of several that fail at once, one goes on.
    let began = time_of(&notice.id).unwrap_or(notice.at);
    Notice {
        id: derived_id(began, &["instead", &notice.transition, &user.user, &channel]),
        user: user.user.clone(),
        channel,
        subject,
        text,
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way {
            event: notice.way.event.clone(),
            instead_of: Some(notice.id.clone()),
            others: notice.way.others.clone(),
            ..Way::default()
        },
        facts,
        ..notice.clone()
    }
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
