use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use domain::Timestamp;
use jobs::{
    ports::{Address, Delivery, Enqueue, Letter, MeetingState, Notifier, Receipt},
    report::Event,
};
use tokio::time::sleep;

use super::*;
use crate::{
    counters::Counters,
    fakes::{CountingDice, MemoryQueue, TokioClock},
    reports::Batcher,
};

const DELAY: Duration = Duration::from_secs(15);
const PART: &str = "broker:8081";

/// Takes letters, but for those that it was told to put off.
#[derive(Default)]
struct Desk {
    letters: Mutex<Vec<Letter>>,
    put_off: Mutex<VecDeque<Delivery>>,
}

#[async_trait]
impl Notifier for Desk {
    async fn send(&self, letter: &Letter) -> Delivery {
        self.letters.lock().unwrap().push(letter.clone());
        let put_off = self.put_off.lock().unwrap().pop_front();
        put_off.unwrap_or_else(|| Delivery::Sent(Receipt("204".to_owned())))
    }
}

#[derive(Default)]
struct Remembers(Mutex<Vec<Outage>>);

impl Memory for Remembers {
    fn told(&self) -> Vec<Outage> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, outage: &Outage) {
        self.0.lock().unwrap().push(outage.clone());
    }

    fn forget(&self, outage: &Outage) {
        self.0.lock().unwrap().retain(|other| other != outage);
    }
}

#[derive(Default)]
struct Spool {
    messages: AtomicU64,
    bytes: AtomicU64,
    disk_is_full: AtomicBool,
}

/// Where brokers meet, as it is told to be.
#[derive(Default)]
struct Meets(Mutex<MeetingState>);

impl MeetingPoint for Meets {
    fn state(&self) -> MeetingState {
        self.0.lock().unwrap().clone()
    }
}

impl Spool {
    fn holds(&self, bytes: u64) {
        self.messages.store(bytes.div_ceil(10), Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Spooling for Spool {
    fn state(&self) -> SpoolState {
        let (messages, bytes) = (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let disk_is_full = self.disk_is_full.load(Ordering::Relaxed);
        SpoolState { messages, bytes, most_bytes: 1000, disk_is_full, ..SpoolState::default() }
    }
}

/// A lookout that runs, and those whom it tells.
struct Site {
    queue: Arc<MemoryQueue>,
    looks: Arc<Looks>,
    spool: Arc<Spool>,
    meeting: Arc<Meets>,
    desk: Arc<Desk>,
    memory: Arc<Remembers>,
    operator: Operator,
    stop: CancellationToken,
}

impl Site {
    fn start() -> Self {
        Self::with(Remembers::default())
    }

    /// After a process that told of this.
    fn with(memory: Remembers) -> Self {
        let (queue, clock) = (Arc::new(MemoryQueue::new()), Arc::new(TokioClock::new()));
        let (batcher, reporter) = Batcher::new(
            Arc::clone(&queue) as Arc<dyn Enqueue>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(CountingDice::default()),
            Arc::<Counters>::default(),
        );
        let (desk, looks, spool) = (Arc::<Desk>::default(), Arc::<Looks>::default(), Arc::<Spool>::default());
        let webhook = PlatformWebhook { url: "https://ops.example".to_owned(), secret: "whsec_AAAA".to_owned() };
        let operator = Operator::at(Some(&webhook), Arc::clone(&desk) as Arc<dyn Notifier>);
        let (memory, stop, meeting) = (Arc::new(memory), CancellationToken::new(), Arc::<Meets>::default());
        let parts = LookoutParts {
            part: PART.to_owned(),
            settings: PlatformSettings::default(),
            looks: Arc::clone(&looks),
            probes: Vec::new(),
            queue: None,
            meeting: Some(Arc::clone(&meeting) as _),
            operator: operator.clone(),
            memory: Arc::clone(&memory) as Arc<dyn Memory>,
        };
        let lookout = Lookout::new(parts, reporter, clock, Some(Arc::clone(&spool) as Arc<dyn Spooling>));
        tokio::spawn(batcher.run(stop.clone()));
        tokio::spawn(lookout.run(stop.clone()));
        Self { queue, looks, spool, meeting, desk, memory, operator, stop }
    }

    /// Something is seen so every second for so long.
    async fn sees(&self, needs: &'static str, away: Option<&str>, time: Duration) {
        for _ in 0..time.as_secs() {
            self.looks.saw(needs, away.map(str::to_owned));
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// What the operator was told, oldest first.
    fn told(&self) -> Vec<String> {
        self.desk.letters.lock().unwrap().iter().map(|letter| letter.subject.clone()).collect()
    }

    fn reported(&self) -> Vec<&'static str> {
        let name = |event: Event| match event {
            Event::PartAway { .. } => Some("away"),
            Event::PartBack { .. } => Some("back"),
            Event::PartCounted { .. } => None,
            _ => Some("something else"),
        };
        self.queue.events().into_iter().filter_map(name).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn of(needs: &str) -> Need {
    Need { part: PART.to_owned(), needs: needs.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn what_is_away_for_longer_than_the_delay_is_told_once_and_its_end_once() {
    let site = Site::start();
    site.sees(STORE, None, DELAY).await;
    site.sees(STORE, Some("it does not answer"), DELAY * 3).await;
    assert_eq!(site.told(), ["Alarm: broker:8081, store"]);
    assert_eq!(site.memory.told().len(), 1);
    site.sees(STORE, None, DELAY).await;
    assert_eq!(site.told(), ["Alarm: broker:8081, store", "Recovered: broker:8081, store"]);
    assert_eq!(site.reported(), ["away", "back"]);
    assert_eq!(site.memory.told(), []);

    let letters = site.desk.letters.lock().unwrap();
    assert_eq!(letters[0].data["state"], "away");
    assert!(letters[0].text.contains("the store is away since") && letters[0].text.contains("it does not answer"));
    assert!(letters[1].text.contains("is back after 45 s"), "{}", letters[1].text);
    assert!(matches!(&letters[0].address, Address::Webhook { url, .. } if url == "https://ops.example"));
}

#[tokio::test(start_paused = true)]
async fn what_is_away_for_a_moment_again_and_again_is_told_to_nobody() {
    let site = Site::start();
    for _ in 0..10 {
        site.sees(STORE, Some("it does not answer"), Duration::from_secs(13)).await;
        site.sees(STORE, None, Duration::from_secs(2)).await;
    }
    assert_eq!((site.told(), site.reported()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn one_failure_is_no_proof_of_a_long_one() {
    let site = Site::start();
    site.looks.saw(STORE, Some("it does not answer".to_owned()));
    sleep(DELAY * 10).await;
    assert_eq!(site.told(), Vec::<String>::new());
    site.looks.saw(STORE, Some("it does not answer".to_owned()));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(site.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_operator_hears_at_once_and_the_reports_go_in_order_when_the_queue_is_back() {
    let site = Site::start();
    site.queue.goes_away();
    site.sees(QUEUE, Some("connection refused"), DELAY * 2).await;
    assert_eq!(site.told(), ["Alarm: broker:8081, queue"]);
    assert_eq!(site.reported(), Vec::<&str>::new());
    site.queue.comes_back();
    site.sees(QUEUE, None, DELAY).await;
    assert_eq!(site.reported(), ["away", "back"]);
    assert_eq!(site.told().len(), 2);
    let reports = site.queue.reports();
    let Event::PartBack { absence: Some(absence), .. } = &reports[1].event else { panic!("{reports:?}") };
    assert_eq!(absence.since, reports[0].at, "the end says when it began");
    assert!(reports[0].at < reports[1].at && reports[0].node.is_empty(), "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_spool_is_named_and_the_queue_is_not_back_before_it_is_empty() {
    let site = Site::start();
    site.spool.holds(120);
    site.sees(QUEUE, Some("connection refused"), DELAY * 2).await;
    let text = site.desk.letters.lock().unwrap()[0].text.clone();
    assert!(text.contains("connection refused; 12 batches of results wait in the spool"), "{text}");
    site.sees(QUEUE, None, DELAY).await;
    assert_eq!(site.told().len(), 1, "what was spooled still waits");
    site.spool.holds(0);
    site.sees(QUEUE, None, DELAY).await;
    assert_eq!(site.told().last().unwrap(), "Recovered: broker:8081, queue");
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_fills_is_told_at_once_and_once_though_it_wavers() {
    let site = Site::start();
    let second = Duration::from_secs(1);
    for bytes in [901, 899, 950, 850, 1000, 501] {
        site.spool.holds(bytes);
        sleep(2 * second).await;
    }
    assert_eq!(site.told(), ["Alarm: broker:8081, spool"]);
    site.spool.holds(400);
    sleep(2 * second).await;
    assert_eq!(site.told(), ["Alarm: broker:8081, spool", "Recovered: broker:8081, spool"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_under_an_empty_spool_is_told_before_anything_is_put_there() {
    let site = Site::start();
    site.spool.disk_is_full.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(site.told(), ["Alarm: broker:8081, spool"]);
    let text = site.desk.letters.lock().unwrap()[0].text.clone();
    assert!(text.contains("its disk takes no more"), "{text}");
    site.spool.disk_is_full.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(site.told().last().unwrap(), "Recovered: broker:8081, spool");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_may_forget_and_a_clock_that_is_wrong_are_alarms_with_what_to_do() {
    let site = Site::start();
    let (forgets, clock_ahead_ms) = (Some("set appendfsync".to_owned()), Some(3_600_000));
    *site.meeting.0.lock().unwrap() = MeetingState { forgets, clock_ahead_ms, ..MeetingState::default() };
    sleep(DELAY * 2).await;
    let texts: Vec<String> = site.desk.letters.lock().unwrap().iter().map(|letter| letter.text.clone()).collect();
    let [forgets, clock] = texts.as_slice() else { panic!("{texts:?}") };
    assert!(forgets.starts_with("the queue may lose what it is given since") && forgets.contains("set appendfsync"));
    assert!(clock.starts_with("the clock is wrong since") && clock.contains("3600.0 s ahead"), "{clock}");
    *site.meeting.0.lock().unwrap() = MeetingState { clock_ahead_ms: Some(4000), ..MeetingState::default() };
    sleep(DELAY).await;
    assert_eq!(site.told()[2..], ["Recovered: broker:8081, durability", "Recovered: broker:8081, clock"]);
    assert_eq!(site.reported(), ["away", "away", "back", "back"]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_the_operator_did_not_take_comes_again_under_the_same_id_and_before_the_next() {
    let site = Site::start();
    let later = || Delivery::TryLater { after: None, why: "503".to_owned() };
    site.desk.put_off.lock().unwrap().extend([later(), later()]);
    site.sees(STORE, Some("it does not answer"), DELAY + Duration::from_secs(2)).await;
    site.sees(STORE, None, DELAY).await;
    let letters = site.desk.letters.lock().unwrap();
    let ids: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    assert!(letters[3].subject.starts_with("Recovered"));
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_told_of_is_not_told_again_and_its_end_is() {
    let outage = Outage { need: of(QUEUE), since: Timestamp(1_700_000_000_000), why: "refused".to_owned() };
    let site = Site::with(Remembers(Mutex::new(vec![outage])));
    site.sees(QUEUE, Some("connection refused"), DELAY * 2).await;
    assert_eq!(site.told(), Vec::<String>::new());
    site.sees(QUEUE, None, DELAY).await;
    assert_eq!((site.told(), site.reported()), (vec!["Recovered: broker:8081, queue".to_owned()], vec!["back"]));
    assert_eq!(site.memory.told(), []);
}

#[tokio::test(start_paused = true)]
async fn what_was_told_under_another_name_ends_under_that_one_and_what_comes_next_is_told_under_ours() {
    let need = Need { part: "broker:old:8081".to_owned(), needs: QUEUE.to_owned() };
    let outage = Outage { need, since: Timestamp(1_700_000_000_000), why: "refused".to_owned() };
    let site = Site::with(Remembers(Mutex::new(vec![outage])));
    site.sees(QUEUE, None, DELAY).await;
    assert_eq!(site.told(), ["Recovered: broker:old:8081, queue"]);
    site.sees(QUEUE, Some("connection refused"), DELAY * 2).await;
    assert_eq!(site.told()[1..], ["Alarm: broker:8081, queue"]);
    assert_eq!(site.memory.told().len(), 1, "only ours is not over");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_what_a_dead_broker_told_of_is_told_by_another_under_the_id_that_it_would_have_had() {
    let site = Site::start();
    site.sees(QUEUE, Some("connection refused"), DELAY * 2).await;
    let told = Remembers(Mutex::new(site.memory.told()));
    end_outages(site.queue.as_ref(), &site.operator, &told, Timestamp(i64::MAX / 2)).await.unwrap();
    assert_eq!(told.told(), []);
    site.sees(QUEUE, None, DELAY).await;
    let letters = site.desk.letters.lock().unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[1].id, letters[2].id);
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_seen_by_what_it_takes_and_refuses() {
    let looks = Arc::<Looks>::default();
    let queue = Arc::new(MemoryQueue::new());
    let watched = WatchedQueue::new(Arc::clone(&queue) as Arc<dyn Enqueue>, Arc::clone(&looks));
    watched.enqueue(Vec::new()).await.unwrap();
    assert_eq!(looks.last(QUEUE), None);
    queue.goes_away();
    let report = jobs::Job::message(&jobs::ProcessResults { batch: "b".to_owned(), reports: Vec::new() });
    watched.enqueue(vec![report.clone()]).await.unwrap_err();
    assert!(looks.last(QUEUE).unwrap().away.is_some());
    queue.comes_back();
    watched.enqueue(vec![report]).await.unwrap();
    assert!(looks.last(QUEUE).unwrap().away.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_the_spool_is_counted_once_a_minute() {
    let site = Site::start();
    site.spool.holds(250);
    sleep(Duration::from_secs(150)).await;
    let counted = site.queue.events().into_iter().filter_map(|event| match event {
        Event::PartCounted { need, values } => Some((need, values)),
        _ => None,
    });
    let spool = (of(SPOOL), [("spool_fill".to_owned(), 25.0)].into());
    assert_eq!(counted.collect::<Vec<_>>(), [spool.clone(), spool]);
}
