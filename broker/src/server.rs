//! The broker's parts, started in order, and ended without loss.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use boot::{SystemClock, SystemDice};
use broker::{Broker, BrokerParts};
use engine_http::{
    Tokens,
    axum::{Router, routing::get},
};
use jobs::ports::{Clock, Dice, Enqueue, Table};
use link::{AwsInbox, AwsInboxes};
use queue::SqsQueue;
use records::{brokers, doors};
use table::DynamoDbTable;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{config::Config, presence::Presence};

/// For how long the parts may finish what they hold. Less than the time that ECS gives a task that it stops.
const DRAIN: Duration = Duration::from_secs(25);

/// How much of what it was told may wait for it. More stays in the inbox queue.
const WAITING: usize = 1000;

/// A broker that runs.
pub(crate) struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    id: String,
    table: Arc<dyn Table>,
    sockets: CancellationToken,
    dead: CancellationToken,
    listening: CancellationToken,
    broker: JoinHandle<()>,
    web: JoinHandle<std::io::Result<()>>,
    inbox: JoinHandle<()>,
}

impl Server {
    /// Starts every part, the port last. What is wrong with the configuration ends it before anything is made.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let tokens = Arc::new(Tokens::new(config.signing_key.as_bytes()).context("TELLTALE_SIGNING_KEY")?);
        let aws = engine_aws::load().await;
        let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {} (is another server there?)", config.listen))?;
        let address = listener.local_addr()?;

        let table = DynamoDbTable::new(&aws, config.table, Arc::clone(&clock), Arc::clone(&dice));
        let table: Arc<dyn Table> = Arc::new(table);
        let queue = SqsQueue::new(&aws, config.queues, Arc::clone(&clock), Arc::clone(&dice));
        let queue: Arc<dyn Enqueue> = Arc::new(queue);
        let id = format!("{:016x}", dice.roll());
        // In this order: who dies in between is buried by others, with the inbox.
        brokers::begin(table.as_ref(), &id, clock.now()).await.context("cannot write to the table")?;
        let inbox = AwsInbox::open(&aws, &config.link, &id).await.context("cannot open the broker's inbox")?;
        let inboxes = AwsInboxes::new(&aws, config.link);
        let (sender, told) = mpsc::channel(WAITING);
        let (broker, sockets) = Broker::new(BrokerParts {
            id: id.clone(),
            table: Arc::clone(&table),
            queue: Arc::clone(&queue),
            clock: Arc::clone(&clock),
            dice,
            tokens,
            settings: config.broker,
            inbox: told,
        });

        let presence = Presence {
            broker: id.clone(),
            table: Arc::clone(&table),
            queue,
            clock,
            inboxes,
            door: broker.door(),
            patience: Duration::from_millis(config.dead_after_ms),
        };
        let most = boot::most_connections(config.max_connections);
        let (stop_sockets, stop_listening) = (CancellationToken::new(), CancellationToken::new());
        let dead = CancellationToken::new();
        tokio::spawn(presence.run(dead.clone(), stop_sockets.clone()));
        let router = sockets.merge(Router::new().route("/health", get(async || "ok")));
        Ok(Self {
            address,
            id,
            table,
            inbox: tokio::spawn(inbox.run(sender, stop_listening.clone())),
            broker: tokio::spawn(broker.run(stop_sockets.clone())),
            web: tokio::spawn(engine_http::serve(listener, router, most, stop_sockets.clone())),
            sockets: stop_sockets,
            dead,
            listening: stop_listening,
        })
    }

    /// Returns when other brokers took this one for dead.
    pub(crate) async fn taken_for_dead(&self) {
        self.dead.cancelled().await;
    }

    /// Ends the sockets, finishes what was taken, then closes the inbox.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.sockets.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            self.broker.await.context("the broker ended badly")?;
            self.web.await.context("the web server ended badly")??;
            self.listening.cancel();
            self.inbox.await.context("the inbox ended badly")?;
            doors::forget(self.table.as_ref(), &self.id).await.context("what its door saw is still there")?;
            brokers::leave(self.table.as_ref(), &self.id).await.context("it is still in the list of brokers")
        });
        drained.await.context("not everything could be finished in time")?
    }
}
