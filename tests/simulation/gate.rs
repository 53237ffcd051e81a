//! Where a run waits until the scheduler lets it go on: before each call of a port, and after each that had an effect.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// The table is read.
    Read,
    /// The table is written.
    Write,
    /// Messages are enqueued.
    Enqueue,
    /// A letter is sent.
    Send,
    /// A broker is told something.
    Tell,
}

/// When, by its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// It has had none yet.
    Before(Call),
    /// It has had it, and nobody has been answered.
    After(Call),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    GoOn,
    /// The port is away: nothing happens, or what has happened is not answered.
    Away,
    /// The call is sent twice on its way, and the second is answered.
    Twice,
}

/// The calls of one run that wait.
#[derive(Default)]
pub(super) struct Gate(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    passed: u64,
    pauses: Vec<Pause>,
}

/// A call that waits.
struct Pause {
    number: u64,
    moment: Moment,
    label: Option<String>,
    fate: Option<Fate>,
    waker: Waker,
}

impl Gate {
    /// Waits here. The label says what is called, where somebody reads it.
    pub(super) async fn pass(&self, moment: Moment, label: Option<String>) -> Fate {
        let place = Place { gate: self, number: self.enter(moment, label) };
        poll_fn(|context| place.poll(context)).await
    }

    fn enter(&self, moment: Moment, label: Option<String>) -> u64 {
        let mut waiting = self.waiting();
        waiting.passed += 1;
        let number = waiting.passed;
        waiting.pauses.push(Pause { number, moment, label, fate: None, waker: Waker::noop().clone() });
        number
    }

    /// How many calls wait. Those that run side by side wait at once.
    pub(super) fn len(&self) -> usize {
        self.waiting().pauses.len()
    }

    /// The call at `index` of those that wait, and its label.
    pub(super) fn at(&self, index: usize) -> (Moment, Option<String>) {
        let waiting = self.waiting();
        let pause = &waiting.pauses[index];
        (pause.moment, pause.label.clone())
    }

    /// Lets the call at `index` go on, with this fate.
    pub(super) fn release(&self, index: usize, fate: Fate) {
        let waker = {
            let pause = &mut self.waiting().pauses[index];
            pause.fate = Some(fate);
            pause.waker.clone()
        };
        waker.wake();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call's place at the gate, which is free again when the call is given up.
struct Place<'a> {
    gate: &'a Gate,
    number: u64,
}

impl Place<'_> {
    fn poll(&self, context: &Context<'_>) -> Poll<Fate> {
        let mut waiting = self.gate.waiting();
        let Some(pause) = waiting.pauses.iter_mut().find(|pause| pause.number == self.number) else {
            return Poll::Pending;
        };
        pause.waker.clone_from(context.waker());
        pause.fate.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.waiting().pauses.retain(|pause| pause.number != self.number);
    }
}
