//! The queue on Redis: what is due lies in streams that workers read through a consumer group, what is not yet in a sorted
//! set. What belongs together happens in one script (`redis/*.lua`), so no crash leaves half of it.
//!
//! A claim takes messages from their lane's stream, where they stay, pending, until they are settled. When their leases run
//! out is written beside it, by Redis's own clock, which the scripts look at: those of processes differ, and jump.
//! What a process held that gives no sign of life any more is given to others before its lease runs out.
//! Who takes a message whose lease ran out counts as the next run, so one that kills its worker ends as a dead letter too.

mod alive;
mod bells;
mod inspect;
mod parcel;
mod scripts;
mod unheard;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Timestamp;
use engine_redis::{
    Redis, RedisError,
    redis::{FromRedisValue, Script},
};
use jobs::ports::{
    Clock, Consume, DEAD_LETTER_RETENTION, Enqueue, Lane, Leased, MOST_DEAD_LETTERS, Message, QueueError, Settlement,
};

use self::{
    alive::SignsOfLife,
    bells::RedisBells,
    parcel::{Damaged, Lease},
    scripts::Scripts,
    unheard::Unheard,
};
use crate::{
    ledger,
    packed::{of_jobs, pack, portions},
};

/// How many messages or settlements go with one call, and how many bytes of messages: Redis does nothing else meanwhile.
const AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// A queue on Redis, of any number of processes.
pub struct RedisQueue {
    redis: Redis,
    scripts: Scripts,
    bells: RedisBells,
    alive: SignsOfLife,
    unheard: Unheard,
    /// The clock to go by; none where it is that of Redis.
    clock: Option<Arc<dyn Clock>>,
    consumer: String,
    /// What its Redis must be called; empty where any will do.
    name: String,
}

impl RedisQueue {
    /// The queue on `redis`. `consumer` names this process, and no other that lives: what it holds is given to others within
    /// seconds once it is dead.
    pub fn new(redis: Redis, consumer: impl Into<String>) -> Self {
        let consumer = consumer.into();
        let bells = RedisBells::listen(redis.clone(), redis.channel_of_bells());
        let alive = SignsOfLife::give(redis.clone(), &consumer);
        Self {
            redis,
            scripts: Scripts::new(),
            bells,
            alive,
            unheard: Unheard::default(),
            clock: None,
            consumer,
            name: String::new(),
        }
    }

    /// The same, which goes by this clock and not by that of Redis: for tests, whose time stands still.
    #[must_use]
    pub fn by(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same, which is away for as long as another Redis than the one of this name, or one that lost everything, stands in its place.
    #[must_use]
    pub fn on_the_one_called(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The instant that the scripts go by; empty where they look for themselves.
    fn now(&self) -> Vec<u8> {
        text(self.clock.as_ref().map(|clock| clock.now()))
    }

    /// Runs a script on the messages of a job, and sees in the same stroke that they are where they were.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        job: &str,
        mut arguments: Vec<Vec<u8>>,
    ) -> Result<T, QueueError> {
        arguments.extend([self.redis.key_of_name().into(), self.name.clone().into()]);
        self.redis.run(script, &self.redis.keys_of(job), arguments).await.map_err(away)
    }

    async fn enqueue_some(&self, job: &str, messages: &[Message]) -> Result<(), QueueError> {
        let mut arguments = vec![self.now(), self.bells.channel().into(), job.into()];
        for message in messages {
            let lane = parcel::lane_number(message.lane).to_string();
            let max = message.max_attempts.to_string();
            arguments.extend([
                message.key.clone().into(),
                lane.into(),
                text(message.not_before),
                max.into(),
                pack(message)?,
            ]);
        }
        let is_of_work_under_way = messages.iter().all(|message| message.lane == Lane::Urgent);
        let script = if is_of_work_under_way { &self.scripts.enqueue_when_full } else { &self.scripts.enqueue };
        self.run(script, job, arguments).await
    }

    /// Makes a dead letter of what cannot be understood. If that fails, its lease runs out, and it is tried again.
    async fn bury(&self, damaged: &Damaged) {
        let Damaged { lease, why, .. } = damaged;
        let buried = async {
            let mut arguments = vec![self.now()];
            arguments.extend(kept_letters());
            arguments.extend([lease.member.clone().into(), lease.key.clone().into()]);
            arguments.extend([pack(&damaged.in_its_place())?, why.clone().into()]);
            self.run::<()>(&self.scripts.bury, &lease.job, arguments).await
        };
        let error = buried.await.err().map(tracing::field::display);
        tracing::error!(job = lease.job, key = lease.key, why, error, "a damaged message becomes a dead letter");
    }

    async fn settle_some(&self, job: &str, settled: &[(Lease, Settlement)]) -> Result<(), QueueError> {
        let mut arguments = vec![self.now()];
        arguments.extend(kept_letters());
        arguments.extend([self.bells.channel().into(), job.into()]);
        for (lease, settlement) in settled {
            let (end, due, why) = match settlement {
                Settlement::Done(_) => ("done", None, ""),
                Settlement::Again { not_before, why, .. } => ("again", Some(*not_before), why.as_str()),
                Settlement::Dead { why, .. } => ("dead", None, why.as_str()),
            };
            let (member, key) = (lease.member.clone().into(), lease.key.clone().into());
            arguments.extend([member, key, end.into(), text(due), why.into()]);
        }
        self.run(&self.scripts.settle, job, arguments).await
    }
}

#[async_trait]
impl Enqueue for RedisQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        // What a full Redis takes even so goes before what it refuses.
        let (urgent, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.lane == Lane::Urgent);
        for (job, messages) in of_jobs(urgent).into_iter().chain(of_jobs(others)) {
            for some in portions(&messages, AT_ONCE, BYTES_AT_ONCE) {
                self.enqueue_some(&job, some).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Consume for RedisQueue {
    async fn claim(&self, job: &str, limit: usize, lease: Duration) -> Result<Vec<Leased>, QueueError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut arguments = vec![self.now(), limit.min(AT_ONCE).to_string().into_bytes()];
        arguments.extend([lease.as_millis().to_string().into(), self.consumer.clone().into()]);
        arguments.extend(kept_letters());
        arguments.extend(self.alive.arguments(job));
        let claim = self.unheard.next();
        arguments.extend(self.unheard.arguments(job, claim));
        let asked = self.bells.asked(job);
        let given = self.run::<Vec<Vec<u8>>>(&self.scripts.claim, job, arguments).await;
        let given = given.inspect_err(|_| self.unheard.was_lost(job, claim))?;
        let claimed = parcel::unpack_claim(job, &given)?;
        self.bells.told(job, asked, claimed.next_due);
        if !claimed.thrown_away.is_empty() {
            tracing::error!(job, entries = claimed.thrown_away, "what was no message of ours is thrown away");
        }
        for damaged in &claimed.damaged {
            self.bury(damaged).await;
        }
        Ok(claimed.leased)
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), QueueError> {
        let mut of_jobs: BTreeMap<String, Vec<(Lease, Settlement)>> = BTreeMap::new();
        for settlement in settlements {
            let (Settlement::Done(ticket) | Settlement::Again { ticket, .. } | Settlement::Dead { ticket, .. }) =
                &settlement;
            // A ticket that is none of ours ends nothing.
            let Some(lease) = Lease::read(ticket) else { continue };
            of_jobs.entry(lease.job.clone()).or_default().push((lease, settlement));
        }
        for (job, settled) in of_jobs {
            for some in settled.chunks(AT_ONCE) {
                self.settle_some(&job, some).await?;
            }
        }
        Ok(())
    }

    async fn wait(&self, job: &str) {
        self.bells.wait(job).await;
    }
}

/// For how long dead letters are kept, and how many, as the scripts want it.
fn kept_letters() -> [Vec<u8>; 2] {
    [DEAD_LETTER_RETENTION.as_millis().to_string().into_bytes(), MOST_DEAD_LETTERS.to_string().into_bytes()]
}

/// An instant as the scripts want it.
fn text(instant: Option<Timestamp>) -> Vec<u8> {
    instant.map_or_else(Vec::new, |instant| instant.0.to_string().into_bytes())
}

fn away(error: RedisError) -> QueueError {
    QueueError::Away(error.what)
}
