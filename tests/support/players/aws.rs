use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, Result};
use queue::SqsQueue;
use records::Clock;
use serde::Deserialize;
use serde_json::{Value, json};
use table::DynamoDbTable;

use super::{Player, of};
use crate::LoadedDice;

/// Waits are short.
const LOW: LoadedDice = LoadedDice(1);

/// AWS, as moto plays it: the table and the queues of `template.yaml`, and no account.
#[derive(Debug)]
pub struct Aws {
    player: Player,
    endpoint: String,
    resources: Value,
}

/// A message that a queue gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Received {
    /// Its body.
    pub body: String,
    /// Its attributes, by name.
    pub attributes: Value,
}

impl Aws {
    /// Starts one of its own, with nothing in the table and the queues.
    pub async fn start() -> Result<Self> {
        let mut player = Player::python("moto_locked", &json!({}))?;
        let endpoint = format!("http://127.0.0.1:{}", player.port().await?);
        player.order("create", json!({ "template": include_str!("../../../template.yaml") })).await?;
        let resources =
            player.until("done with the template", |reports| of(reports, "created").next().cloned()).await?;
        Ok(Self { player, endpoint, resources })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The template's table.
    pub async fn table(&self, clock: Arc<dyn Clock>) -> Result<DynamoDbTable> {
        let config = engine_aws::emulated(&self.endpoint).await;
        Ok(DynamoDbTable::new(&config, self.resource("Table")?, clock, Arc::new(LOW)))
    }

    /// The template's queues: so far that of `dispatch_queries`.
    pub async fn queues(&self, clock: Arc<dyn Clock>) -> Result<SqsQueue> {
        let config = engine_aws::emulated(&self.endpoint).await;
        let urls = [("dispatch_queries", "DispatchQueriesQueue")]
            .map(|(job, queue)| Ok((job.to_owned(), self.resource(queue)?.to_owned())));
        let urls = urls.into_iter().collect::<Result<HashMap<_, _>>>()?;
        Ok(SqsQueue::new(&config, urls, clock, Arc::new(LOW)))
    }

    /// A resource of the template: the table's name, a queue's URL.
    pub fn resource(&self, name: &str) -> Result<&str> {
        self.resources[name].as_str().with_context(|| format!("template.yaml has no {name}"))
    }

    /// What a queue of the template gives now: ten messages at most.
    pub async fn receive(&mut self, queue: &str) -> Result<Vec<Received>> {
        let before = self.player.reports("messages").len();
        let queue = self.resource(queue)?;
        self.player.order("receive", json!({ "queue": queue })).await?;
        let messages = self.player.until("done with receive", |reports| of(reports, "messages").nth(before).cloned());
        Ok(serde_json::from_value(messages.await?)?)
    }

    /// The next calls are answered as AWS does when it has too much to do.
    pub async fn be_busy(&mut self, times: u32) -> Result<()> {
        self.player.order_done("be_busy", json!({ "times": times })).await
    }
}
