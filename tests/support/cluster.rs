//! Several processes of `telltale` that meet over a Redis of their own: brokers, workers and the API; and the owner of the
//! store, unless the table is on DynamoDB.

mod member;

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;
use tempfile::TempDir;

pub use self::member::Member;
use self::member::{CONFIG, Start};
use crate::{
    Aws, Proxy, RedisServer, Session,
    server::{http_client, sign_in},
};

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
    _folder: TempDir,
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
        let variables = dynamodb.as_ref().map(|there| Aws::variables_at(&there.way.url())).unwrap_or_default();
        let start = |role, number: usize, ahead| Start {
            role,
            folder: path.clone(),
            data: data(&path, table, role, number),
            variables: variables.clone(),
            ahead,
        };
        let mut store = None;
        match table {
            TableAt::Owner => store = Some(Member::start(start("store", 0, None), Some(&site_file)).await?),
            TableAt::DynamoDb => start("import", 0, None).import(&site_file).await?,
        }
        let apart = |number: usize, sign: char| {
            let is_apart = number == 0 && how_many.seconds_apart > 0;
            is_apart.then(|| format!("{sign}{}s", how_many.seconds_apart))
        };
        let (mut brokers, mut workers) = (Vec::new(), Vec::new());
        for number in 0..how_many.brokers {
            brokers.push(Member::start(start("broker", number, apart(number, '-')), None).await?);
        }
        for number in 0..how_many.workers {
            workers.push(Member::start(start("worker", number, apart(number, '+')), None).await?);
        }
        let api = Member::start(start("api", 0, None), None).await?;
        let addresses = brokers.iter().map(|broker| broker.address().to_owned()).collect();
        let balancer = Proxy::start(addresses).await?;
        let (client, another) = (http_client()?, start("another", 0, None));
        Ok(Self { redis, store, dynamodb, brokers, workers, api, balancer, client, another, _folder: folder })
    }

    /// Starts one more beside them, which imports this site first if it is given one.
    pub async fn another(&self, role: &'static str, site: Option<&Value>) -> Result<Member> {
        let site_file = self.another.folder.join("another.json");
        if let Some(site) = site {
            std::fs::write(&site_file, site.to_string())?;
        }
        Member::start(Start { role, ..self.another.clone() }, site.map(|_| site_file.as_path())).await
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
        None => format!("data = '{}'", folder.join("data").display()),
    };
    Ok(format!("{place}\n{settings}\n[redis]\nurl = '{}'\nqueue = '{queue}'\n", redis.url()))
}

fn data(folder: &Path, table: TableAt, role: &str, number: usize) -> PathBuf {
    match table {
        TableAt::Owner => folder.join("data"),
        TableAt::DynamoDb => folder.join(format!("{role}-{number}")),
    }
}
