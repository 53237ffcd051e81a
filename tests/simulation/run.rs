//! A run of a job that is under way.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use domain::Timestamp;
use jobs::{Verdict, ports::Leased};
use telltale_tests::flow::perform;

use super::{
    gate::{Fate, Gate},
    ports::Ports,
    world::World,
};

/// A run that has begun and is not over.
pub(super) struct Run {
    /// Which of the world's runs it is.
    pub(super) number: u64,
    /// What it runs.
    pub(super) leased: Leased,
    /// Since when.
    pub(super) began: Timestamp,
    /// Until when it is held up.
    pub(super) held_until: Timestamp,
    ports: Arc<Ports>,
    work: Pin<Box<dyn Future<Output = Verdict>>>,
}

impl Run {
    /// Begins, and goes on to its first call.
    pub(super) fn begin(number: u64, leased: Leased, world: &Arc<World>) -> (Self, Option<Verdict>) {
        let ports = Arc::new(Ports::new(number, world));
        let (cx, message) = (world.context(&ports), leased.message.clone());
        let work = Box::pin(async move { perform(&cx, &message).await });
        let now = world.now();
        let mut run = Self { number, leased, began: now, held_until: now, ports, work };
        let verdict = run.poll();
        (run, verdict)
    }

    /// Where its calls wait.
    pub(super) fn gate(&self) -> &Gate {
        &self.ports.gate
    }

    /// Lets one of its calls go on. How the run ended, once it has.
    pub(super) fn go_on(&mut self, index: usize, fate: Fate) -> Option<Verdict> {
        self.gate().release(index, fate);
        self.poll()
    }

    fn poll(&mut self) -> Option<Verdict> {
        match self.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(verdict) => Some(verdict),
            Poll::Pending => None,
        }
    }

    /// The job and the key of what it runs, and its number.
    pub(super) fn shown(&self) -> String {
        format!("run {} of {} {}", self.number, self.leased.message.job, self.leased.message.key)
    }
}
