//! What a broker on this machine looks after, and how it is known in alarms: by its port, which whoever comes after it has
//! again, and where there may be several machines, by its machine; the one process of a box by the name of the program.

use std::{path::Path, sync::Arc};

use broker::{LookoutParts, Looks, Operator, Probe, QUEUE, STORE};
use futures::FutureExt;
use jobs::{
    Context, Job, ProcessResults,
    ports::{Clock, Inspect, MeetingPoint, Table},
};
use records::readiness;

use super::{meeting::Meeting, told::ToldFile};
use crate::config::Config;

/// The one process: it looks after its store, which the queue is a part of.
pub(super) fn alone(config: &Config, context: &Context, queue: &Arc<dyn Inspect>) -> LookoutParts {
    LookoutParts {
        part: "telltale".to_owned(),
        settings: config.platform.clone(),
        looks: Arc::default(),
        probes: vec![store(&context.table, &context.clock)],
        queue: Some(Arc::clone(queue)),
        meeting: None,
        operator: operator(config, context),
        memory: Arc::new(ToldFile::open(config.data.join("telltale.told"))),
    }
}

/// What one of several brokers looks after, and by what.
pub(super) struct Among {
    pub(super) part: String,
    pub(super) queue: Arc<dyn Inspect>,
    pub(super) meeting: Arc<Meeting>,
    pub(super) looks: Arc<Looks>,
    pub(super) operator: Operator,
    pub(super) told: ToldFile,
}

/// One of several brokers: it looks after Redis; its signs of life show whether the store is there.
pub(super) fn among_others(config: &Config, among: Among) -> LookoutParts {
    let Among { part, queue, meeting, looks, operator, told } = among;
    LookoutParts {
        part,
        settings: config.platform.clone(),
        looks,
        probes: vec![redis(&queue, &meeting)],
        queue: Some(queue),
        meeting: Some(meeting),
        operator,
        memory: Arc::new(told),
    }
}

pub(super) fn operator(config: &Config, context: &Context) -> Operator {
    Operator::at(config.platform.webhook.as_ref(), Arc::clone(&context.notifier))
}

/// What the broker with this spool told of.
pub(super) fn told_by(spool: &Path) -> ToldFile {
    ToldFile::open(spool.with_extension("told"))
}

/// The broker on this port. Where the store is this machine's own, so are all its brokers, and their ports differ. Where the table is
/// on DynamoDB, each machine may have one on that port.
pub(super) fn part(config: &Config, port: u16) -> String {
    match (&config.machine, &config.table) {
        (Some(machine), _) => format!("broker:{machine}:{port}"),
        (None, Some(_)) => format!("broker:{}:{port}", boot::host_name()),
        (None, None) => format!("broker:{port}"),
    }
}

fn store(table: &Arc<dyn Table>, clock: &Arc<dyn Clock>) -> Probe {
    let (table, clock) = (Arc::clone(table), Arc::clone(clock));
    Probe::new(STORE, move || {
        let (table, now) = (Arc::clone(&table), clock.now());
        async move { readiness::prove(table.as_ref(), now).await.map_err(|error| error.to_string()) }.boxed()
    })
}

/// One that is there and is not ours any more is as good as away.
fn redis(queue: &Arc<dyn Inspect>, meeting: &Arc<Meeting>) -> Probe {
    let (queue, meeting) = (Arc::clone(queue), Arc::clone(meeting));
    Probe::new(QUEUE, move || {
        let (queue, lost) = (Arc::clone(&queue), meeting.state().lost);
        if let Some(why) = lost {
            return async move { Err(why) }.boxed();
        }
        async move { queue.depth(ProcessResults::NAME).await.map(drop).map_err(|error| error.to_string()) }.boxed()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_of_two_machines_are_two_parts_and_those_of_one_go_by_their_ports() {
        let at = |machine: Option<&str>, table: Option<&str>| {
            let (machine, table) = (machine.map(str::to_owned), table.map(str::to_owned));
            part(&Config { table, machine, ..Config::default() }, 8081)
        };
        assert_eq!(at(None, None), "broker:8081");
        assert_eq!(at(Some("east"), None), "broker:east:8081");
        assert_eq!(at(Some("east"), Some("Table")), "broker:east:8081");
        assert_eq!(at(None, Some("Table")), format!("broker:{}:8081", boot::host_name()));
    }
}
