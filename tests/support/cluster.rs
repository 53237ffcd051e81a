//! Several processes of `telltale` that meet over a Redis of their own: one owns the store, the others are brokers, workers
//! and the API.

mod member;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use serde_json::Value;
use tempfile::TempDir;

use self::member::Launch;
pub use self::member::Member;
use crate::{
    Effect, Moment, Proxy, RedisServer, Session,
    server::{http_client, sign_in},
    tap::{Ambush, Taps},
};

/// The configuration, in the cluster's folder.
const CONFIG: &str = "telltale.toml";
/// The data, and in it the way to the store's table.
const DATA: &str = "data";
const TABLE: &str = "table.sock";

/// How many processes there are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Brokers.
    pub brokers: usize,
    /// Workers.
    pub workers: usize,
    /// By how many seconds the clock of the first worker is ahead, and that of the first broker behind.
    pub seconds_apart: u32,
    /// Whether brokers and workers can be caught at what they do.
    pub are_tapped: bool,
}

/// The processes. They end when this is dropped, and their data with them.
pub struct Cluster {
    /// Where they meet.
    pub redis: RedisServer,
    /// Who owns the store.
    pub store: Member,
    /// The brokers.
    pub brokers: Vec<Member>,
    /// The workers.
    pub workers: Vec<Member>,
    /// The API.
    pub api: Member,
    /// In front of the brokers.
    pub balancer: Proxy,
    client: reqwest::Client,
    size: Size,
    ambush: Arc<Ambush>,
    /// How many taps there were so far.
    tapped: AtomicUsize,
    folder: TempDir,
}

impl Cluster {
    /// Starts all of them on `site`, with `settings` beside what says where things are. Jobs go through the queue that is
    /// called `queue`.
    pub async fn start(how_many: Size, queue: &str, site: &Value, settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = RedisServer::start().await?;
        let site_file = folder.path().join("site.json");
        std::fs::write(&site_file, site.to_string())?;
        let (data, url) = (folder.path().join(DATA), redis.url());
        let place = format!("data = '{}'\n{settings}\n[redis]\nurl = '{url}'\nqueue = '{queue}'\n", data.display());
        std::fs::write(folder.path().join(CONFIG), place)?;
        let of = |role| Launch { role, folder: folder.path().to_owned(), ..Launch::default() };
        let store = Member::start(of("store"), Some(&site_file)).await?;
        let api = Member::start(of("api"), None).await?;
        let balancer = Proxy::start(Vec::new()).await?;
        let (client, ambush, tapped) = (http_client()?, Arc::default(), AtomicUsize::default());
        let (brokers, workers) = (Vec::new(), Vec::new());
        let mut cluster =
            Self { redis, store, brokers, workers, api, balancer, client, size: how_many, ambush, tapped, folder };
        for number in 0..how_many.brokers {
            cluster.brokers.push(cluster.another("broker", (number == 0).then_some('-')).await?);
        }
        for number in 0..how_many.workers {
            cluster.workers.push(cluster.another("worker", (number == 0).then_some('+')).await?);
        }
        cluster.balance();
        Ok(cluster)
    }

    /// Begins another broker, which nobody comes to until [`Cluster::balance`].
    pub async fn another_broker(&self) -> Result<Member> {
        self.another("broker", None).await
    }

    /// Begins another worker.
    pub async fn another_worker(&self) -> Result<Member> {
        self.another("worker", None).await
    }

    /// One whose clock is ahead or behind, if that is to be so.
    async fn another(&self, role: &'static str, sign: Option<char>) -> Result<Member> {
        let apart = self.size.seconds_apart;
        let ahead = sign.filter(|_| apart > 0).map(|sign| format!("{sign}{apart}s"));
        let taps = if self.size.are_tapped { Some(self.taps()?) } else { None };
        Member::start(Launch { role, folder: self.folder.path().to_owned(), ahead, taps }, None).await
    }

    fn taps(&self) -> Result<Taps> {
        let number = self.tapped.fetch_add(1, Ordering::Relaxed);
        let table = self.folder.path().join(DATA).join(TABLE);
        Taps::set(self.folder.path(), self.redis.socket(), table, &self.ambush, number)
    }

    /// Gives new connections to the brokers that there are now.
    pub fn balance(&self) {
        self.balancer.lead_to(self.brokers.iter().map(|broker| broker.address().to_owned()).collect());
    }

    /// Lies in wait for the next of the processes that began with this that comes to an effect. Who awaits what comes back is
    /// given who it is; it goes no further.
    pub fn catch(&self, effect: Effect, moment: Moment) -> impl Future<Output = Result<Caught>> + use<> {
        let (caught, brokers) = (self.ambush.arm(effect, moment), self.size.brokers);
        async move {
            let number = caught.await?;
            Ok(number.checked_sub(brokers).map_or(Caught::Broker(number), Caught::Worker))
        }
    }

    /// Lets go who was caught: the way on which it was ends, and it goes on without an answer.
    pub fn let_go(&self) {
        self.ambush.let_go();
    }

    /// Signs in at the API.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        sign_in(&self.client, &self.api.url(), user, password).await
    }
}

/// Who was caught, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// A broker.
    Broker(usize),
    /// A worker.
    Worker(usize),
}
