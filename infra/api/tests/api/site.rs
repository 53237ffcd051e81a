//! A small installation: two terminals, a root who sees all, Ann who sees one, Bob who sees none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use api::{ApiParts, ApiSettings};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::phc::PasswordHash};
use async_trait::async_trait;
use domain::{Mac, Timestamp, script::NoScripts};
use engine_http::{
    Tokens,
    axum::{Router, http::Method},
};
use jobs::{
    AlarmSettings, NoticeSettings, WordSettings,
    backtest::Terms,
    links::Links,
    ports::{Dice, Door, Link, MeetingPoint, MeetingState, SpoolState, Spooling, ToBroker},
};
use queue::MemoryQueue;
use records::{
    Clock, Table, TableError,
    doors::{Seen, TurnedAway},
    locale::Locale,
    terminals::{self, Device, Terminal},
    users::{self, Role, User},
};
use serde_json::Value;
use table::MemoryTable;
use tokio::sync::mpsc;

use crate::answer::Asking;

/// For how long somebody's word holds.
pub(crate) const WORD_LASTS_MS: u64 = 30 * 24 * 3_600_000;
/// Ann's terminal.
pub(crate) const HERS: &str = "AABBCCDDEE01";
/// A terminal that only the root sees.
pub(crate) const OTHER: &str = "AABBCCDDEE02";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const SESSION: Duration = Duration::from_hours(12);
const SECRET: [u8; 32] = [7; 32];

/// A clock that stands still until it is told to go on.
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, passed: Duration) {
        self.0.store(self.now().plus(passed).0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same twice.
struct CountingDice(AtomicU64);

impl Dice for CountingDice {
    fn roll(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Turned one program away, twice.
struct OneTurnedAway;

#[async_trait]
impl Door for OneTurnedAway {
    async fn seen(&self) -> Result<Seen, TableError> {
        let turned_away = TurnedAway {
            address: [192, 0, 2, 9].into(),
            code: "unknown_token".to_owned(),
            reason: "no node has this token".to_owned(),
            at: Timestamp(1_700_000_000_000),
            times: 2,
        };
        Ok(Seen { turned_away: vec![turned_away], counts: [("queries_sent".to_owned(), 7)].into() })
    }
}

pub(crate) struct Site {
    pub(crate) table: Arc<MemoryTable>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) queue: Arc<MemoryQueue>,
    /// What the broker named `broker-1` is told.
    pub(crate) inbox: mpsc::Receiver<ToBroker>,
    link: Arc<dyn Link>,
    router: Router,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_780_000_000_000)));
        let table = Arc::new(MemoryTable::new(clock.clone()));
        for (name, role) in [("root", Role::Admin), ("ann", Role::User), ("bob", Role::User)] {
            users::put(&*table, &user(name, role)).await.unwrap();
        }
        for mac in [HERS, OTHER] {
            terminals::put(&*table, &terminal(mac)).await.unwrap();
        }
        users::bind(&*table, "ann", &mac(HERS)).await.unwrap();
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let (link, inbox) = link::in_process("broker-1");
        let site = Self { table, clock, queue, inbox, link: Arc::new(link), router: Router::new() };
        Self { router: api::router(site.parts()), ..site }
    }

    fn parts(&self) -> ApiParts {
        ApiParts {
            table: self.table.clone(),
            clock: self.clock.clone(),
            tokens: Arc::new(tokens()),
            scripts: Arc::new(NoScripts),
            link: self.link.clone(),
            door: Arc::new(OneTurnedAway),
            dice: Arc::new(CountingDice(AtomicU64::new(1))),
            queue: self.queue.clone(),
            jobs: self.queue.clone(),
            spool: None,
            meeting: None,
            links: Some(Arc::new(links())),
            words: WordSettings::default(),
            terms: Terms::of(
                &NoticeSettings { acknowledgement_ms: WORD_LASTS_MS, ..NoticeSettings::default() },
                &AlarmSettings::default(),
            ),
            settings: ApiSettings { session: SESSION, secure_cookie: false },
        }
    }

    /// The same installation after a restart of its server.
    pub(crate) fn restarted(self) -> Self {
        self.over_another(|table| table)
    }

    /// The same installation with something between the API and the table.
    pub(crate) fn over_another<T: Table + 'static>(self, between: impl FnOnce(Arc<MemoryTable>) -> Arc<T>) -> Self {
        let parts = ApiParts { table: between(self.table.clone()), ..self.parts() };
        Self { router: api::router(parts), ..self }
    }

    /// The same installation in the process of a broker that spooled.
    pub(crate) fn with_spool(self, state: SpoolState) -> Self {
        struct Holds(SpoolState);
        impl Spooling for Holds {
            fn state(&self) -> SpoolState {
                self.0
            }
        }
        let parts = ApiParts { spool: Some(Arc::new(Holds(state))), ..self.parts() };
        Self { router: api::router(parts), ..self }
    }

    /// The same installation of several processes, which see this of where they meet.
    pub(crate) fn that_meets(self, state: MeetingState) -> Self {
        struct Meets(MeetingState);
        impl MeetingPoint for Meets {
            fn state(&self) -> MeetingState {
                self.0.clone()
            }
        }
        let parts = ApiParts { meeting: Some(Arc::new(Meets(state))), ..self.parts() };
        Self { router: api::router(parts), ..self }
    }

    /// The same installation behind HTTPS.
    pub(crate) fn behind_https(self) -> Self {
        let settings = ApiSettings { session: SESSION, secure_cookie: true };
        let parts = ApiParts { settings, ..self.parts() };
        Self { router: api::router(parts), ..self }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Asking {
        Asking::new(self.router.clone(), method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Asking {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Asking {
        self.ask(Method::POST, path)
    }

    /// What a GET by this user brings; it must go well.
    pub(crate) async fn seen_by(&self, user: &str, path: &str) -> Value {
        self.get(path).by(&self.token(user)).send().await.fine()
    }

    /// A token as sign-in would issue it now.
    pub(crate) fn token(&self, user: &str) -> String {
        tokens().issue(user, "user", self.clock.now(), SESSION).unwrap()
    }
}

pub(crate) fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn tokens() -> Tokens {
    Tokens::new(&SECRET).unwrap()
}

/// Who signs the links of this installation's letters.
pub(crate) fn links() -> Links {
    Links::new("https://site.test", &SECRET).unwrap()
}

fn user(name: &str, role: Role) -> User {
    // As cheap as can be: the tests check many passwords.
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash: PasswordHash = cheap.hash_password_with_salt(PASSWORD.as_bytes(), b"salt of sixteen!").unwrap();
    User {
        user: name.to_owned(),
        name: name.to_uppercase(),
        password_hash: hash.to_string(),
        role,
        mail: None,
        phone: None,
        wechat: None,
        webhook: None,
        locale: Locale::default(),
    }
}

fn terminal(text: &str) -> Terminal {
    let device = |pid, kind: &str| Device {
        pid,
        model: format!("{kind} model"),
        kind: kind.to_owned(),
        protocol: format!("{kind} protocol"),
        min_interval_ms: 0,
    };
    Terminal {
        mac: mac(text),
        name: format!("terminal {text}"),
        node: "node-1".to_owned(),
        devices: vec![device(1, "sensor"), device(2, "UPS")],
        iccid: None,
        data_plan: None,
        info: std::collections::BTreeMap::new(),
    }
}
