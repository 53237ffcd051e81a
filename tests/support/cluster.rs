//! Several processes of `telltale` that meet over a Redis of their own: brokers, workers and the API; and the owner of the
//! store, unless the table is on DynamoDB.

mod member;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

pub use self::member::Member;
use self::member::{Ahead, CONFIG, Start};
use crate::{
    Aws, Effect, Moment, Proxy, RedisServer, Session, Ways,
    server::{http_client, sign_in},
    tap::{Ambush, Taps},
};

/// The data, and in it the way to the store's table.
const DATA: &str = "data";
const TABLE: &str = "table.sock";
/// What says what the clocks of workers show.
const CLOCK: &str = "clock";

/// Where a cluster's table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableAt {
    /// In the embedded store of a process that owns it, whose folder the others share.
    Owner,
    /// On DynamoDB, as moto plays it. No two processes share a folder then, as if each had a machine of its own.
    DynamoDb,
}

/// How many processes there are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Brokers.
    pub brokers: usize,
    /// Workers.
    pub workers: usize,
    /// By how many seconds the clock of the first worker is ahead, and that of the first broker behind.
    pub seconds_apart: u32,
    /// Whether the clocks of workers can be set while they run.
    pub clocks_jump: bool,
    /// Whether brokers and workers can be caught at what they do. Only where the table is an owner's.
    pub are_tapped: bool,
}

/// The processes. They end when this is dropped, and their data with them.
pub struct Cluster {
    /// Where they meet.
    pub redis: RedisServer,
    /// Who owns the store, if somebody does.
    pub store: Option<Member>,
    /// Where the table is, if nobody owns it.
    pub dynamodb: Option<DynamoDb>,
    /// The brokers.
    pub brokers: Vec<Member>,
    /// The workers.
    pub workers: Vec<Member>,
    /// The API.
    pub api: Member,
    /// In front of the brokers.
    pub balancer: Proxy,
    client: reqwest::Client,
    /// How one more is started.
    another: Start,
    table: TableAt,
    size: Size,
    ambush: Arc<Ambush>,
    /// How many brokers and workers were begun so far.
    begun: AtomicUsize,
    folder: TempDir,
}

/// DynamoDB, and the way there.
pub struct DynamoDb {
    /// Who plays it.
    pub aws: Aws,
    /// The way that a cluster goes there.
    pub way: Proxy,
}

impl Cluster {
    /// Starts all of them on `site`, with `settings` beside what says where things are. Jobs go through the queue that is
    /// called `queue`, and the table is an owner's.
    pub async fn start(how_many: Size, queue: &str, site: &Value, settings: &str) -> Result<Self> {
        Self::start_at(TableAt::Owner, how_many, queue, site, settings).await
    }

    /// The same, with the table where `table` says.
    pub async fn start_at(table: TableAt, how_many: Size, queue: &str, site: &Value, settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_owned();
        let (redis, site_file) = (RedisServer::start().await?, path.join("site.json"));
        std::fs::write(&site_file, site.to_string())?;
        let dynamodb = if table == TableAt::DynamoDb { Some(DynamoDb::start().await?) } else { None };
        std::fs::write(path.join(CONFIG), config(&path, dynamodb.as_ref(), queue, &redis, settings)?)?;
        let variables = dynamodb.as_ref().map(|there| Aws::variables_at(there.way.url())).unwrap_or_default();
        let start = |role, number: usize, ahead| Start {
            role,
            folder: path.clone(),
            data: data(&path, table, role, number),
            variables: variables.clone(),
            ahead,
        };
        let mut store = None;
        match table {
            TableAt::Owner => store = Some(Member::start(start("store", 0, None), None, Some(&site_file)).await?),
            TableAt::DynamoDb => start("import", 0, None).import(&site_file).await?,
        }
        let api = Member::start(start("api", 0, None), None, None).await?;
        let (balancer, client) = (Proxy::start(Vec::new()).await?, http_client()?);
        let (ambush, begun, processes, another) =
            (Arc::default(), AtomicUsize::default(), how_many, start("another", 0, None));
        let (brokers, workers) = (Vec::new(), Vec::new());
        let mut cluster = Self {
            redis,
            store,
            dynamodb,
            brokers,
            workers,
            api,
            balancer,
            client,
            another,
            table,
            size: processes,
            ambush,
            begun,
            folder,
        };
        cluster.set_clocks_of_workers("+0s")?;
        for number in 0..how_many.brokers {
            cluster.brokers.push(cluster.one_more("broker", (number == 0).then_some('-')).await?);
        }
        for number in 0..how_many.workers {
            cluster.workers.push(cluster.one_more("worker", (number == 0).then_some('+')).await?);
        }
        cluster.balance();
        Ok(cluster)
    }

    /// Begins another broker, which nobody comes to until [`Cluster::balance`].
    pub async fn another_broker(&self) -> Result<Member> {
        self.one_more("broker", None).await
    }

    /// Begins another worker.
    pub async fn another_worker(&self) -> Result<Member> {
        self.one_more("worker", None).await
    }

    /// One whose clock is ahead or behind, if that is to be so.
    async fn one_more(&self, role: &'static str, sign: Option<char>) -> Result<Member> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let apart = self.size.seconds_apart;
        let ahead = if self.size.clocks_jump && role == "worker" {
            Some(Ahead::AsSays(self.folder.path().join(CLOCK)))
        } else {
            sign.filter(|_| apart > 0).map(|sign| Ahead::By(format!("{sign}{apart}s")))
        };
        let data = data(self.folder.path(), self.table, role, number);
        let taps = if self.size.are_tapped { Some(self.taps(number)?) } else { None };
        Member::start(Start { role, data, ahead, ..self.another.clone() }, taps, None).await
    }

    fn taps(&self, number: usize) -> Result<Taps> {
        let table = self.folder.path().join(DATA).join(TABLE);
        Taps::set(self.folder.path(), self.redis.socket(), table, &self.ambush, number)
    }

    /// Starts one more beside them, which imports this site first if it is given one.
    pub async fn another(&self, role: &'static str, site: Option<&Value>) -> Result<Member> {
        let site_file = self.another.folder.join("another.json");
        if let Some(site) = site {
            std::fs::write(&site_file, site.to_string())?;
        }
        Member::start(Start { role, ..self.another.clone() }, None, site.map(|_| site_file.as_path())).await
    }

    /// Copies the owner's folder while nobody works on it, and starts an owner of the copy, which meets nobody.
    pub async fn copied(&mut self) -> Result<(PathBuf, Member)> {
        let (from, to) = (self.data(), self.folder.path().join("copy"));
        let owner = self.owner()?;
        owner.terminate().await?;
        let copied = Command::new("cp").arg("-a").arg(&from).arg(&to).status().await?;
        ensure!(copied.success(), "cp: {copied}");
        owner.restart().await?;
        let start = Start { role: "store", data: to.clone(), ..self.another.clone() };
        Ok((to, Member::start(start, None, None).await?))
    }

    /// What `telltale COMMAND` prints beside them, with their configuration; what it complains of is the error.
    pub async fn tell(&self, command: &str, arguments: &[&str]) -> Result<String> {
        self.another.tell(command, arguments).await
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

    /// The ways of brokers and workers to Redis, where they are tapped.
    pub fn ways_to_redis(&self) -> &Ways {
        &self.ambush.to_redis
    }

    /// Those to the store's table.
    pub fn ways_to_table(&self) -> &Ways {
        &self.ambush.to_table
    }

    /// From now on the clocks of workers show so much more, as `faketime` takes it, where they can be set.
    pub fn set_clocks_of_workers(&self, ahead: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join(CLOCK), ahead)?)
    }

    /// Lets go who was caught: the way on which it was ends, and it goes on without an answer.
    pub fn let_go(&self) {
        self.ambush.let_go();
    }

    /// The folder of the owner's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join(DATA)
    }

    /// The process that owns the store.
    pub fn owner(&mut self) -> Result<&mut Member> {
        self.store.as_mut().context("the table is on DynamoDB")
    }

    /// Signs in at the API.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        self.sign_in_at(&self.api, user, password).await
    }

    /// Signs in at the API of a member.
    pub async fn sign_in_at(&self, member: &Member, user: &str, password: &str) -> Result<Session> {
        sign_in(&self.client, &member.url(), user, password).await
    }
}

impl DynamoDb {
    /// One with nothing in its table, and an open way to it.
    pub async fn start() -> Result<Self> {
        let aws = Aws::start().await?;
        let way = Proxy::start(vec![aws.endpoint().trim_start_matches("http://").to_owned()]).await?;
        Ok(Self { aws, way })
    }
}

fn config(
    folder: &Path,
    dynamodb: Option<&DynamoDb>,
    queue: &str,
    redis: &RedisServer,
    settings: &str,
) -> Result<String> {
    let place = match dynamodb {
        Some(there) => format!("table = '{}'", there.aws.resource("Table")?),
        None => format!("data = '{}'", folder.join(DATA).display()),
    };
    Ok(format!("{place}\n{settings}\n[redis]\nurl = '{}'\nqueue = '{queue}'\n", redis.url()))
}

fn data(folder: &Path, table: TableAt, role: &str, number: usize) -> PathBuf {
    match table {
        TableAt::Owner => folder.join(DATA),
        TableAt::DynamoDb => folder.join(format!("{role}-{number}")),
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
