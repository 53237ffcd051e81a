//! The queue's suite: `Enqueue`, `Consume` and `Inspect` together.

mod crowds;
mod damage;
mod failing;
mod giving;
mod keys;
mod restarts;
mod spool;
mod waiting;

use std::{any::Any, sync::Arc, time::Duration};

use domain::Timestamp;
use engine_embedded::Engine;
use jobs::ports::{Clock, Consume, Depth, Enqueue, Inspect, Lane, Leased, Message, Settlement};
use queue::{EmbeddedQueue, MemoryQueue};
use telltale_tests::{ManualClock, RedisServer};
use tempfile::TempDir;

use self::{crowds::*, failing::*, giving::*, keys::*, waiting::*};

suite!([memory, embedded], async [redis]; [
    a_message_is_given_as_it_was_taken,
    a_message_is_given_once_and_forgotten_when_done,
    an_empty_queue_gives_nothing,
    a_claim_gives_no_more_than_asked_for,
    each_job_has_its_own_messages,
    urgent_lanes_go_first,
    within_a_lane_the_longest_due_goes_first,
    a_message_is_not_given_before_it_is_due,
    waiting_ends_when_something_is_due,
    what_no_queue_could_hold_is_refused,
    a_key_that_waits_is_taken_once,
    a_key_that_runs_is_taken_once,
    a_key_that_is_done_is_taken_again,
    a_key_that_is_dead_does_not_block_another,
    a_key_belongs_to_its_job,
    a_lease_that_ran_out_is_given_again,
    every_lease_counts_as_an_attempt,
    a_run_that_never_ends_becomes_a_dead_letter,
    a_failed_run_is_given_again_when_it_says,
    the_last_failed_run_makes_a_dead_letter,
    a_dead_message_is_not_given_again,
    a_stale_ticket_changes_nothing,
    a_foreign_ticket_changes_nothing,
    dead_letters_are_listed_oldest_first,
    a_redriven_letter_begins_anew,
    a_letter_is_redriven_once,
    a_letter_whose_key_is_back_is_the_same_work,
    a_letter_that_is_discarded_is_gone,
    old_letters_are_forgotten,
    what_waits_is_listed_in_the_order_it_is_given,
    a_message_that_waits_is_cancelled_and_its_key_taken_again,
    what_runs_is_not_cancelled,
    two_claimers_never_get_the_same_message,
    of_racing_enqueues_of_one_key_one_is_taken,
    twenty_thousand_due_messages_are_drained,
    nobody_waits_for_a_heartbeat,
]);

const JOB: &str = "test_job";
const LEASE: Duration = Duration::from_secs(30);

/// All that a queue in this process can do.
pub(super) trait Queue: Enqueue + Consume + Inspect {}

impl<T: Enqueue + Consume + Inspect> Queue for T {}

/// A queue, the time it goes by, and where it lies.
pub(super) struct Fixture {
    queue: Arc<dyn Queue>,
    clock: Arc<ManualClock>,
    /// What the queue lies in.
    _lies_in: Box<dyn Any + Send>,
}

impl Fixture {
    fn memory() -> Self {
        let clock = Arc::new(ManualClock::new());
        Self { queue: Arc::new(MemoryQueue::new(clock.clone())), clock, _lies_in: Box::new(()) }
    }

    fn embedded() -> Self {
        let clock = Arc::new(ManualClock::new());
        let folder = TempDir::new().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        let queue = EmbeddedQueue::open(engine, clock.clone()).unwrap();
        Self { queue: Arc::new(queue), clock, _lies_in: Box::new(folder) }
    }

    async fn redis() -> Self {
        let clock = Arc::new(ManualClock::new());
        let server = RedisServer::start().await.unwrap();
        let queue = server.queue(clock.clone()).await.unwrap();
        Self { queue: Arc::new(queue), clock, _lies_in: Box::new(server) }
    }

    async fn enqueue(&self, messages: impl IntoIterator<Item = Message>) {
        self.queue.enqueue(messages.into_iter().collect()).await.unwrap();
    }

    async fn claim(&self, limit: usize) -> Vec<Leased> {
        self.queue.claim(JOB, limit, LEASE).await.unwrap()
    }

    /// The one message there is to claim.
    async fn claim_one(&self) -> Leased {
        let mut claimed = self.claim(10).await;
        assert_eq!(claimed.len(), 1, "exactly one message is due");
        claimed.remove(0)
    }

    async fn settle(&self, settlement: Settlement) {
        self.queue.settle(vec![settlement]).await.unwrap();
    }

    async fn done(&self, leased: &Leased) {
        self.settle(Settlement::Done(leased.ticket.clone())).await;
    }

    async fn again_at(&self, leased: &Leased, not_before: Timestamp) {
        self.settle(Settlement::Again { ticket: leased.ticket.clone(), not_before, why: "it failed".to_owned() }).await;
    }

    async fn again_now(&self, leased: &Leased) {
        self.again_at(leased, self.clock.now()).await;
    }

    async fn dead(&self, leased: &Leased, why: &str) {
        self.settle(Settlement::Dead { ticket: leased.ticket.clone(), why: why.to_owned() }).await;
    }

    async fn depth(&self) -> Depth {
        self.queue.depth(JOB).await.unwrap()
    }

    /// How many messages wait, run and are dead.
    async fn counts(&self) -> (usize, usize, usize) {
        let Depth { waiting, running, dead } = self.depth().await;
        (waiting, running, dead)
    }

    /// In how long, by the clock of the test.
    fn after(&self, wait: Duration) -> Timestamp {
        self.clock.now().plus(wait)
    }
}

/// A message of the test's job, due at once, that gets three runs.
fn message(key: &str) -> Message {
    Message {
        job: JOB.to_owned(),
        key: key.to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts: 3,
        body: format!("{{\"key\":{key:?}}}").into(),
    }
}

fn keys(leased: &[Leased]) -> Vec<&str> {
    leased.iter().map(|leased| leased.message.key.as_str()).collect()
}
