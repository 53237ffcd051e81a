//! Operations on their way: sent to a node that registered, waited for as long as may be, and reported however they end.
//!
//! Nodes drop messages without a word, so every operation has its end by the clock. An answer that comes after it, or
//! again, changes nothing.

mod command;
mod verdict;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::NodeName;
use jobs::{
    ports::{Clock, Operation, Order},
    report::{Event, OperationEnd},
};
use tokio::{sync::oneshot, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use command::Command;

use crate::{
    counters::Counters,
    node::{OperationReply, Registry},
    pacer::Asked,
    reports::Reporter,
    settings::BrokerSettings,
};

/// How many operations may wait on one node: each may hold a line for ten seconds.
const MOST_ON_A_NODE: usize = 64;

/// How many operations are remembered, so that a repeated command is sent once.
const MOST_REMEMBERED: usize = 1000;

/// The operations of this broker's nodes.
pub(crate) struct Operations {
    registry: Arc<Registry>,
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    settings: Arc<BrokerSettings>,
    counters: Arc<Counters>,
    /// Those that are waited for.
    running: TaskTracker,
    waiting: Mutex<Waiting>,
}

/// What is waited for.
#[derive(Default)]
struct Waiting {
    by_name: HashMap<String, Expected>,
    /// The ids of the latest commands, whatever became of them.
    known: HashSet<String>,
    oldest_first: VecDeque<String>,
}

/// An answer that is waited for.
struct Expected {
    node: NodeName,
    answer: oneshot::Sender<OperationReply>,
}

impl Operations {
    /// None yet; each runs as one of `running`.
    pub(crate) fn new(
        registry: &Arc<Registry>,
        reporter: &Reporter,
        clock: &Arc<dyn Clock>,
        settings: &Arc<BrokerSettings>,
        counters: &Arc<Counters>,
        running: &TaskTracker,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            reporter: reporter.clone(),
            clock: Arc::clone(clock),
            settings: Arc::clone(settings),
            counters: Arc::clone(counters),
            running: running.clone(),
            waiting: Mutex::default(),
        }
    }

    /// Sends an operation, and reports its end: at once when it cannot be sent, else when it is answered, when nobody
    /// answered in time, or at `shutdown`.
    pub(crate) fn begin(self: &Arc<Self>, operation: Operation, shutdown: CancellationToken) {
        let sent = match self.expect(&operation) {
            Admission::Repeated => return,
            Admission::TooLate => Err("it came too late to be begun"),
            Admission::TooMany => Err("too many operations wait on this node: try again in a minute"),
            Admission::Expected { name, answer } => self.send(&operation, &name).map(|()| (name, answer)),
        };
        let operations = Arc::clone(self);
        self.running.spawn(async move {
            let end = match sent {
                Ok((name, answer)) => operations.wait(&operation.order, &name, answer, shutdown).await,
                Err(why) => verdict::failed(why),
            };
            operations.report(operation, end).await;
        });
    }

    /// Reports that an operation is not done, since the broker stops: it was not sent.
    pub(crate) fn refuse(self: &Arc<Self>, operation: Operation) {
        if !self.waiting().remember(&operation.id) {
            return;
        }
        let operations = Arc::clone(self);
        self.running.spawn(async move {
            operations.report(operation, verdict::failed("the server is stopping: try again")).await;
        });
    }

    /// A node answers. An answer that nobody waits for, or one of another node, is counted and forgotten.
    pub(crate) fn answered(&self, node: &str, name: &str, reply: OperationReply) {
        let expected = {
            let mut waiting = self.waiting();
            let is_its = waiting.by_name.get(name).is_some_and(|expected| expected.node == node);
            is_its.then(|| waiting.by_name.remove(name)).flatten()
        };
        // Who waits may have given up in this moment; then it is late.
        let heard = expected.is_some_and(|expected| expected.answer.send(reply).is_ok());
        if !heard {
            self.counters.operation_replies.up();
            tracing::debug!(
                node.name = node,
                operation.name = name,
                "a reply to an operation, for which nothing waits"
            );
        }
    }

    fn expect(&self, operation: &Operation) -> Admission {
        let mut waiting = self.waiting();
        if !waiting.remember(&operation.id) {
            return Admission::Repeated;
        }
        // Whoever asked was told that it failed.
        if operation.until.is_some_and(|until| self.clock.now() >= until) {
            return Admission::TooLate;
        }
        let on_node = waiting.by_name.values().filter(|expected| expected.node == operation.node).count();
        if on_node >= MOST_ON_A_NODE {
            return Admission::TooMany;
        }
        let mut instant = self.clock.now();
        let name = loop {
            let name = command::name(&operation.order, instant);
            if !waiting.by_name.contains_key(&name) {
                break name;
            }
            instant.0 += 1;
        };
        let (sender, answer) = oneshot::channel();
        let expected = Expected { node: operation.node.clone(), answer: sender };
        waiting.by_name.insert(name.clone(), expected);
        Admission::Expected { name, answer }
    }

    fn send(&self, operation: &Operation, name: &str) -> Result<(), &'static str> {
        match self.registry.operate(&operation.node, &Command::new(&operation.order, name)) {
            Asked::Sent => {
                self.counters.operations_sent.up();
                Ok(())
            }
            Asked::NotThere => {
                self.waiting().by_name.remove(name);
                Err("node not connected")
            }
        }
    }

    async fn wait(
        &self,
        order: &Order,
        name: &str,
        answer: oneshot::Receiver<OperationReply>,
        shutdown: CancellationToken,
    ) -> OperationEnd {
        let answered = tokio::select! {
            answered = timeout(self.settings.operation_patience(), answer) => answered.ok().and_then(Result::ok),
            () = shutdown.cancelled() => None,
        };
        if let Some(reply) = answered {
            return verdict::of(order, reply);
        }
        self.waiting().by_name.remove(name);
        if shutdown.is_cancelled() {
            return verdict::failed("the server stopped before an answer came");
        }
        self.counters.operations_unanswered.up();
        verdict::failed("the node did not answer in time")
    }

    async fn report(&self, operation: Operation, end: OperationEnd) {
        let Operation { id, about, node, .. } = operation;
        let event = Event::Operated { about, id: id.clone(), end };
        if let Err(why) = self.reporter.submit(node, event).await {
            tracing::warn!(operation.id = id, ?why, "the end of an operation could not be reported");
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an operation is sent.
enum Admission {
    /// It was already.
    Repeated,
    /// Nobody expects it any more.
    TooLate,
    /// Not while so many wait.
    TooMany,
    /// Under this name, and its answer comes here.
    Expected { name: String, answer: oneshot::Receiver<OperationReply> },
}

impl Waiting {
    /// Whether an operation is new.
    fn remember(&mut self, id: &str) -> bool {
        if !self.known.insert(id.to_owned()) {
            return false;
        }
        self.oldest_first.push_back(id.to_owned());
        if self.oldest_first.len() > MOST_REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
