//! What the API answers while Redis or the store's owner is away: soon, what it is, and not for longer than it is so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use telltale_tests::{Cluster, Session, eventually};

use crate::chaos::load::{Load, PASSWORD, Several, Usual};

/// How long an answer may take: the API waits for 2.5 s, and this machine may be busy.
const SOON: Duration = Duration::from_secs(4);

/// What is away, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    RedisHangs,
    RedisIsDead,
    StoreHangs,
    StoreIsDead,
}

impl Away {
    async fn begins(self, cluster: &mut Cluster) -> Result<()> {
        match self {
            Self::RedisHangs => cluster.redis.hangs().await,
            Self::RedisIsDead => cluster.redis.kill().await,
            Self::StoreHangs => cluster.owner()?.hangs(),
            Self::StoreIsDead => cluster.owner()?.kill().await,
        }
    }

    async fn ends(self, cluster: &mut Cluster) -> Result<()> {
        match self {
            Self::RedisHangs => cluster.redis.goes_on().await,
            Self::RedisIsDead => cluster.redis.restart().await,
            Self::StoreHangs => cluster.owner()?.goes_on(),
            Self::StoreIsDead => cluster.owner()?.restart().await,
        }
    }
}

/// What is asked: by which method, where, with what.
type Question = (&'static str, String, Value);

/// Asks, and gives the status and the problem's code, within a bounded time.
async fn ask(who: &Session, (method, path, body): &Question) -> Result<(u16, Value)> {
    let began = Instant::now();
    let (status, answer) = match *method {
        "get" => who.ask(path).await?,
        "post" => who.post(path, body).await?,
        "put" => who.put(path, body).await?,
        _ => who.delete(path).await?,
    };
    ensure!(began.elapsed() < SOON, "{method} {path} answers {status} after {:?}: {answer}", began.elapsed());
    Ok((status, answer["code"].clone()))
}

/// Asserts that each of these is refused as unavailable, with this code.
async fn are_refused(who: &Session, questions: &[Question], code: &str) -> Result<()> {
    for (question, answer) in questions.iter().zip(try_join_all(questions.iter().map(|q| ask(who, q))).await?) {
        assert_eq!(answer, (503, json!(code)), "{question:?}");
    }
    Ok(())
}

/// Every address that is asked by GET, with a terminal, a node and a job that there are.
async fn gets(who: &Session, mac: &str, node: &str) -> Result<Vec<Question>> {
    let document = who.get("/api/openapi.json").await?;
    let paths = document["paths"].as_object().context("a document has paths")?.iter();
    let gets = paths.filter(|(path, methods)| path.starts_with("/api/") && methods.get("get").is_some());
    let filled = |path: &str| {
        let name = if path.starts_with("/api/nodes") { node } else { "modbus" };
        let path = path.replace("{mac}", mac).replace("{pid}", "1").replace("{name}", name);
        path.replace("{job}", "sweep").replace("{id}", "01ARZ3NDEKTSV4RRFFQ69G5FAV").replace("{protocol}", "modbus")
    };
    Ok(gets.map(|(path, _)| ("get", filled(path), Value::Null)).collect())
}

/// Commands to gateways and devices, and changes that a gateway's broker must hear of.
fn commands(mac: &str, node: &str) -> Vec<Question> {
    vec![
        ("post", format!("/api/nodes/{node}/restart"), json!({})),
        ("post", format!("/api/terminals/{mac}/at"), json!({ "command": "VER" })),
        ("post", format!("/api/nodes/{node}/token"), json!({})),
        ("put", format!("/api/nodes/{node}"), json!({ "port": 9001, "max_connections": 7 })),
    ]
}

/// What looks into the queue.
fn of_the_queue() -> Vec<Question> {
    vec![
        ("get", "/api/jobs".to_owned(), Value::Null),
        ("get", "/api/jobs/sweep/waiting".to_owned(), Value::Null),
        ("get", "/api/jobs/sweep/dead-letters".to_owned(), Value::Null),
        ("post", "/api/jobs/sweep/dead-letters/1-1/redrive".to_owned(), json!({})),
        ("delete", "/api/jobs/sweep/dead-letters/1-1".to_owned(), Value::Null),
        ("delete", "/api/jobs/sweep/waiting/some".to_owned(), Value::Null),
    ]
}

/// A cluster under load, and what is asked of it.
struct Asked {
    load: Load<Several<Usual>>,
    root: Session,
    mac: String,
    node: String,
    /// How many commands were done.
    done: usize,
}

impl Asked {
    async fn start() -> Result<Self> {
        let mut load = Load::<Several<Usual>>::start().await?;
        load.until_acknowledged(crate::chaos::ACKNOWLEDGED).await?;
        let root = load.home.cluster.sign_in("root", PASSWORD).await?;
        let first = async |path: &str, key: &str| {
            let list = root.get(path).await?;
            list["items"][0][key].as_str().map(str::to_owned).context("there is one")
        };
        let (mac, node) = (first("/api/terminals", "mac").await?, first("/api/nodes", "name").await?);
        Ok(Self { load, root, mac, node, done: 0 })
    }

    /// Waits until the API answers as if nothing had been.
    async fn until_all_is_well(&self) {
        let questions = [of_the_queue()[0].clone(), ("get", "/api/terminals".to_owned(), Value::Null)];
        for question in &questions {
            eventually("the API is well again", async || {
                ask(&self.root, question).await.ok().filter(|(status, _)| *status == 200)
            })
            .await;
        }
        self.load.until_delivered(1).await;
    }

    /// Commands that nobody could be told of are recorded as failed, stay so, and are sent to nobody.
    async fn nothing_was_sent(&mut self) -> Result<()> {
        let of_terminal = format!("/api/terminals/{}/operations", self.mac);
        for (path, done) in [(format!("/api/nodes/{}/operations", self.node), 0), (of_terminal.clone(), self.done)] {
            let log = self.root.get(&path).await?;
            let operations = log["items"].as_array().context("a list has items")?;
            assert!(operations.len() > done, "{path} shows none");
            assert_eq!(operations.iter().filter(|operation| operation["state"] != "failed").count(), done, "{log}");
        }
        let node = self.root.get(&format!("/api/nodes/{}", self.node)).await?;
        assert_eq!(node["port"], 9000, "what could not be told was not changed");
        // The same broker sends one that is given now, after those that it was not to send.
        let order = (format!("/api/terminals/{}/at", self.mac), json!({ "command": "VER" }));
        eventually("a command is taken again", async || {
            self.root.post(&order.0, &order.1).await.ok().filter(|(status, _)| *status == 202)
        })
        .await;
        self.done += 1;
        let is_over = |log: &Value| log["items"].as_array()?.iter().all(|one| one["state"] != "waiting").then_some(());
        self.root.until(&of_terminal, "the end of the command", is_over).await?;
        let sent = |counters: &Value| counters["operations_sent"].as_u64().filter(|sent| *sent >= self.done as u64);
        let sent = self.root.until("/api/counters", "the command is counted", sent).await?;
        assert_eq!(sent, self.done as u64, "no other was sent");
        Ok(())
    }

    async fn is_asked_while(&mut self, away: Away) -> Result<()> {
        away.begins(&mut self.load.home.cluster).await?;
        match away {
            Away::RedisHangs | Away::RedisIsDead => {
                are_refused(&self.root, &of_the_queue(), "queue-away").await?;
                are_refused(&self.root, &commands(&self.mac, &self.node), "broker-away").await?;
                let of_store: Question = ("get", "/api/terminals".to_owned(), Value::Null);
                assert_eq!(ask(&self.root, &of_store).await?.0, 200, "what needs no queue is answered");
            }
            Away::StoreHangs | Away::StoreIsDead => {
                let mut all = gets(&self.root, &self.mac, &self.node).await?;
                all.extend(commands(&self.mac, &self.node));
                all.extend(of_the_queue());
                all.push(("post", "/api/auth/login".to_owned(), json!({ "user": "root", "password": PASSWORD })));
                all.push(("get", "/health/ready".to_owned(), Value::Null));
                are_refused(&self.root, &all, "store-away").await?;
                let alive: Question = ("get", "/health".to_owned(), Value::Null);
                assert_eq!(ask(&self.root, &alive).await?.0, 200);
            }
        }
        away.ends(&mut self.load.home.cluster).await?;
        self.until_all_is_well().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_hangs_or_is_dead_what_needs_it_is_refused_soon_and_no_command_is_done_later() -> Result<()> {
    let mut asked = Asked::start().await?;
    for away in [Away::RedisHangs, Away::RedisIsDead] {
        asked.is_asked_while(away).await?;
        asked.nothing_was_sent().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_owner_of_the_store_hangs_or_is_dead_every_route_says_so_soon() -> Result<()> {
    let mut asked = Asked::start().await?;
    for away in [Away::StoreHangs, Away::StoreIsDead] {
        asked.is_asked_while(away).await?;
    }
    Ok(())
}
