//! One process without sockets: the jobs over the in-memory adapters, a clock that is turned by hand, a notifier that
//! records. A broker is played by reports.

#![expect(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "a test that cannot go on fails")]

mod devices;
mod furnish;
mod large;
mod ports;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{DeviceId, Mac, Pid, Timestamp};
use jobs::{
    AlarmSettings, Catalog, Context, DeliverNotice, DispatchQueries, EvaluateAlarms, FanOut, HeartbeatSettings, Job,
    PlanWindow, ProcessResults, ScheduleSettings, Settings, Stationery, Sweep, Verdict, execute,
    ports::{Consume, Enqueue, Inspect, Letter, Link, Message, PlannedQuery, Push, Settlement, Table},
    report::{Answer, Event, RawReply, Report},
};
use notify::recording::RecordingNotifier;
use queue::MemoryQueue;
use records::{
    Clock,
    locale::Locale,
    terminals::{self, Device},
    users::{self, Role, User},
};
use table::MemoryTable;

pub use self::devices::climate_of;
pub use self::furnish::{furnish, is_held};
pub use self::large::LargeNode;
use self::ports::{CuttableQueue, RecordingLink};
use crate::{at_once::told_at_once, clock::ManualClock, dice::LoadedDice};

/// The terminal of every flow.
pub const MAC: &str = "98D863CC870D";

/// The instruction that the sensor's temperature and humidity come with.
pub const CLIMATE: &str = "010300000002c40b";

/// The jobs, and the world around them.
pub struct Flow {
    /// What the jobs work with.
    pub cx: Context,
    clock: Arc<ManualClock>,
    queue: Arc<MemoryQueue>,
    way_in: Arc<CuttableQueue>,
    notifier: Arc<RecordingNotifier>,
    link: Arc<RecordingLink>,
    batches: AtomicU32,
}

impl Flow {
    /// Somebody who gets mail.
    pub async fn hire(&self, name: &str, role: Role) {
        let user = User {
            user: name.to_owned(),
            name: name.to_owned(),
            password_hash: String::new(),
            role,
            mail: Some(format!("{name}@example.org")),
            phone: None,
            wechat: None,
            webhook: None,
            locale: Locale::default(),
        };
        users::put(self.cx.table.as_ref(), &user).await.unwrap();
    }

    /// A node, ready, with a terminal and a climate sensor at pid 1; a technician who gets mail and a webhook.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with other settings.
    pub async fn with(choose: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(ManualClock::new());
        let table = Arc::new(MemoryTable::new(Arc::clone(&clock) as Arc<dyn Clock>));
        Self::on(table, clock, choose).await
    }

    /// The same, on this table, which goes by this clock.
    pub async fn on(table: Arc<dyn Table>, clock: Arc<ManualClock>, choose: impl FnOnce(&mut Settings)) -> Self {
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let way_in = Arc::new(CuttableQueue {
            queue: Arc::clone(&queue),
            taken: AtomicUsize::new(0),
            refused: Mutex::default(),
        });
        let notifier = Arc::new(RecordingNotifier::new());
        let link = Arc::new(RecordingLink::default());
        let mut settings = Settings {
            schedule: ScheduleSettings::default(),
            alarms: AlarmSettings { offline_debounce_ms: 60_000, misses_allowed: 10, ..AlarmSettings::default() },
            notices: told_at_once(),
            // Most flows are of one device, which may be silent.
            heartbeat: HeartbeatSettings::off(),
            ..Settings::default()
        };
        choose(&mut settings);
        let cx = Context {
            table,
            queue: Arc::clone(&way_in) as Arc<dyn Enqueue>,
            link: Arc::clone(&link) as Arc<dyn Link>,
            notifier: Arc::clone(&notifier) as _,
            clock: Arc::clone(&clock) as _,
            dice: Arc::new(LoadedDice(4)),
            settings: Arc::new(settings),
            catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
            stationery: Stationery::default(),
        };
        let flow = Self { cx, clock, queue, way_in, notifier, link, batches: AtomicU32::new(0) };
        flow.furnish().await;
        flow
    }

    async fn furnish(&self) {
        furnish(self.cx.table.as_ref(), self.now()).await;
        self.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
        self.settle().await;
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass, and does what became due by it, second by second.
    pub async fn after(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.clock.advance(Duration::from_secs(1));
            self.cx.queue.enqueue(vec![Sweep { at: self.now(), ahead_ms: 0 }.message()]).await.unwrap();
            self.settle().await;
        }
    }

    /// Puts a terminal like the flow's with more sensors on its line.
    pub async fn sensors(&self, pids: impl IntoIterator<Item = Pid>) {
        let table = self.cx.table.as_ref();
        let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
        let model = terminal.devices[0].clone();
        terminal.devices = pids.into_iter().map(|pid| Device { pid, ..model.clone() }).collect();
        terminals::put(table, &terminal).await.unwrap();
    }

    /// Sets the clock back.
    pub fn set_clock_back(&self, by: Duration) {
        self.clock.set_back(by);
    }

    /// Lets time pass in which nothing is done.
    pub fn sleeps(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// A batch of reports from the node, one millisecond apart.
    pub async fn reports(&self, events: impl IntoIterator<Item = Event>) -> ProcessResults {
        let job = self.batch(events);
        self.cx.queue.enqueue(vec![job.message()]).await.unwrap();
        job
    }

    /// The same, on its way to the queue.
    pub fn batch(&self, events: impl IntoIterator<Item = Event>) -> ProcessResults {
        let mut reports = Vec::new();
        for event in events {
            self.clock.advance(Duration::from_millis(1));
            reports.push(Report { node: "n1".to_owned(), at: self.now(), event });
        }
        let number = self.batches.fetch_add(1, Ordering::Relaxed);
        ProcessResults { batch: format!("batch-{number}"), reports }
    }

    /// The sensor answers with this temperature, and everything that follows is done.
    pub async fn sensor_says(&self, celsius: f64) -> ProcessResults {
        let job = self.reports([self.answer(celsius)]).await;
        self.settle().await;
        job
    }

    /// The sensor's answer as a broker reports it.
    pub fn answer(&self, celsius: f64) -> Event {
        climate(celsius, self.now())
    }

    /// An answer with these bytes to the climate instruction.
    pub fn answer_bytes(&self, bytes: Vec<u8>) -> Event {
        answer_bytes(bytes, self.now())
    }

    /// The sensor misses a query, the `count`-th in a row by its node's count.
    pub async fn sensor_misses(&self, count: u32) {
        self.reports([Event::Missed { mac: mac(), pid: 1, count: Some(count), asked: None }]).await;
        self.settle().await;
    }

    /// Runs jobs until none is due. A job that is to be given again is put off as its verdict says.
    pub async fn settle(&self) {
        while self.run_due().await > 0 {}
    }

    /// Runs the jobs of a name that are due, and takes out of the queue those of another that follow.
    pub async fn takes_out(&self, job: &str, followers: &str) -> Vec<Message> {
        self.run(job).await;
        let mut taken = Vec::new();
        for leased in self.queue.claim(followers, 100, Duration::from_secs(30)).await.unwrap() {
            taken.push(leased.message);
            self.queue.settle(vec![Settlement::Done(leased.ticket)]).await.unwrap();
        }
        taken
    }

    async fn run_due(&self) -> usize {
        let mut ran = 0;
        for job in NAMES {
            ran += self.run(job).await;
        }
        ran
    }

    /// Runs the jobs of a name that are due.
    async fn run(&self, job: &str) -> usize {
        let due = self.queue.claim(job, 100, Duration::from_secs(30)).await.unwrap();
        let ran = due.len();
        for leased in due {
            let settlement = match perform(&self.cx, &leased.message).await {
                Verdict::Done => Settlement::Done(leased.ticket),
                Verdict::Again { why, after } => Settlement::Again {
                    ticket: leased.ticket,
                    not_before: self.now().plus(after.unwrap_or(Duration::from_secs(1))),
                    why,
                },
                Verdict::Never { why } => Settlement::Dead { ticket: leased.ticket, why },
            };
            self.queue.settle(vec![settlement]).await.unwrap();
        }
        ran
    }

    /// The letters that people got, oldest first. Of their subjects what comes before how bad it is and what was seen: what that says is
    /// for the tests of words.
    pub fn letters(&self) -> Vec<Letter> {
        let sent = self.notifier.sent().into_iter();
        sent.map(|letter| Letter { subject: headline(&letter.subject).to_owned(), ..letter }).collect()
    }

    /// The subjects of the mails that people got, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let letters = self.letters().into_iter();
        letters.filter(|letter| letter.address.channel() == "email").map(|letter| letter.subject).collect()
    }

    /// The notifier, to make it fail.
    pub fn notifier(&self) -> &RecordingNotifier {
        &self.notifier
    }

    /// The queue is away the next time that somebody enqueues `job`.
    pub fn queue_is_away_once_for(&self, job: &'static str) {
        self.way_in.refused.lock().unwrap_or_else(PoisonError::into_inner).push(job);
    }

    /// How many messages were enqueued so far.
    pub fn enqueued(&self) -> usize {
        self.way_in.taken.load(Ordering::Relaxed)
    }

    /// The queries that brokers were given so far.
    pub fn planned(&self) -> Vec<PlannedQuery> {
        self.link.planned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The pushes that browsers were given so far.
    pub fn pushes(&self) -> Vec<Push> {
        self.link.pushes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many dead letters there are, of all jobs.
    pub async fn dead_letters(&self) -> usize {
        let mut dead = 0;
        for job in NAMES {
            dead += self.queue.depth(job).await.unwrap().dead;
        }
        dead
    }
}

/// The sensor's answer with this temperature, asked at `asked`, as a broker reports it.
pub fn climate(celsius: f64, asked: Timestamp) -> Event {
    #[expect(clippy::cast_possible_truncation, reason = "a test's temperatures are small")]
    let raw = (celsius * 10.0).round() as i16;
    let mut frame = vec![1, 3, 4];
    frame.extend(raw.to_be_bytes());
    frame.extend(600_i16.to_be_bytes());
    frame.extend(domain::frame::crc16_modbus(&frame).to_le_bytes());
    answer_bytes(frame, asked)
}

fn answer_bytes(bytes: Vec<u8>, asked: Timestamp) -> Event {
    Event::Answered(Answer {
        mac: mac(),
        pid: 1,
        protocol: constants_protocol(),
        asked,
        told: None,
        interval: 5000,
        line_ms: 66,
        line_bytes: 17,
        replies: vec![RawReply { content: CLIMATE.to_owned(), bytes }],
        unanswered: 0,
        overtaken: false,
    })
}

/// A subject without how bad it is, and what was seen.
pub fn headline(subject: &str) -> &str {
    let ends = [" (info", " (warning", " (critical"].into_iter().filter_map(|sign| subject.find(sign));
    ends.min().map_or(subject, |end| &subject[..end])
}

/// The flow's terminal.
pub fn mac() -> Mac {
    MAC.parse().unwrap()
}

/// The flow's device at `pid`.
pub fn device(pid: Pid) -> DeviceId {
    DeviceId { mac: mac(), pid }
}

fn constants_protocol() -> String {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/th-modbus.protocol.json")).unwrap();
    document["Protocol"].as_str().unwrap().to_owned()
}

const NAMES: [&str; 7] = [
    PlanWindow::NAME,
    DispatchQueries::NAME,
    ProcessResults::NAME,
    EvaluateAlarms::NAME,
    FanOut::NAME,
    DeliverNotice::NAME,
    Sweep::NAME,
];

/// Runs the job that a message is.
pub async fn perform(cx: &Context, message: &Message) -> Verdict {
    let body = &message.body;
    match message.job.as_str() {
        PlanWindow::NAME => execute::<PlanWindow>(cx, body).await,
        DispatchQueries::NAME => execute::<DispatchQueries>(cx, body).await,
        ProcessResults::NAME => execute::<ProcessResults>(cx, body).await,
        EvaluateAlarms::NAME => execute::<EvaluateAlarms>(cx, body).await,
        FanOut::NAME => execute::<FanOut>(cx, body).await,
        DeliverNotice::NAME => execute::<DeliverNotice>(cx, body).await,
        Sweep::NAME => execute::<Sweep>(cx, body).await,
        unknown => panic!("no job is named {unknown}"),
    }
}
