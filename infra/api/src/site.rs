//! What every route can reach.

use std::{sync::Arc, time::Duration};

use domain::{Mac, script::ScriptEngine};
use engine_http::{Problem, Tokens};
use jobs::{
    StoreProof, WordSettings,
    backtest::Terms,
    links::Links,
    ports::{Dice, Door, Enqueue, Inspect, Link, MeetingPoint, Spooling},
};
use records::{
    Clock, Table,
    terminals::{self, Terminal},
    users::{self, User},
};
use tokio::sync::Semaphore;

use crate::{bounded::Bounded, error::ApiError, routes::LinkPace};

/// How many passwords are checked at once: each check takes 19 MiB and a processor.
const CHECKS_AT_ONCE: usize = 2;

/// What the API is made of.
pub struct ApiParts {
    /// What we remember.
    pub table: Arc<dyn Table>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who issues and verifies tokens.
    pub tokens: Arc<Tokens>,
    /// Where the programs of protocols are tried before a protocol is taken in.
    pub scripts: Arc<dyn ScriptEngine>,
    /// The way to the brokers.
    pub link: Arc<dyn Link>,
    /// Who knows what happens at the sockets.
    pub door: Arc<dyn Door>,
    /// Where tokens come from.
    pub dice: Arc<dyn Dice>,
    /// The queue, to look into.
    pub queue: Arc<dyn Inspect>,
    /// The same, to have letters delivered.
    pub jobs: Arc<dyn Enqueue>,
    /// What this process took while the queue was away, if it can.
    pub spool: Option<Arc<dyn Spooling>>,
    /// Where this process meets others, if that can change under it.
    pub meeting: Option<Arc<dyn MeetingPoint>>,
    /// Who knows the links in letters again; none where letters have none.
    pub links: Option<Arc<Links>>,
    /// How people are spoken to.
    pub words: WordSettings,
    /// How people are told of alarms, for who tries a rule.
    pub terms: Terms,
    /// What can be chosen.
    pub settings: ApiSettings,
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiSettings {
    /// How long a sign-in lasts.
    pub session: Duration,
    /// Whether browsers may send the sign-in cookie over HTTPS only. For every installation behind TLS.
    pub secure_cookie: bool,
}

/// What every route can reach.
pub(crate) struct Site {
    pub(crate) table: Arc<dyn Table>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) scripts: Arc<dyn ScriptEngine>,
    pub(crate) link: Arc<dyn Link>,
    pub(crate) door: Arc<dyn Door>,
    pub(crate) dice: Arc<dyn Dice>,
    pub(crate) queue: Arc<dyn Inspect>,
    pub(crate) jobs: Arc<dyn Enqueue>,
    pub(crate) spool: Option<Arc<dyn Spooling>>,
    pub(crate) meeting: Option<Arc<dyn MeetingPoint>>,
    pub(crate) store_proof: StoreProof,
    pub(crate) links: Option<Arc<Links>>,
    pub(crate) words: WordSettings,
    pub(crate) terms: Terms,
    pub(crate) link_pace: LinkPace,
    pub(crate) settings: ApiSettings,
    pub(crate) password_checks: Semaphore,
}

impl Site {
    pub(crate) fn new(parts: ApiParts) -> Self {
        let ApiParts { table, clock, tokens, scripts, link, door, dice, queue, jobs, spool, meeting, .. } = parts;
        let ApiParts { links, words, terms, settings, .. } = parts;
        let table: Arc<dyn Table> = Arc::new(Bounded(table));
        let store_proof = StoreProof::of(Arc::clone(&table), Arc::clone(&clock));
        Self {
            table,
            clock,
            tokens,
            scripts,
            link: Arc::new(Bounded(link)),
            door: Arc::new(Bounded(door)),
            dice,
            queue: Arc::new(Bounded(queue)),
            jobs: Arc::new(Bounded(jobs)),
            spool,
            meeting,
            store_proof,
            links,
            words,
            terms,
            link_pace: LinkPace::default(),
            settings,
            password_checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }

    /// A new ULID.
    pub(crate) fn new_id(&self) -> String {
        let random = u128::from(self.dice.roll()) << 64 | u128::from(self.dice.roll());
        ulid::Ulid::from_parts(u64::try_from(self.clock.now().0).unwrap_or_default(), random).to_string()
    }

    /// The terminal of that mac; not found when it is not there, and just so when the user may not see it.
    pub(crate) async fn terminal(&self, user: &User, mac: &str) -> Result<Terminal, ApiError> {
        let nowhere = || Problem::not_found("There is no such terminal among yours.");
        let mac: Mac = mac.parse().map_err(|_| nowhere())?;
        if !users::may_see(&*self.table, user, &mac).await? {
            return Err(nowhere().into());
        }
        Ok(terminals::get(&*self.table, &mac).await?.ok_or_else(nowhere)?)
    }
}
