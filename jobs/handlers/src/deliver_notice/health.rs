//! Whether the operator's channels are alive: one that takes nothing any more is an alarm of the platform.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Need, Source, Timestamp,
    alarm::{Evidence, Fact},
};
use records::{
    Versioned,
    channel_health::{self, Health, Refusing},
    notices::{Notice, channel},
};

use crate::{Context, EvaluateAlarms, Job, JobError, ports::Delivery};

/// A channel is dead when it took nothing for so long, in so many attempts.
const DEAD_AFTER: Duration = Duration::from_mins(5);
const LEAST_FAILURES: u32 = 3;
/// What is refused to one person may be their wrong address; what is refused to several is not.
const LEAST_PEOPLE: usize = 2;

/// Notes what came of an attempt.
pub(super) async fn saw(cx: &Context, notice: &Notice, delivery: &Delivery, at: Timestamp) -> Result<(), JobError> {
    // A webhook is its owner's affair.
    let kind = notice.channel.split('/').next().unwrap_or(&notice.channel);
    if kind == channel::WEBHOOK {
        return Ok(());
    }
    match delivery {
        Delivery::Sent(_) => took(cx, kind, at).await,
        Delivery::TryLater { why, .. } => failed(cx, kind, why, at, |health| away_again(health, at)).await,
        Delivery::Refused { why } => failed(cx, kind, why, at, |health| refused_again(health, &notice.user, at)).await,
    }
}

async fn took(cx: &Context, kind: &str, at: Timestamp) -> Result<(), JobError> {
    let stored = channel_health::get(cx.table.as_ref(), kind).await?;
    if stored.value == Health::default() {
        return Ok(());
    }
    if let Some(told) = stored.value.told {
        let how = format!("{kind} takes letters again after {} min", at.since(told).as_secs() / 60);
        evidence(cx, kind, at, Fact::Back { how }).await?;
    }
    store(cx, kind, Versioned { value: Health::default(), ..stored }).await
}

/// Notes a failure by `again`, which gives since when the channel is dead, if it is.
async fn failed(
    cx: &Context,
    kind: &str,
    why: &str,
    at: Timestamp,
    again: impl FnOnce(&mut Health) -> Option<Timestamp>,
) -> Result<(), JobError> {
    let mut stored = channel_health::get(cx.table.as_ref(), kind).await?;
    if stored.value.told.is_some() {
        return Ok(());
    }
    if let Some(since) = again(&mut stored.value) {
        let why = format!("{kind} takes no letters since {}: {why}", since.rfc3339());
        evidence(cx, kind, at, Fact::Away { why }).await?;
        stored.value.told = Some(at);
    }
    store(cx, kind, stored).await
}

/// One more letter that may be taken later; gives since when the channel is dead, if it is.
fn away_again(health: &mut Health, at: Timestamp) -> Option<Timestamp> {
    let since = *health.failing_since.get_or_insert(at);
    health.failures = health.failures.saturating_add(1);
    is_long(health.failures, since, at).then_some(since)
}

/// One more letter that is refused for good; gives since when the channel is dead, if it is.
fn refused_again(health: &mut Health, user: &str, at: Timestamp) -> Option<Timestamp> {
    let none = || Refusing { since: at, letters: 0, people: BTreeSet::new() };
    let refusing = health.refusing.get_or_insert_with(none);
    refusing.letters = refusing.letters.saturating_add(1);
    if refusing.people.len() < LEAST_PEOPLE {
        refusing.people.insert(user.to_owned());
    }
    let is_dead = refusing.people.len() >= LEAST_PEOPLE && is_long(refusing.letters, refusing.since, at);
    is_dead.then_some(refusing.since)
}

fn is_long(failures: u32, since: Timestamp, at: Timestamp) -> bool {
    failures >= LEAST_FAILURES && at.since(since) >= DEAD_AFTER
}

/// Refused when another letter showed it meanwhile: the next one shows it again.
async fn store(cx: &Context, kind: &str, health: Versioned<Health>) -> Result<(), JobError> {
    let _ = cx.table.write(channel_health::put(kind, &health)?).await?;
    Ok(())
}

async fn evidence(cx: &Context, kind: &str, at: Timestamp, fact: Fact) -> Result<(), JobError> {
    let source = Source::Platform(Need { part: format!("channel:{kind}"), needs: "server".to_owned() });
    let id = format!("{}/{source}", at.sortable());
    let evidence = vec![Evidence::new(id.clone(), source, at, fact)];
    cx.queue.enqueue(vec![EvaluateAlarms::new(id, evidence).message()]).await?;
    Ok(())
}
