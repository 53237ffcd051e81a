//! What all runs of a world share, and what each of them is given of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::Timestamp;
use futures::FutureExt;
use jobs::{
    AlarmSettings, Brief, Catalog, Context, HeartbeatSettings, NoticeSettings, Settings, Stationery,
    ports::{Enqueue, Letter, Link, Message, Notifier, Table},
};
use notify::recording::RecordingNotifier;
use queue::MemoryQueue;
use records::Clock;
use table::MemoryTable;
use telltale_tests::{LoadedDice, ManualClock, told_at_once};

use super::{ports::Ports, trace::Trace};

/// How long a link may be gone before its alarm is raised.
pub(super) const DEBOUNCE_MS: u64 = 3_000;

/// How many queries in a row a device may miss.
pub(super) const MISSES_ALLOWED: u32 = 2;

/// The memory of a world: nothing of it is lost when a run dies.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) table: Arc<MemoryTable>,
    pub(super) queue: MemoryQueue,
    pub(super) notifier: RecordingNotifier,
    pub(super) settings: Arc<Settings>,
    pub(super) trace: Trace,
    catalog: Arc<Catalog>,
    post: Mutex<Post>,
}

/// What is known of the letters, beside what their receivers know.
#[derive(Default)]
struct Post {
    sent: Vec<Sent>,
    interrupted: BTreeSet<u64>,
    worked_off: BTreeMap<String, Timestamp>,
}

/// One letter that somebody got.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// The letter.
    pub(super) letter: Letter,
    /// The run that sent it.
    pub(super) run: u64,
    /// Whether the run heard that it was taken.
    pub(super) was_answered: bool,
    /// Whether the run stored that.
    pub(super) has_receipt: bool,
}

impl World {
    /// An empty one.
    pub(super) fn new(is_traced: bool, topics: bool) -> Self {
        Self::told_so(is_traced, NoticeSettings { topics, ..told_at_once() })
    }

    /// An empty one in which what belongs together gathers, and follows at intervals. Everything is told all the same.
    pub(super) fn that_gathers(is_traced: bool) -> Self {
        let notices = NoticeSettings {
            wait_critical_ms: 700,
            wait_warning_ms: 3_000,
            interval_critical_ms: 1_500,
            interval_warning_ms: 4_000,
            reopen_ms: 5_000,
            brief: Brief::Tell,
            ..told_at_once()
        };
        Self::told_so(is_traced, notices)
    }

    fn told_so(is_traced: bool, notices: NoticeSettings) -> Self {
        let clock = Arc::new(ManualClock::new());
        let ticking = || Arc::clone(&clock) as Arc<dyn Clock>;
        let settings = Settings {
            alarms: AlarmSettings {
                offline_debounce_ms: DEBOUNCE_MS,
                misses_allowed: MISSES_ALLOWED,
                flapping_more_than: 3,
                flapping_within_ms: 120_000,
                flapping_calm_ms: 10_000,
            },
            notices,
            heartbeat: HeartbeatSettings::off(),
            ..Settings::default()
        };
        Self {
            table: Arc::new(MemoryTable::new(ticking())),
            queue: MemoryQueue::new(ticking()),
            notifier: RecordingNotifier::new(),
            settings: Arc::new(settings),
            trace: Trace::new(ticking(), is_traced),
            catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
            post: Mutex::default(),
            clock,
        }
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What a run works with: everything it calls waits at its gate.
    pub(super) fn context(&self, ports: &Arc<Ports>) -> Context {
        Context {
            table: Arc::clone(ports) as Arc<dyn Table>,
            queue: Arc::clone(ports) as Arc<dyn Enqueue>,
            link: Arc::clone(ports) as Arc<dyn Link>,
            notifier: Arc::clone(ports) as Arc<dyn Notifier>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            dice: Arc::new(LoadedDice(4)),
            settings: Arc::clone(&self.settings),
            catalog: Arc::clone(&self.catalog),
            stationery: Stationery::default(),
        }
    }

    /// Enqueues without a gate, as a broker and the schedule do it.
    pub(super) fn enqueue(&self, message: Message) {
        at_once(self.queue.enqueue(vec![message])).unwrap();
    }

    /// A letter was taken by its receiver.
    pub(super) fn was_sent(&self, run: u64, letter: &Letter) {
        self.post().sent.push(Sent { letter: letter.clone(), run, was_answered: true, has_receipt: false });
    }

    /// The run that sent the last letter of its own does not hear that it was taken.
    pub(super) fn was_not_answered(&self, run: u64) {
        if let Some(sent) = self.post().last_of(run) {
            sent.was_answered = false;
        }
    }

    /// A run wrote to a notice.
    pub(super) fn noted(&self, run: u64) {
        if let Some(sent) = self.post().last_of(run).filter(|sent| sent.was_answered) {
            sent.has_receipt = true;
        }
    }

    /// A run died, or a port was away for it.
    pub(super) fn was_interrupted(&self, run: u64) {
        self.post().interrupted.insert(run);
    }

    /// Whether a run died, or a port was away for it.
    pub(super) fn is_interrupted(&self, run: u64) -> bool {
        self.post().interrupted.contains(&run)
    }

    /// The work of that key is done, for the first time or again.
    pub(super) fn is_done(&self, key: &str) {
        let now = self.now();
        self.post().worked_off.entry(key.to_owned()).or_insert(now);
    }

    /// Since when the work of that key is done.
    pub(super) fn worked_off(&self, key: &str) -> Option<Timestamp> {
        self.post().worked_off.get(key).copied()
    }

    /// The letters that people got, oldest first.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.post().sent.clone()
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    fn last_of(&mut self, run: u64) -> Option<&mut Sent> {
        self.sent.iter_mut().rev().find(|sent| sent.run == run)
    }
}

/// What a port in memory says, which never waits.
pub(super) fn at_once<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().unwrap()
}
