//! What it does not do as the others do. Each proof shows that the gap is still there: one that fails tells that a newer
//! apalis-redis has closed it, and that it may go from the list.

use std::time::{Duration, Instant};

use domain::Timestamp;
use engine_redis::redis::cmd;
use jobs::ports::{Enqueue, Inspect, Lane, Message, QueueError};
use queue::{GAPS, MOST_WAITING};
use telltale_tests::eventually;
use tokio::time::timeout;

use super::{
    Fixture,
    noted::{End, noted, open_the_gate, runs},
};

macro_rules! gaps {
    ($($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                proofs::$case(Fixture::apalis_redis().await).await;
            }
        )+

        #[test]
        fn all_that_are_told_at_the_start_are_proven() {
            assert_eq!(GAPS.iter().map(|gap| gap.case).collect::<Vec<_>>(), [$(stringify!($case)),+]);
        }
    };
}

gaps!(
    urgent_lanes_go_first,
    a_message_is_not_given_before_it_is_due,
    every_lease_counts_as_an_attempt,
    a_run_that_never_ends_becomes_a_dead_letter,
    a_lease_that_ran_out_is_given_again,
    a_stale_ticket_changes_nothing,
    a_key_that_waits_is_taken_once,
    twenty_thousand_due_messages_are_drained,
    a_redis_whose_memory_is_full_takes_no_more_and_what_it_holds_is_worked_off,
    a_lease_is_as_long_for_a_worker_whose_clock_is_wrong,
    what_waits_is_listed_in_the_order_it_is_given,
    a_message_that_waits_is_cancelled_and_its_key_taken_again,
);

mod proofs {
    use super::*;

    pub(super) async fn what_waits_is_listed_in_the_order_it_is_given(fixture: Fixture) {
        fixture.enqueue([noted("waits", End::Done)]).await;
        let job = noted("waits", End::Done).job;
        assert!(matches!(fixture.queue.waiting(&job, 1).await, Err(QueueError::Invalid(_))));
    }

    pub(super) async fn a_message_that_waits_is_cancelled_and_its_key_taken_again(fixture: Fixture) {
        fixture.enqueue([noted("waits", End::Done)]).await;
        let Message { job, key, .. } = noted("waits", End::Done);
        assert!(matches!(fixture.queue.cancel(&job, &key).await, Err(QueueError::Invalid(_))));
        assert_eq!(fixture.queue.depth(&job).await.unwrap().waiting, 1);
    }

    pub(super) async fn urgent_lanes_go_first(fixture: Fixture) {
        fixture.enqueue([noted("normal", End::Done)]).await;
        fixture.enqueue([Message { lane: Lane::Urgent, ..noted("urgent", End::Done) }]).await;
        fixture.work(1);
        assert_eq!(fixture.until_runs(2).await, ["normal", "urgent"]);
    }

    pub(super) async fn a_message_is_not_given_before_it_is_due(fixture: Fixture) {
        fixture.work(1);
        let second = fixture.cx.clock.now().0 / 1000 + 2;
        let due = Timestamp(second * 1000 + 1);
        fixture.enqueue([Message { not_before: Some(due), ..noted("later", End::Done) }]).await;
        fixture.until_runs(1).await;
        let (_, at) = runs(&fixture.cx).await.remove(0);
        assert!(at >= Timestamp((second + 1) * 1000), "it was run at {at:?} and not a second late");
    }

    /// The last run it gets, in a process that dies; another gives it a run all the same.
    pub(super) async fn every_lease_counts_as_an_attempt(fixture: Fixture) {
        die_with(&fixture, Message { max_attempts: 1, ..noted("a", End::WhenOpen) }).await;
        open_the_gate(&fixture.cx).await;
        fixture.work(1);
        fixture.until_runs(2).await;
        fixture.until_counts((0, 0, 0)).await;
    }

    /// Were it counted, the second death would have made it a dead letter.
    pub(super) async fn a_run_that_never_ends_becomes_a_dead_letter(fixture: Fixture) {
        let poison = Message { max_attempts: 1, ..noted("poison", End::WhenOpen) };
        die_with(&fixture, poison.clone()).await;
        die_with(&fixture, poison).await;
        assert_eq!(fixture.runs().await, ["poison", "poison"]);
        assert_eq!(fixture.letters().await, []);
    }

    pub(super) async fn a_lease_that_ran_out_is_given_again(fixture: Fixture) {
        let died = die_with(&fixture, noted("a", End::WhenOpen)).await;
        fixture.work(1);
        fixture.until_runs(2).await;
        let took = died.elapsed();
        assert!(took > Duration::from_secs(4), "it came back after {took:?}: not by signs of life");
        assert!(took < Duration::from_secs(25), "it took {took:?}");
    }

    /// Its worker is taken for dead while it runs.
    pub(super) async fn a_stale_ticket_changes_nothing(fixture: Fixture) {
        fixture.work(1);
        fixture.enqueue([noted("a", End::WhenOpen)]).await;
        fixture.until_counts((0, 1, 0)).await;
        let worker = worker_names(&fixture).await.remove(0);
        fixture.call::<()>(cmd("DEL").arg(fixture.key(&format!("inflight:{worker}")))).await;
        open_the_gate(&fixture.cx).await;
        eventually("another worker is started", async || {
            worker_names(&fixture).await.iter().any(|name| *name != worker).then_some(())
        })
        .await;
    }

    pub(super) async fn a_key_that_waits_is_taken_once(fixture: Fixture) {
        fixture.enqueue([noted("a", End::Done)]).await;
        let key = fixture.key("idempotency:a");
        let holds: i64 = fixture.call(cmd("TTL").arg(&key)).await;
        assert!((3500..=3600).contains(&holds), "it holds for {holds} s");
        fixture.call::<()>(cmd("EXPIRE").arg(&key).arg(0)).await;
        fixture.enqueue([noted("a", End::Done)]).await;
        assert_eq!(fixture.counts().await, (2, 0, 0));
    }

    /// So many that are due stop its worker; ours makes the way free and starts it again.
    pub(super) async fn twenty_thousand_due_messages_are_drained(fixture: Fixture) {
        let full = MOST_WAITING + 1;
        let messages = (0..full).map(|n| noted(&n.to_string(), End::Done)).collect();
        assert!(fixture.queue.enqueue(messages).await.is_err());

        fixture.work(8);
        fixture.until_counts((0, 0, 0)).await;
        let before = worker_names(&fixture).await;
        fixture.enqueue([Message { not_before: Some(far(&fixture)), ..noted("one of many", End::Done) }]).await;
        fixture.call::<()>(cmd("EVAL").arg(COPY).arg(1).arg(fixture.key("")).arg(8_100)).await;
        eventually("another worker is started", async || {
            worker_names(&fixture).await.iter().any(|name| !before.contains(name)).then_some(())
        })
        .await;
        fixture.until_counts((1, 0, 0)).await;
    }

    /// Not even what waits is given out, until there is more of it.
    pub(super) async fn a_redis_whose_memory_is_full_takes_no_more_and_what_it_holds_is_worked_off(fixture: Fixture) {
        fixture.enqueue([noted("a", End::Done)]).await;
        fixture.call::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg("1mb")).await;
        fixture.work(1);
        let stays = timeout(Duration::from_secs(5), fixture.until_counts((0, 0, 0))).await;
        assert!(stays.is_err(), "it was given out");
        fixture.call::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg("0")).await;
        fixture.until_counts((0, 0, 0)).await;
    }

    /// It tells Redis the time, rather than asks: that is why a clock that is wrong is refused.
    pub(super) async fn a_lease_is_as_long_for_a_worker_whose_clock_is_wrong(fixture: Fixture) {
        fixture.call::<()>(cmd("CONFIG").arg("SET").arg("slowlog-log-slower-than").arg(0)).await;
        fixture.work(1);
        let workers = fixture.key("workers");
        eventually("a worker tells the time", async || {
            let now = fixture.cx.clock.now().0 / 1000;
            let is_now = |text: &String| text.parse::<i64>().is_ok_and(|told| (now - told).abs() <= 60);
            let said: Vec<(i64, i64, i64, Vec<String>, String, String)> =
                fixture.call(cmd("SLOWLOG").arg("GET").arg(50)).await;
            said.iter().any(|said| said.3.contains(&workers) && said.3.iter().any(is_now)).then_some(())
        })
        .await;
    }
}

/// Runs a message in a process that dies of it, once it is there or was given back. When that was.
async fn die_with(fixture: &Fixture, message: Message) -> Instant {
    let runs = fixture.runs().await.len();
    fixture.enqueue([message]).await;
    let process = fixture.work_elsewhere(1).await;
    fixture.until_runs(runs + 1).await;
    process.shutdown_background();
    Instant::now()
}

async fn worker_names(fixture: &Fixture) -> Vec<String> {
    fixture.call(cmd("ZRANGE").arg(fixture.key("workers")).arg(0).arg(-1)).await
}

fn far(fixture: &Fixture) -> Timestamp {
    fixture.cx.clock.now().plus(Duration::from_hours(1))
}

/// Copies the one task that waits so many times, each due now.
const COPY: &str = "
    local base = KEYS[1]
    local id = redis.call('ZRANGE', base .. 'scheduled', 0, 0)[1]
    local data = redis.call('HGET', base .. 'data', id)
    for n = 1, tonumber(ARGV[1]) do
      local copy = 'copy-' .. n
      redis.call('HSET', base .. 'data', copy, data)
      redis.call('HSET', base .. 'meta:' .. copy, 'attempts', 0, 'max_attempts', 25, 'status', 'Pending')
      redis.call('ZADD', base .. 'scheduled', 1, copy)
    end";
