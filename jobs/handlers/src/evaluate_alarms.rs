//! `evaluate_alarms`: evidence steps the alarm machine; what changed is stored and handed on.

mod newer;
mod watched;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind, Evidence, Fact, SourceState, step},
    identity::derived_id,
};
use futures::{StreamExt, stream};
use records::{
    Outcome, Prefetched, Table, TableError, Versioned, Write,
    alarms::{self, Alarm, SeverityChange, Transition, Watch},
};
use serde::{Deserialize, Serialize};

use self::newer::{newest_since, with_what_is_newer};
use crate::{
    Context, FanOut, Job, JobError,
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
}

impl EvaluateAlarms {
    /// This job in messages that a queue takes: halves of it, and halves of those, where it is too large for one.
    pub(crate) fn messages(self) -> Vec<Message> {
        let message = self.message();
        if message.body.len() <= MOST_BODY_BYTES || self.evidence.len() < 2 {
            return vec![message];
        }
        let Self { origin, mut evidence } = self;
        let rest = evidence.split_off(evidence.len() / 2);
        let half = |name: &str, evidence| Self { origin: format!("{origin}{name}"), evidence }.messages();
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
        if by_source.keys().any(|source| matches!(source, Source::Device(_))) {
            // Asked for once, and not by all steps at the same time.
            cx.alert_rules().await?;
        }
        let steps: Vec<_> = by_source.into_values().map(|evidence| evaluate_source(cx, evidence)).collect();
        // Each is stepped whatever becomes of the others; what failed is told when all are done.
        let ended: Vec<Result<(), JobError>> = stream::iter(steps).buffer_unordered(AT_A_TIME).collect().await;
        JobError::worst(ended)
    }
}

/// Steps one source with its evidence, in order.
async fn evaluate_source(cx: &Context, evidence: Vec<&Evidence>) -> Result<(), JobError> {
    for evidence in evidence {
        let mut changed = evaluate(cx, evidence).await?;
        let mut looked_at = evidence.at;
        // A newer reading may have been looked at, and have changed nothing, before this was stored.
        while changed && let Some(newer) = newest_since(cx, &evidence.source, looked_at, cx.clock.now()).await? {
            changed = evaluate(cx, &newer).await?;
            looked_at = newer.at;
        }
    }
    Ok(())
}

/// Takes one step, or as many as it needs; whether that, or an earlier run that died, changed alarms.
async fn evaluate(cx: &Context, evidence: &Evidence) -> Result<bool, JobError> {
    let table = cx.table.as_ref();
    let (mut refused, mut changed) = (0, false);
    while refused < TRIES {
        let Some(rules) = watched::rules(cx, &evidence.source).await? else {
            alarms::end(table, &evidence.source, cx.clock.now()).await?;
            return Ok(false);
        };
        let mut watch = alarms::watch(table, &evidence.source).await?;
        let before = watch.value.clone();
        let now = cx.clock.now();
        let stepped = step(&before.state, &rules, evidence, now);
        let stepped = with_what_is_newer(cx, stepped, &rules, evidence, now).await?;
        let alters_alarms = !stepped.changes.is_empty();
        if stepped.is_whole && !alters_alarms && !worth_storing(&before.state, &stepped.state, &evidence.fact) {
            hand_on(cx, &evidence.source, watch).await?;
            return Ok(changed || was_last(&before.state, evidence));
        }
        watch.value.state = stepped.state;
        watch.value.timer = stepped.timer;
        let mut writes = Vec::new();
        if alters_alarms {
            let transition = transition(evidence, watch.version, now, stepped.changes);
            writes.push(alarms::put_transition(&transition)?);
            writes.extend(changed_alarms(table, &transition).await?);
            if transition.changes.iter().any(|change| !change.shadow) {
                watch.value.outbox.push(transition.id);
            }
        }
        writes.extend(alarms::put_watch(&evidence.source, &watch, before.timer)?);
        if !table.transact(writes).await?.applied() {
            refused += 1;
            continue;
        }
        changed |= alters_alarms;
        watch.version += 1;
        hand_on(cx, &evidence.source, watch).await?;
        if stepped.is_whole {
            return Ok(changed);
        }
    }
    Err(JobError::retry(format!("{} is stepped by many at once", evidence.source)))
}

/// Whether it was this fact that changed something last.
fn was_last(state: &SourceState, evidence: &Evidence) -> bool {
    state.newest.values().any(|seen| seen.id == evidence.id)
}

/// That time went on is not worth a write per reading. Of a link, it is: a coming that is not remembered could be undone
/// by the going before it, which another worker may bring late.
fn worth_storing(before: &SourceState, after: &SourceState, fact: &Fact) -> bool {
    let moved = match fact {
        Fact::LinkLost { .. } | Fact::LinkSeen | Fact::ParentLost { .. } | Fact::Away { .. } | Fact::Back { .. } => {
            after.newest != before.newest
        }
        Fact::Values { .. } | Fact::Missed { .. } | Fact::Tick => false,
    };
    moved
        || after.conditions != before.conditions
        || after.memories != before.memories
        || after.unknown != before.unknown
}

/// Hands on what the outbox holds, then empties it. A crash between the two hands it on again, under the same keys.
async fn hand_on(cx: &Context, source: &Source, mut watch: Versioned<Watch>) -> Result<(), JobError> {
    if watch.value.outbox.is_empty() {
        return Ok(());
    }
    let told = watch.value.outbox.drain(..);
    let messages = told.map(|transition| FanOut { source: source.clone(), transition }.message()).collect();
    cx.queue.enqueue(messages).await?;
    // Refused when the source was stepped again meanwhile: that step hands the same transitions on once more, which the
    // ledger of `fan_out` makes harmless.
    let timer = watch.value.timer;
    let _: Outcome = cx.table.transact(alarms::put_watch(source, &watch, timer)?).await?;
    Ok(())
}

/// The version of the watch tells apart the steps that one fact may take.
fn transition(evidence: &Evidence, version: u64, now: Timestamp, changes: Vec<Change>) -> Transition {
    let source = evidence.source.to_string();
    let id = derived_id(evidence.at, &["transition", &source, &evidence.id, &version.to_string()]);
    Transition { id, source: evidence.source.clone(), at: now, changes }
}

async fn changed_alarms(table: &dyn Table, transition: &Transition) -> Result<Vec<Write>, TableError> {
    // One step may raise an alarm, since its delay ran out, and clear it at once.
    let mut changed: BTreeMap<&str, Versioned<Alarm>> = BTreeMap::new();
    for change in &transition.changes {
        let known = match changed.remove(change.alarm.as_str()) {
            Some(known) => Some(known),
            None => alarms::get(table, &change.alarm).await?,
        };
        changed.insert(&change.alarm, after(&transition.source, change, known));
    }
    let writes = changed.values().map(alarms::put).collect::<Result<Vec<_>, _>>()?;
    Ok(writes.into_iter().flatten().collect())
}

/// An alarm after a change, given what is known of it.
fn after(source: &Source, change: &Change, known: Option<Versioned<Alarm>>) -> Versioned<Alarm> {
    match (change.kind, known) {
        (ChangeKind::Cleared, Some(mut alarm)) => {
            alarm.value.cleared_at = Some(change.at);
            alarm.value.cleared_by = Some(change.detail.clone());
            alarm
        }
        (ChangeKind::SeverityChanged, Some(mut alarm)) => {
            alarm.value.severity = change.severity;
            let (at, severity, detail) = (change.at, change.severity, change.detail.clone());
            alarm.value.severities.push(SeverityChange { at, severity, detail });
            alarm
        }
        (_, known) => Versioned { value: raised(source, change), version: known.map_or(0, |alarm| alarm.version) },
    }
}

fn raised(source: &Source, change: &Change) -> Alarm {
    let cleared = change.kind == ChangeKind::Cleared;
    Alarm {
        id: change.alarm.clone(),
        source: source.clone(),
        rule: change.rule.clone(),
        severity: change.severity,
        detail: change.detail.clone(),
        raised_at: change.since,
        cleared_at: cleared.then_some(change.at),
        cleared_by: cleared.then(|| change.detail.clone()),
        acknowledged: None,
        severities: Vec::new(),
        shadow: change.shadow,
    }
}
