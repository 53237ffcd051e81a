use std::future::Future;

use domain::Mac;
use jobs::report::{Answer, Event, RawReply};
use tokio::task::JoinHandle;

use super::*;
use crate::fakes::{CountingDice, MemoryQueue, TokioClock, eventually};

struct Batched {
    reporter: Reporter,
    queue: Arc<MemoryQueue>,
    counters: Arc<Counters>,
    stop: CancellationToken,
    batcher: JoinHandle<()>,
}

fn start(queue: MemoryQueue) -> Batched {
    start_gathering(queue, Duration::ZERO)
}

fn start_gathering(queue: MemoryQueue, gather: Duration) -> Batched {
    let (queue, counters) = (Arc::new(queue), Arc::<Counters>::default());
    let (clock, dice) = (Arc::new(TokioClock::new()), Arc::new(CountingDice::default()));
    let (batcher, reporter) = Batcher::new(Arc::clone(&queue) as _, clock, dice, Arc::clone(&counters));
    let stop = CancellationToken::new();
    let batcher = tokio::spawn(batcher.gathering(gather, MOST_REPORTS).run(stop.clone()));
    Batched { reporter, queue, counters, stop, batcher }
}

fn mac(number: usize) -> Mac {
    format!("{number:012}").parse().unwrap()
}

fn answer(number: usize, bytes: usize) -> Event {
    Event::Answered(Answer {
        mac: mac(number),
        pid: 1,
        protocol: "modbusP".to_owned(),
        asked: domain::Timestamp(1),
        told: None,
        interval: 20_000,
        line_ms: 0,
        line_bytes: 0,
        replies: vec![RawReply { content: "0103".to_owned(), bytes: vec![0; bytes] }],
        unanswered: 0,
        overtaken: false,
    })
}

fn off(number: usize) -> Event {
    Event::TerminalOff { mac: mac(number) }
}

/// So many submissions at once.
fn submit(site: &Batched, count: usize, bytes: usize) -> impl Future<Output = Vec<Result<(), NotTaken>>> + use<> {
    let submissions = (0..count).map(|number| {
        let reporter = site.reporter.clone();
        async move { reporter.submit("n1".to_owned(), answer(number, bytes)).await }
    });
    futures::future::join_all(submissions)
}

#[tokio::test(start_paused = true)]
async fn what_gathers_during_a_write_is_one_batch() {
    let site = start(MemoryQueue::gated());
    let outcomes = tokio::spawn(submit(&site, 101, 10));
    tokio::time::sleep(Duration::from_millis(10)).await;
    site.queue.let_one_pass();
    site.queue.let_one_pass();
    assert!(outcomes.await.unwrap().iter().all(Result::is_ok));
    let sizes: Vec<usize> = site.queue.batches().iter().map(|batch| batch.reports.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 101);
    assert!(sizes.len() <= 2, "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_answered_before_the_write_is_durable() {
    let site = start(MemoryQueue::gated());
    let mut outcomes = Box::pin(submit(&site, 1, 10));
    tokio::select! {
        _ = &mut outcomes => panic!("answered too early"),
        () = tokio::time::sleep(Duration::from_mins(1)) => {}
    }
    site.queue.let_one_pass();
    assert_eq!(outcomes.await, [Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_carries_two_hundred_reports_and_fits_into_a_message() {
    let site = start(MemoryQueue::new());
    assert!(submit(&site, 1000, 10).await.iter().all(Result::is_ok));
    assert!(submit(&site, 100, 10_000).await.iter().all(Result::is_ok));
    let batches = site.queue.batches();
    assert!(batches.iter().all(|batch| batch.reports.len() <= MOST_REPORTS));
    assert!(batches.iter().all(|batch| batch.message().body.len() <= jobs::ports::MOST_BODY_BYTES));
    assert_eq!(batches.iter().map(|batch| batch.reports.len()).sum::<usize>(), 1100);
    let mut names: Vec<&str> = batches.iter().map(|batch| batch.batch.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), batches.len());
}

#[tokio::test(start_paused = true)]
async fn a_report_larger_than_a_batch_is_refused_alone() {
    let site = start(MemoryQueue::new());
    assert_eq!(submit(&site, 1, 150_000).await, [Err(NotTaken::TooLarge)]);
    assert_eq!(submit(&site, 1, 90_000).await, [Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn events_outlast_a_queue_that_is_away_and_keep_their_order() {
    let site = start(MemoryQueue::new());
    site.queue.goes_away();
    (0..300).for_each(|number| site.reporter.report("n1".to_owned(), off(number)));
    assert_eq!(submit(&site, 1, 10).await, [Err(NotTaken::Away)]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    site.queue.comes_back();
    let events = eventually("all are there", || Some(site.queue.events()).filter(|events| events.len() == 300)).await;
    assert!(events.iter().enumerate().all(|(number, event)| *event == off(number)));
    assert_eq!(site.counters.reports_dropped.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_before_the_stop_is_written_and_nothing_is_taken_after_it() {
    let site = start(MemoryQueue::gated());
    (0..500).for_each(|number| site.reporter.report("n1".to_owned(), off(number)));
    site.stop.cancel();
    (0..10).for_each(|_| site.queue.let_one_pass());
    site.batcher.await.unwrap();
    assert_eq!(site.queue.events().len(), 500);
    assert_eq!(site.reporter.submit("n1".to_owned(), off(1)).await, Err(NotTaken::Away));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_stops_does_not_wait_for_ever_for_a_queue_that_is_away() {
    let site = start(MemoryQueue::new());
    site.queue.goes_away();
    site.reporter.report("n1".to_owned(), off(1));
    site.stop.cancel();
    site.batcher.await.unwrap();
    assert_eq!(site.counters.reports_dropped.get(), 1);
}

const A_SECOND: Duration = Duration::from_secs(1);

/// A submission by this node.
fn post(site: &Batched, node: &str, number: usize) -> JoinHandle<Result<(), NotTaken>> {
    let (reporter, node) = (site.reporter.clone(), node.to_owned());
    tokio::spawn(async move { reporter.submit(node, answer(number, 10)).await })
}

fn sizes(site: &Batched) -> Vec<usize> {
    site.queue.batches().iter().map(|batch| batch.reports.len()).collect()
}

#[tokio::test(start_paused = true)]
async fn where_a_batch_gathers_what_comes_within_its_time_is_one_batch() {
    let site = start_gathering(MemoryQueue::new(), A_SECOND);
    let mut posts = Vec::new();
    for (number, node) in ["n1", "n2", "n3", "n1", "n2"].into_iter().enumerate() {
        posts.push(post(&site, node, number));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(sizes(&site), [0; 0]);
    for post in posts {
        assert_eq!(post.await.unwrap(), Ok(()));
    }
    assert_eq!(sizes(&site), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_waits_with_most_of_its_posts_is_answered_at_once() {
    let site = start_gathering(MemoryQueue::new(), A_SECOND);
    let begin = tokio::time::Instant::now();
    let posts: Vec<_> =
        ["n1", "n2", "n1", "n1"].into_iter().enumerate().map(|(n, node)| post(&site, node, n)).collect();
    for post in posts {
        assert_eq!(post.await.unwrap(), Ok(()));
    }
    assert!(begin.elapsed() < A_SECOND, "{:?}", begin.elapsed());
    assert_eq!(sizes(&site), [4], "the others go with it");
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once() {
    let site = start_gathering(MemoryQueue::new(), A_SECOND);
    let begin = tokio::time::Instant::now();
    (0..MOST_REPORTS).for_each(|number| site.reporter.report("n1".to_owned(), off(number)));
    eventually("it is there", || Some(()).filter(|()| sizes(&site) == [MOST_REPORTS])).await;
    assert!(begin.elapsed() < A_SECOND, "{:?}", begin.elapsed());
}
