//! Nothing is left behind: no timer, nothing in an outbox, no message, no dead letter.

use domain::Timestamp;
use jobs::{JOB_NAMES, ports::Inspect};
use records::alarms;

use super::sources;
use crate::simulation::{
    truth::Truth,
    world::{World, at_once},
};

pub(super) fn check(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for job in JOB_NAMES {
        let depth = at_once(world.queue.depth(job)).unwrap();
        if depth.waiting + depth.running > 0 {
            found.push(format!("{job} is left with {depth:?}"));
        }
        for dead in at_once(world.queue.dead_letters(job, 100)).unwrap() {
            found.push(format!("{job} {} is dead after {} runs: {}", dead.message.key, dead.attempts, dead.why));
        }
    }
    let end_of_time = Timestamp(9_999_999_999_999);
    let timers = at_once(alarms::due(world.table.as_ref(), end_of_time, 100)).unwrap();
    found.extend(
        timers.iter().map(|(at, source)| format!("{source} is left with a timer at {}", world.trace.shown(*at))),
    );
    for source in sources(&Truth::new()) {
        let watch = at_once(alarms::watch(world.table.as_ref(), &source)).unwrap().value;
        if !watch.outbox.is_empty() || watch.timer.is_some() {
            found.push(format!("the watch of {source} is left with {:?} and {:?}", watch.outbox, watch.timer));
        }
    }
    found
}
