//! Gateways that post to the real broker, on a clock that stands still but where somebody waits: the instants are the real
//! schedule's, and a gateway has four posts under way.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use axum::{body::Body, extract::Request};
use broker::{Broker, BrokerParts, BrokerSettings};
use domain::{DeviceId, Mac, Pid, Timestamp, schedule};
use engine_http::Tokens;
use futures::future::try_join_all;
use jobs::{
    ProcessResults,
    ports::{Enqueue, Message, QueueError},
    report::{Answer, Event},
};
use records::{Clock, nodes};
use serde_json::json;
use table::MemoryTable;
use telltale_tests::LoadedDice;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How many posts of a gateway are under way at a time.
const UNDER_WAY: usize = 4;
/// How long the queue takes to be durable.
const DURABLE_AFTER: Duration = Duration::from_millis(5);
/// What the template sets.
const GATHER_MS: u64 = 1000;

/// Gateways, and what is behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gateways {
    /// How many there are.
    pub nodes: u32,
    /// Terminals of each.
    pub terminals: u32,
    /// Sensors of each terminal.
    pub sensors: Pid,
    /// How often each sensor is asked, and how often in all.
    pub interval: Duration,
    /// See `interval`.
    pub rounds: u32,
}

/// A terminal of a gateway.
pub(crate) fn mac(node: u32, terminal: u32) -> Result<Mac> {
    Ok(format!("{node:06}{terminal:06}").parse()?)
}

pub(crate) fn name(node: u32) -> String {
    format!("gateway-{node}")
}

impl Gateways {
    /// Posts what sensors say from `begin` on; gives the broker's batches, in order.
    pub(crate) async fn post(
        self,
        begin: Timestamp,
        says: impl Fn(&DeviceId, Timestamp) -> Event,
    ) -> Result<Vec<ProcessResults>> {
        tokio::time::pause();
        let posted = self.post_while_time_stands_still(begin, says).await;
        tokio::time::resume();
        posted
    }

    async fn post_while_time_stands_still(
        self,
        begin: Timestamp,
        says: impl Fn(&DeviceId, Timestamp) -> Event,
    ) -> Result<Vec<ProcessResults>> {
        let clock = Arc::new(Paused { begin, since: Instant::now() });
        let table = Arc::new(MemoryTable::new(clock.clone()));
        for node in 0..self.nodes {
            let token_sha256 = Some(nodes::token_sha256(&name(node)));
            let node = nodes::Node { name: name(node), ip: None, port: 9000, max_connections: 2000, token_sha256 };
            nodes::put(table.as_ref(), &node).await?;
        }
        let (queue, (_link, inbox)) = (Arc::new(Kept::default()), mpsc::channel(1));
        let (broker, routes) = Broker::new(BrokerParts {
            spool: None,
            link: Arc::new(link::in_process("none").0),
            id: "b1".to_owned(),
            table,
            queue: queue.clone(),
            clock: clock.clone(),
            dice: Arc::new(LoadedDice(1)),
            tokens: Arc::new(Tokens::new(&[7; 32])?),
            settings: BrokerSettings { gather_ms: GATHER_MS, gather_reports: 200, ..BrokerSettings::default() },
            inbox,
        });
        let stop = CancellationToken::new();
        let broker = tokio::spawn(broker.run(stop.clone()));
        let under_way: Vec<Semaphore> = (0..self.nodes).map(|_| Semaphore::new(UNDER_WAY)).collect();
        let (clock, says, under_way, routes) = (&clock, &says, &under_way, &routes);
        let devices = self.devices()?.into_iter().map(|(node, device)| async move {
            let until = begin.plus(self.interval * self.rounds);
            for at in schedule::due(self.interval, schedule::phase(&device, self.interval), begin, until) {
                sleep_until(clock.since + at.since(begin)).await;
                let _under_way = under_way[node as usize].acquire().await?;
                let Event::Answered(answer) = says(&device, at) else { continue };
                let post = Request::post("/api/node/queryData").header("x-node-token", name(node));
                let answer = routes.clone().oneshot(post.body(body(&device.mac, at, &answer))?).await?;
                ensure!(answer.status() == 200, "{answer:?}");
            }
            Ok(())
        });
        try_join_all(devices).await?;
        stop.cancel();
        broker.await?;
        Ok(std::mem::take(&mut queue.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Every device, with its node.
    fn devices(self) -> Result<Vec<(u32, DeviceId)>> {
        let mut devices = Vec::new();
        for (node, terminal) in
            (0..self.nodes).flat_map(|node| (0..self.terminals).map(move |terminal| (node, terminal)))
        {
            let mac = mac(node, terminal)?;
            devices.extend((1..=self.sensors).map(|pid| (node, DeviceId { mac: mac.clone(), pid })));
        }
        Ok(devices)
    }
}

/// What a gateway posts of an answer.
fn body(mac: &Mac, asked: Timestamp, answer: &Answer) -> Body {
    let contents = answer.replies.iter().map(|reply| {
        json!({ "content": reply.content, "buffer": { "type": "Buffer", "data": reply.bytes }, "useTime": 66, "useByte": 17 })
    });
    let contents: Vec<_> = contents.collect();
    let data = json!({
        "mac": mac,
        "pid": answer.pid,
        "protocol": answer.protocol,
        "timeStamp": asked,
        "Interval": answer.interval,
        "useTime": answer.line_ms,
        "useBytes": answer.line_bytes,
        "contents": contents,
    });
    Body::from(json!({ "data": data }).to_string())
}

/// The time that stands still.
struct Paused {
    begin: Timestamp,
    since: Instant,
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        self.begin.plus(self.since.elapsed())
    }
}

/// A queue that keeps the broker's batches.
#[derive(Default)]
struct Kept(Mutex<Vec<ProcessResults>>);

#[async_trait]
impl Enqueue for Kept {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        sleep(DURABLE_AFTER).await;
        let batches = messages.iter().map(|message| serde_json::from_slice(&message.body));
        let batches = batches.collect::<Result<Vec<_>, _>>().map_err(|error| QueueError::Invalid(error.to_string()))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batches);
        Ok(())
    }
}
