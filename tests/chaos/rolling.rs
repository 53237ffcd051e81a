//! A rolling restart under load: each broker and each worker is replaced in its turn. Nothing that was acknowledged is lost,
//! nothing is told twice, and whoever wants something done hears what became of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::Session;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    ACKNOWLEDGED, Clocks, DELIVERED, Outage, check_where_some_came_late, enough_were_in_order,
    load::{Home, Load, Several, Usual},
};

/// What the API may answer to who wants something done: that it is taken, or that the node is not there now.
const TAKEN: u16 = 202;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_brokers_and_workers_loses_nothing_and_repeats_nothing() -> Result<()> {
    let mut load = Load::<Several<Usual>>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    let enough = CancellationToken::new();
    let orders = Orders { root: Home::sign_in(&load.home, "root").await?, given: Vec::new(), refused: Vec::new() };
    let orders = AbortOnDropHandle::new(tokio::spawn(orders.give(enough.clone())));
    // While a node is lost with its broker, silence says nothing of its devices.
    let mut lost = Vec::new();
    for place in 0..load.home.cluster.brokers.len() {
        load.until_acknowledged(ACKNOWLEDGED).await?;
        let another = load.home.cluster.another_broker().await?;
        let mut old = std::mem::replace(&mut load.home.cluster.brokers[place], another);
        load.home.cluster.balance();
        let killed = Instant::now();
        old.terminate().await?;
        lost.push(Outage { killed, over: Instant::now() });
        load.until_each_is_asked().await?;
    }
    for place in 0..load.home.cluster.workers.len() {
        load.until_delivered(DELIVERED).await;
        let another = load.home.cluster.another_worker().await?;
        let mut old = std::mem::replace(&mut load.home.cluster.workers[place], another);
        old.terminate().await?;
        load.until_each_is_asked().await?;
    }
    enough.cancel();
    orders.await??.all_ended_and_say_how().await?;
    enough_were_in_order(check_where_some_came_late(load.end().await, &[], &lost, Clocks::Agree).await?);
    Ok(())
}

/// What somebody wants done while brokers and workers come and go.
struct Orders {
    root: Session,
    /// The terminal and the id of each that was taken.
    given: Vec<(String, Value)>,
    /// What was answered to the others.
    refused: Vec<(u16, Value)>,
}

impl Orders {
    /// Asks one terminal after another for its version, until it is enough.
    async fn give(mut self, enough: CancellationToken) -> Result<Self> {
        let terminals = self.root.get("/api/terminals?limit=200").await?;
        let terminals = terminals["items"].as_array().context("there are terminals")?.clone();
        for mac in terminals.iter().cycle().filter_map(|terminal| terminal["mac"].as_str()) {
            if enough.run_until_cancelled(sleep(Duration::from_millis(50))).await.is_none() {
                break;
            }
            let path = format!("/api/terminals/{mac}/at");
            match self.root.post(&path, &json!({ "command": "VER" })).await? {
                (TAKEN, answer) => self.given.push((mac.to_owned(), answer["id"].clone())),
                refused => self.refused.push(refused),
            }
        }
        Ok(self)
    }

    /// Asserts that each order that was taken came to an end that says how, and that each other was refused in words.
    async fn all_ended_and_say_how(&self) -> Result<()> {
        let mut ends = Vec::new();
        for (mac, id) in &self.given {
            let ended = |list: &Value| {
                let mut all = list["items"].as_array()?.iter();
                all.find(|operation| operation["id"] == *id && operation["state"] != "waiting").cloned()
            };
            let log = format!("/api/terminals/{mac}/operations?limit=200");
            ends.push(self.root.until(&log, "the end of an operation", ended).await?);
        }
        let is_done = |end: &&Value| end["state"] == "done";
        println!(
            "{} orders taken, {} of them done; {} refused",
            ends.len(),
            ends.iter().filter(is_done).count(),
            self.refused.len()
        );
        for end in ends {
            assert!(end["said"].as_str().is_some_and(|said| !said.is_empty()), "{end}");
        }
        for (status, problem) in &self.refused {
            let says_why = problem["title"].is_string() && (400..600).contains(status) && *status != 500;
            assert!(says_why, "{status}: {problem}");
        }
        Ok(())
    }
}
