//! Who goes on next, and what goes wrong: one thread, and a seed that decides everything.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use jobs::{
    JOB_NAMES, Job, Sweep, Verdict,
    ports::{Consume, Inspect, Leased, Message, Settlement},
};
use records::{alarms, incidents};

use super::{
    chance::Chance,
    faults::{Faults, LEASE},
    gate::Fate,
    run::Run,
    world::{World, at_once},
};

/// How often the schedule asks for a sweep. Less often than in earnest, since most find nothing.
const TICK: Duration = Duration::from_secs(2);

/// An incident that is open is looked at in a day at the latest: what is due sooner is something to tell.
const SOON: Duration = Duration::from_hours(2);

/// The workers of a world, and its schedule.
pub(super) struct Scheduler {
    world: Arc<World>,
    chance: Chance,
    /// What goes wrong at present.
    pub(super) faults: Faults,
    runs: Vec<Run>,
    /// What was leased and has not begun.
    taken: Vec<(Timestamp, Leased)>,
    /// What was done, and may come again.
    done: Vec<Message>,
    runs_begun: u64,
    next_tick: Timestamp,
}

impl Scheduler {
    /// Workers without work.
    pub(super) fn new(world: &Arc<World>, chance: Chance, faults: Faults) -> Self {
        Self {
            next_tick: world.now().plus(TICK),
            world: Arc::clone(world),
            chance,
            faults,
            runs: Vec::new(),
            taken: Vec::new(),
            done: Vec::new(),
            runs_begun: 0,
        }
    }

    /// How many runs there were.
    pub(super) fn runs_begun(&self) -> u64 {
        self.runs_begun
    }

    /// One step: a run goes on to its next call, or a message is begun, or time passes, up to `until` at most.
    pub(super) fn step(&mut self, until: Option<Timestamp>) {
        self.tick();
        self.stop_what_outran_its_lease();
        if self.chance.once_in(8) {
            let job = *self.chance.one_of(&JOB_NAMES);
            self.take(job);
        }
        let now = self.world.now();
        let awake: Vec<usize> = (0..self.runs.len()).filter(|&run| self.runs[run].held_until <= now).collect();
        let ready: Vec<usize> = (0..self.taken.len()).filter(|&at| self.taken[at].0 <= now).collect();
        let has_room = self.runs.len() < self.faults.at_once && !ready.is_empty();
        if has_room && (awake.is_empty() || self.chance.once_in(3)) {
            let (_, leased) = self.taken.remove(*self.chance.one_of(&ready));
            self.begin(leased);
        } else if awake.is_empty() {
            return self.wait(until);
        } else {
            let run = *self.chance.one_of(&awake);
            self.go_on(run);
        }
        let passed = Duration::from_millis(self.chance.below(3));
        self.world.clock.advance(passed);
    }

    /// Whether nothing waits, nothing runs, and no timer is left.
    pub(super) fn is_idle(&self) -> bool {
        let end_of_time = Timestamp(9_999_999_999_999);
        self.runs.is_empty()
            && self.taken.is_empty()
            && JOB_NAMES.iter().all(|job| {
                let depth = at_once(self.world.queue.depth(job)).unwrap();
                depth.waiting + depth.running == 0
            })
            && at_once(alarms::due(self.world.table.as_ref(), end_of_time, 1)).unwrap().is_empty()
            && at_once(incidents::due(self.world.table.as_ref(), self.world.now().plus(SOON), 1)).unwrap().is_empty()
    }

    fn tick(&mut self) {
        let now = self.world.now();
        if now >= self.next_tick {
            self.next_tick = self.next_tick.plus(TICK);
            self.world.enqueue(Sweep { at: now, ahead_ms: 0 }.message());
        }
    }

    /// Leases what is due. Nobody says in which order it will be begun.
    fn take(&mut self, job: &str) {
        let lease = self.faults.lease(&mut self.chance, job);
        for leased in at_once(self.world.queue.claim(job, 2, lease)).unwrap() {
            let hold = self.faults.hold(&mut self.chance).unwrap_or_default();
            self.taken.push((self.world.now().plus(hold), leased));
        }
    }

    fn begin(&mut self, leased: Leased) {
        self.runs_begun += 1;
        let (run, verdict) = Run::begin(self.runs_begun, leased, &self.world);
        self.world.trace.tell(|| format!("{} begins, its attempt {}", run.shown(), run.leased.attempt));
        match verdict {
            Some(verdict) => self.end(&run, verdict),
            None => self.runs.push(run),
        }
    }

    fn go_on(&mut self, index: usize) {
        let run = &mut self.runs[index];
        let waiting = self.chance.index(run.gate().len());
        let (moment, label) = run.gate().at(waiting);
        if self.faults.crashes(&mut self.chance, &run.leased) {
            self.world.was_interrupted(run.number);
            self.world.trace.tell(|| format!("{} DIES {moment:?} {}", run.shown(), label.unwrap_or_default()));
            self.runs.remove(index);
            return;
        }
        if let Some(stall) = self.faults.stall(&mut self.chance) {
            run.held_until = self.world.now().plus(stall);
            self.world.trace.tell(|| format!("{} is held up for {stall:?}", run.shown()));
            return;
        }
        let fate = self.faults.fate(&mut self.chance, &run.leased, moment);
        let shown = if fate == Fate::GoOn { String::new() } else { format!(" {fate:?}!") };
        self.world.trace.tell(|| format!("{} {moment:?}{shown} {}", run.shown(), label.unwrap_or_default()));
        if let Some(verdict) = run.go_on(waiting, fate) {
            let run = self.runs.remove(index);
            self.end(&run, verdict);
        }
    }

    fn end(&mut self, run: &Run, verdict: Verdict) {
        self.world.trace.tell(|| format!("{} ends: {verdict:?}", run.shown()));
        if verdict == Verdict::Done {
            self.world.is_done(&run.leased.message.key);
        }
        if self.faults.is_unsettled(&mut self.chance, &run.leased) {
            self.world.trace.tell(|| format!("{} is not settled", run.shown()));
            return;
        }
        let Leased { ticket, message, attempt } = run.leased.clone();
        let settlement = match verdict {
            Verdict::Done => {
                self.may_come_again(message);
                Settlement::Done(ticket)
            }
            Verdict::Again { why, after } => {
                let after = after.unwrap_or_else(|| self.back_off(attempt));
                Settlement::Again { ticket, not_before: self.world.now().plus(after), why }
            }
            Verdict::Never { why } => Settlement::Dead { ticket, why },
        };
        at_once(self.world.queue.settle(vec![settlement])).unwrap();
    }

    fn back_off(&mut self, attempt: u32) -> Duration {
        Duration::from_millis((500 << attempt.min(4)) + self.chance.below(500))
    }

    /// What is done comes again soon, or what was done long ago comes now.
    fn may_come_again(&mut self, message: Message) {
        if let Some(after) = self.faults.again(&mut self.chance) {
            let earlier = self.chance.once_in(3) && !self.done.is_empty();
            let message = if earlier { self.chance.one_of(&self.done).clone() } else { message.clone() };
            self.world.trace.tell(|| format!("{} {} comes again in {after:?}", message.job, message.key));
            self.world.enqueue(Message { not_before: Some(self.world.now().plus(after)), ..message });
        }
        if message.job != Sweep::NAME {
            self.done.push(message);
        }
    }

    fn stop_what_outran_its_lease(&mut self) {
        let now = self.world.now();
        while let Some(index) = self.runs.iter().position(|run| now.since(run.began) >= LEASE) {
            let run = self.runs.remove(index);
            self.world.was_interrupted(run.number);
            self.end(&run, Verdict::Again { why: "it ran longer than its lease".to_owned(), after: None });
        }
    }

    /// Nothing that was begun or taken can go on: more is taken, or time passes until something may.
    fn wait(&mut self, until: Option<Timestamp>) {
        let taken = self.taken.len();
        for job in JOB_NAMES {
            self.take(job);
        }
        if self.taken.len() > taken {
            return;
        }
        let held = self.runs.iter().map(|run| run.held_until).chain(self.taken.iter().map(|(at, _)| *at));
        let now = self.world.now();
        let next = held.chain([self.next_tick]).chain(until).filter(|at| *at > now).min();
        self.world.clock.advance(next.map_or(TICK, |next| next.since(now)));
    }
}
