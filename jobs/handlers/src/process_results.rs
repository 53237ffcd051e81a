//! `process_results`: what brokers report becomes records and evidence.
//!
//! A batch may be processed twice: a terminal's history item is put where nothing is, its standing and its latest values
//! only move forward, and evidence that was looked at already changes nothing.

mod adoption;
mod answer;
mod line;
mod operation;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    Mac, Need, Source, Timestamp,
    alarm::{Evidence, Fact},
    identity::derived_id,
    time::is_newer,
};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use records::{
    Prefetched,
    nodes::{self, RunInfo},
    terminals::{self, Presence, Terminal},
};
use serde::{Deserialize, Serialize};

use crate::{
    Context, DispatchQueries, EvaluateAlarms, Job, JobError, heartbeat, known,
    ports::{Message, Push},
    report::{Event, Report, TerminalInfo},
};

/// How many terminals of a batch are worked on at a time.
const AT_A_TIME: usize = 64;

/// The longest that every queue can hold a message back.
const LONGEST_HELD_BACK: Duration = Duration::from_mins(15);

/// How many facts one `evaluate_alarms` carries.
const EVIDENCE_PER_JOB: usize = 100;

/// One batch of a broker's reports, in the order they happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessResults {
    /// Names the batch (a ULID the broker made).
    pub batch: String,
    /// The reports.
    pub reports: Vec<Report>,
}

/// What a batch leads to once it is stored.
#[derive(Debug, Default)]
struct FollowUps {
    evidence: Vec<Evidence>,
    pushes: Vec<Push>,
    messages: Vec<Message>,
}

impl FollowUps {
    fn has_readings(&self) -> bool {
        let is_of_device = |evidence: &Evidence| matches!(evidence.source, Source::Device(_));
        self.evidence.iter().any(|evidence| is_of_device(evidence) && evidence.is_reading())
    }

    fn join(&mut self, other: Self) {
        self.evidence.extend(other.evidence);
        self.pushes.extend(other.pushes);
        self.messages.extend(other.messages);
    }
}

impl Job for ProcessResults {
    const NAME: &'static str = "process_results";
    // What was acknowledged may not be given up while the table is away for two and a half hours.
    const MAX_ATTEMPTS: u32 = 50;

    fn key(&self) -> String {
        self.batch.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let mut follow_ups = FollowUps::default();
        for report in &self.reports {
            follow_ups.join(self.of_node(cx, report).await?);
        }
        let by_terminal = self.by_terminal();
        let table = Prefetched::of_terminals(Arc::clone(&cx.table), by_terminal.keys()).await?;
        let cx = &Context { table: Arc::new(table), ..cx.clone() };
        let macs: Vec<Mac> = by_terminal.keys().cloned().collect();
        let known = terminals::get_many(cx.table.as_ref(), &macs).await?;
        // Each by itself: together they would be moved, and are more than an allocator keeps at hand.
        let lines: Vec<_> = by_terminal
            .into_iter()
            .map(|(mac, reports)| self.of_terminal(cx, mac.clone(), known.get(&mac), reports).boxed())
            .collect();
        // What cannot be stored of one terminal holds up none of the others.
        let mut ended = Vec::new();
        for line in stream::iter(lines).buffered(AT_A_TIME).collect::<Vec<_>>().await {
            ended.push(line.map(|line| follow_ups.join(line)));
        }
        if follow_ups.has_readings() {
            follow_ups.evidence.extend(heartbeat::pulse(cx));
        }
        self.hand_on(cx, follow_ups, ended.iter().all(Result::is_ok)).await?;
        JobError::worst(ended)
    }
}

impl ProcessResults {
    /// The reports about terminals, by terminal, each terminal's in order.
    fn by_terminal(&self) -> BTreeMap<Mac, Vec<&Report>> {
        let mut by_terminal: BTreeMap<Mac, Vec<&Report>> = BTreeMap::new();
        for report in &self.reports {
            let mut macs = match &report.event {
                Event::Answered(answer) => vec![answer.mac.clone()],
                Event::Missed { mac, .. }
                | Event::PartlyMissed { mac, .. }
                | Event::TerminalOff { mac }
                | Event::DtuState { mac, .. }
                | Event::DtuAlert { mac, .. } => vec![mac.clone()],
                Event::TerminalsOn { macs } => macs.clone(),
                Event::Terminal(TerminalInfo { mac, .. }) => mac.parse().into_iter().collect(),
                Event::NodeRegistered
                | Event::NodeReady
                | Event::NodeSettled
                | Event::NodeLost
                | Event::NodeInfo { .. }
                | Event::PartAway { .. }
                | Event::PartBack { .. }
                | Event::PartCounted { .. }
                | Event::Operated { .. } => Vec::new(),
            };
            macs.sort_unstable();
            macs.dedup();
            for mac in macs {
                by_terminal.entry(mac).or_default().push(report);
            }
        }
        by_terminal
    }

    /// What the reports mean for their terminal.
    async fn of_terminal(
        &self,
        cx: &Context,
        mac: Mac,
        terminal: Option<&Terminal>,
        reports: Vec<&Report>,
    ) -> Result<FollowUps, JobError> {
        if let Some(terminal) = terminal {
            return line::apply(cx, &self.batch, terminal, &reports).await;
        }
        if let Some(adopted) = adoption::adopt(cx, &mac, &reports).await? {
            return line::apply(cx, &self.batch, &adopted, &reports).await;
        }
        let node = reports.first().map_or("", |report| report.node.as_str());
        tracing::warn!(terminal.mac = %mac, node.name = node, "a node reports a terminal that is not registered");
        Ok(FollowUps::default())
    }

    /// What a report means for the node itself.
    async fn of_node(&self, cx: &Context, report: &Report) -> Result<FollowUps, JobError> {
        let fact = match &report.event {
            Event::NodeRegistered => Fact::LinkSeen,
            Event::NodeReady => {
                let messages = vec![rest_of_window(cx, report).message(), self.when_settled(cx, report)];
                return Ok(FollowUps { messages, ..FollowUps::default() });
            }
            Event::NodeSettled => return settled(cx, report).await,
            Event::NodeLost => {
                Fact::LinkLost { cause: "its connection to us is gone".to_owned(), grace: Duration::ZERO }
            }
            Event::NodeInfo { info, connections } => {
                let run_info = RunInfo { at: report.at, info: info.clone(), connections: *connections };
                nodes::put_run_info(cx.table.as_ref(), &report.node, &run_info).await?;
                Fact::Values { values: known::of_node(&run_info) }
            }
            Event::PartAway { need, why } => {
                let evidence = vec![away(need, report.at, why)];
                return Ok(FollowUps { evidence, ..FollowUps::default() });
            }
            Event::PartBack { need, how, absence } => {
                let began = absence.iter().map(|absence| away(need, absence.since, &absence.why));
                let evidence = began.chain([back(need, report.at, how)]).collect();
                return Ok(FollowUps { evidence, ..FollowUps::default() });
            }
            Event::PartCounted { need, values } => {
                let values = known::of_platform(values);
                let evidence = vec![of_platform(need, report.at, Fact::Values { values })];
                return Ok(FollowUps { evidence, ..FollowUps::default() });
            }
            Event::Operated { about, id, end } => {
                operation::end(cx, about, id, report.at, end).await?;
                return Ok(FollowUps::default());
            }
            _ => return Ok(FollowUps::default()),
        };
        let mut follow_ups = FollowUps::default();
        if report.event == Event::NodeLost {
            follow_ups.join(terminals_unknown(cx, report).await?);
        }
        let id = format!("{}/node/{}", report.at.sortable(), report.node);
        follow_ups.evidence.push(Evidence::new(id, Source::Node(report.node.clone()), report.at, fact));
        Ok(follow_ups)
    }

    /// Asks, when a terminal could be back on its node, which are not. Not in this run: who comes later than the node is not
    /// lost, and may be in a batch that another worker has.
    fn when_settled(&self, cx: &Context, report: &Report) -> Message {
        let debounce = Duration::from_millis(cx.settings.alarms.offline_debounce_ms).min(LONGEST_HELD_BACK);
        let event = Report { event: Event::NodeSettled, ..report.clone() };
        let job = Self { batch: format!("{}/settled/{}", self.batch, report.node), reports: vec![event] };
        Message { not_before: Some(report.at.plus(debounce)), ..job.message() }
    }

    async fn hand_on(&self, cx: &Context, follow_ups: FollowUps, is_whole: bool) -> Result<(), JobError> {
        let origin = if is_whole { self.batch.clone() } else { self.origin_of_a_part(&follow_ups.evidence) };
        let chunks = follow_ups.evidence.chunks(EVIDENCE_PER_JOB).enumerate();
        let evaluations = chunks
            .flat_map(|(part, evidence)| EvaluateAlarms::new(format!("{origin}/{part}"), evidence.to_vec()).messages());
        let messages: Vec<Message> = evaluations.chain(follow_ups.messages).collect();
        if !messages.is_empty() {
            cx.queue.enqueue(messages).await?;
        }
        if !follow_ups.pushes.is_empty()
            && let Err(error) = cx.link.publish(follow_ups.pushes).await
        {
            tracing::warn!(%error, "browsers were not shown a batch of readings");
        }
        Ok(())
    }

    /// What some terminals of the batch brought while others could not be stored is called by what it is: the queue would
    /// take the whole, which follows, for the same work, while this still waits.
    fn origin_of_a_part(&self, evidence: &[Evidence]) -> String {
        let ids: Vec<&str> = evidence.iter().map(|evidence| evidence.id.as_str()).collect();
        let at = evidence.first().map_or(Timestamp::default(), |evidence| evidence.at);
        format!("{}/{}", self.batch, derived_id(at, &ids))
    }
}

fn away(need: &Need, at: Timestamp, why: &str) -> Evidence {
    of_platform(need, at, Fact::Away { why: why.to_owned() })
}

fn back(need: &Need, at: Timestamp, how: &str) -> Evidence {
    of_platform(need, at, Fact::Back { how: how.to_owned() })
}

/// What a part of the platform says of itself.
fn of_platform(need: &Need, at: Timestamp, fact: Fact) -> Evidence {
    let source = Source::Platform(need.clone());
    Evidence::new(format!("{}/{source}", at.sortable()), source, at, fact)
}

/// A node that becomes ready in the middle of a window is polled for what is left of what is planned already.
fn rest_of_window(cx: &Context, report: &Report) -> DispatchQueries {
    let schedule = &cx.settings.schedule;
    let until = schedule.planned_until(cx.clock.now());
    DispatchQueries { node: report.node.clone(), from: report.at, until }
}

/// A lost node's terminals are not known to be anything; nothing is said to have happened to them.
async fn terminals_unknown(cx: &Context, report: &Report) -> Result<FollowUps, JobError> {
    let table = cx.table.as_ref();
    let macs = terminals::of_node(table, &report.node).await?;
    let known = terminals::get_many(table, &macs).await?;
    let parent = Source::Node(report.node.clone());
    let mut writes = Vec::new();
    for mac in known.keys() {
        writes.push(line::becomes_unknown(cx, mac, report));
    }
    stream::iter(writes).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    let mut follow_ups = FollowUps::default();
    for (mac, terminal) in known {
        follow_ups.evidence.extend(line::parent_lost(&terminal, &parent, report));
        follow_ups.pushes.push(line::changed(&mac));
    }
    Ok(follow_ups)
}

/// The terminals that did not come back with their node are lost since the node was ready. Those never heard of are not
/// missed: somebody registered them before they were put up.
async fn settled(cx: &Context, report: &Report) -> Result<FollowUps, JobError> {
    let table = cx.table.as_ref();
    let mut follow_ups = FollowUps::default();
    if nodes::session(table, &report.node).await?.is_none_or(|session| !session.ready) {
        // Lost again: the alarm of the node speaks for them.
        return Ok(follow_ups);
    }
    let macs = terminals::of_node(table, &report.node).await?;
    for (mac, standing) in terminals::standings(table, &macs).await? {
        let was_heard_of = standing.since != Timestamp::default();
        let is_heard_no_more = is_newer(report.at, standing.heard, cx.clock.now());
        if standing.presence == Presence::Unknown && was_heard_of && is_heard_no_more {
            let source = Source::Terminal(mac);
            let fact = Fact::LinkLost { cause: "it did not come back with its node".to_owned(), grace: Duration::ZERO };
            let id = format!("{}/{source}", report.at.sortable());
            follow_ups.evidence.push(Evidence::new(id, source, report.at, fact));
        }
    }
    Ok(follow_ups)
}
