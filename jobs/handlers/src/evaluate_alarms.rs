//! `evaluate_alarms`: evidence steps the alarm machine; what changed is stored and handed on.

mod look;
mod newer;
mod watched;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Source, Timestamp,
    alarm::{Evidence, Fact, SourceState, step},
};
use futures::{FutureExt, StreamExt, stream};
use records::{
    Outcome, Prefetched, Versioned,
    alarms::{self, Grounds, Watch},
};
use serde::{Deserialize, Serialize};

use self::newer::{Since, since, with_what_is_newer};
use crate::{
    Context, FanOut, Job, JobError, heartbeat,
    ports::{MOST_BODY_BYTES, Message},
};

/// How often a step is tried anew when another worker stepped the same source meanwhile.
const TRIES: usize = 8;

/// How many sources are stepped at a time.
const AT_A_TIME: usize = 32;

/// Steps the machine with each piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateAlarms {
    /// Names the evidence: where it came from.
    pub origin: String,
    /// The evidence; that of one source in the order it happened.
    pub evidence: Vec<Evidence>,
    /// Whether something older changed alarms since this may have been looked at: then it is looked at what came after it, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub looks_on: bool,
}

impl EvaluateAlarms {
    /// The evidence is looked at, where nothing else is to be.
    pub fn new(origin: String, evidence: Vec<Evidence>) -> Self {
        Self { origin, evidence, looks_on: false }
    }

    /// This job in messages that a queue takes: halves of it, and halves of those, where it is too large for one.
    pub(crate) fn messages(self) -> Vec<Message> {
        let message = self.message();
        if message.body.len() <= MOST_BODY_BYTES || self.evidence.len() < 2 {
            return vec![message];
        }
        let Self { origin, mut evidence, looks_on } = self;
        let rest = evidence.split_off(evidence.len() / 2);
        let half = |name: &str, evidence| Self { origin: format!("{origin}{name}"), evidence, looks_on }.messages();
        [half("a", evidence), half("b", rest)].concat()
    }
}

impl Job for EvaluateAlarms {
    const NAME: &'static str = "evaluate_alarms";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    // What follows from what was acknowledged is given up no sooner than that itself.
    const MAX_ATTEMPTS: u32 = 50;

    fn key(&self) -> String {
        self.origin.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let mut by_source: BTreeMap<&Source, Vec<&Evidence>> = BTreeMap::new();
        for evidence in &self.evidence {
            by_source.entry(&evidence.source).or_default().push(evidence);
        }
        let table = Prefetched::of_sources(Arc::clone(&cx.table), by_source.keys().copied()).await?;
        let cx = &Context { table: Arc::new(table), ..cx.clone() };
        // Asked for once, and not by all steps at the same time.
        cx.alert_rules().await?;
        let steps: Vec<_> =
            by_source.into_values().map(|evidence| evaluate_source(cx, evidence, self.looks_on).boxed()).collect();
        // Each is stepped whatever becomes of the others; what failed is told when all are done.
        let ended: Vec<Result<(), JobError>> = stream::iter(steps).buffer_unordered(AT_A_TIME).collect().await;
        JobError::worst(ended)?;
        let told_on: Vec<Message> =
            self.evidence.iter().filter_map(|evidence| heartbeat::told_on(cx, evidence)).collect();
        if !told_on.is_empty() {
            cx.queue.enqueue(told_on).await?;
        }
        Ok(())
    }
}

/// Steps one source with its evidence, in order.
async fn evaluate_source(cx: &Context, evidence: Vec<&Evidence>, looks_on: bool) -> Result<(), JobError> {
    let (mut changed, mut taken_along) = (looks_on, None);
    for (index, one) in evidence.iter().enumerate() {
        let is_in = |(from, to)| from < one.at && one.at <= to;
        if one.is_reading() && taken_along.is_some_and(is_in) {
            continue;
        }
        let rest = &evidence[index + 1..];
        if one.fact == Fact::Tick
            && let Some(held) = look::held(cx, &one.source).await?
        {
            evaluate(cx, (&held, &[])).await?;
        }
        let looked = evaluate(cx, (one, rest)).await?;
        changed |= looked.changed;
        if changed {
            // Of what else is looked at, readings may lie before the newest.
            let from = if one.is_reading() { looked.up_to } else { one.at };
            taken_along = Some((from, look_on(cx, (one, rest), from).await?));
        }
        if one.fact == Fact::Tick
            && let Some(known) = look::known(cx, &one.source).await?
        {
            evaluate(cx, (&known, &[])).await?;
        }
    }
    Ok(())
}

/// Looks at what a source said since: it may have been looked at, and have changed nothing, before what changed was stored. What was said
/// behind a pause comes after all that is on its way, since that may say what was the matter. Up to which instant was looked.
async fn look_on(
    cx: &Context,
    (one, rest): (&Evidence, &[&Evidence]),
    mut up_to: Timestamp,
) -> Result<Timestamp, JobError> {
    loop {
        // There may be more than is given at once.
        let Since { along, behind } = since(cx, &one.source, up_to, rest, cx.clock.now()).await?;
        if along.is_empty() {
            if let Some(first) = behind.first() {
                let origin = format!("{}/since/{}", one.id, first.at.sortable());
                let later = EvaluateAlarms { looks_on: true, ..EvaluateAlarms::new(origin, behind) };
                cx.queue.enqueue(later.messages()).await?;
            }
            return Ok(up_to);
        }
        for newer in along {
            if newer.at > up_to {
                up_to = evaluate(cx, (&newer, rest)).await?.up_to;
            }
        }
    }
}

/// What came of looking at a piece of evidence.
#[derive(Debug, Clone, Copy)]
struct Looked {
    /// Whether it, or an earlier run that died, changed alarms.
    changed: bool,
    /// Of what instant the newest evidence is that was looked at.
    up_to: Timestamp,
}

/// Takes one step, or as many as it needs. Of what the job brings as well, `rest` comes after it.
async fn evaluate(cx: &Context, (evidence, rest): (&Evidence, &[&Evidence])) -> Result<Looked, JobError> {
    let table = cx.table.as_ref();
    let (mut refused, mut changed) = (0, false);
    while refused < TRIES {
        let Some(rules) = watched::rules(cx, &evidence.source).await? else {
            alarms::end(table, &evidence.source, cx.clock.now()).await?;
            return Ok(Looked { changed: false, up_to: evidence.at });
        };
        let mut watch = alarms::watch(table, &evidence.source).await?;
        let before = watch.value.clone();
        let now = cx.clock.now();
        let stepped = step(&before.state, &rules, evidence, now);
        let (mut stepped, newer) = with_what_is_newer(cx, stepped, &rules, (evidence, rest), now).await?;
        stepped.timer = look::earlier(stepped.timer, look::next(cx, &evidence.source).await?);
        let alters_alarms = !stepped.changes.is_empty();
        let is_as_before =
            before.timer == stepped.timer && !worth_storing(&before.state, &stepped.state, &evidence.fact);
        if stepped.is_whole && !alters_alarms && is_as_before {
            hand_on(cx, &evidence.source, watch).await?;
            // An earlier run that died may have changed something by it.
            let seen = newest_seen(&before.state, &evidence.fact).filter(|seen| *seen >= evidence.at);
            return Ok(Looked { changed: changed || seen.is_some(), up_to: seen.unwrap_or(evidence.at) });
        }
        let is_whole = stepped.is_whole;
        let up_to = newest_seen(&stepped.state, &evidence.fact).unwrap_or(evidence.at).max(evidence.at);
        let grounds = Grounds { rules: &rules, evidence, newer: &newer };
        let writes = alarms::put_step(table, grounds, &mut watch, stepped, now).await?;
        if !table.transact(writes).await?.applied() {
            refused += 1;
            continue;
        }
        changed |= alters_alarms;
        watch.version += 1;
        hand_on(cx, &evidence.source, watch).await?;
        if is_whole {
            return Ok(Looked { changed, up_to });
        }
    }
    Err(JobError::retry(format!("{} is stepped by many at once", evidence.source)))
}

/// Of what instant the newest fact of that kind is that was looked at, if that is written down.
fn newest_seen(state: &SourceState, fact: &Fact) -> Option<Timestamp> {
    Some(state.newest.get(&fact.aspect()?)?.at)
}

/// That time went on is not worth a write per reading. Of a link, it is: a coming that is not remembered could be undone
/// by the going before it, which another worker may bring late.
fn worth_storing(before: &SourceState, after: &SourceState, fact: &Fact) -> bool {
    let moved = match fact {
        Fact::LinkLost { .. } | Fact::LinkSeen | Fact::ParentLost { .. } | Fact::Away { .. } | Fact::Back { .. } => {
            after.newest != before.newest
        }
        Fact::Values { .. } | Fact::Known { .. } | Fact::Missed { .. } | Fact::Acted { .. } | Fact::Tick => false,
    };
    moved
        || after.conditions != before.conditions
        || after.memories != before.memories
        || after.unknown != before.unknown
        || after.lives != before.lives
        || after.out_of_service != before.out_of_service
        || after.late != before.late
}

/// Hands on what the outbox holds, then empties it. A crash between the two hands it on again, under the same keys.
async fn hand_on(cx: &Context, source: &Source, mut watch: Versioned<Watch>) -> Result<(), JobError> {
    if watch.value.outbox.is_empty() {
        return Ok(());
    }
    let told = watch.value.outbox.drain(..);
    let messages = told.map(|transition| FanOut::Transition { source: source.clone(), transition }.message()).collect();
    cx.queue.enqueue(messages).await?;
    // Refused when the source was stepped again meanwhile: that step hands the same transitions on once more, which the
    // ledger of `fan_out` makes harmless.
    let timer = watch.value.timer;
    let _: Outcome = cx.table.transact(alarms::put_watch(source, &watch, timer)?).await?;
    Ok(())
}
