//! Whether the operator's channels are alive: one that takes nothing any more is an alarm of the platform.

use std::time::Duration;

use domain::{
    Need, Source, Timestamp,
    alarm::{Evidence, Fact},
};
use records::{
    Versioned,
    channel_health::{self, Health},
    notices::channel,
};

use crate::{Context, EvaluateAlarms, Job, JobError, ports::Delivery};

/// A channel is dead when it took nothing for so long, in so many attempts.
const DEAD_AFTER: Duration = Duration::from_mins(5);
const LEAST_FAILURES: u32 = 3;

/// Notes what came of an attempt. What is wrong with a letter alone shows nothing of its channel.
pub(super) async fn saw(cx: &Context, name: &str, delivery: &Delivery, at: Timestamp) -> Result<(), JobError> {
    // A webhook is its owner's affair.
    let kind = name.split('/').next().unwrap_or(name);
    if kind == channel::WEBHOOK {
        return Ok(());
    }
    match delivery {
        Delivery::Sent(_) => took(cx, kind, at).await,
        Delivery::TryLater { why, .. } => failed(cx, kind, why, at).await,
        Delivery::Refused { .. } => Ok(()),
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

async fn failed(cx: &Context, kind: &str, why: &str, at: Timestamp) -> Result<(), JobError> {
    let mut stored = channel_health::get(cx.table.as_ref(), kind).await?;
    let health = &mut stored.value;
    if health.told.is_some() {
        return Ok(());
    }
    let since = *health.failing_since.get_or_insert(at);
    health.failures = health.failures.saturating_add(1);
    if health.failures >= LEAST_FAILURES && at.since(since) >= DEAD_AFTER {
        let why = format!("{kind} takes no letters since {}: {why}", since.rfc3339());
        evidence(cx, kind, at, Fact::Away { why }).await?;
        health.told = Some(at);
    }
    store(cx, kind, stored).await
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
    cx.queue.enqueue(vec![EvaluateAlarms { origin: id, evidence }.message()]).await?;
    Ok(())
}
