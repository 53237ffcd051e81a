//! `telltale serve`: a story in order. Bad configuration ends it before a port is bound; SIGTERM ends it without loss.

mod secret;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use boot::{SystemClock, SystemDice};
use broker::{Broker, BrokerParts, Counters, end_stale_sessions};
use engine_embedded::Engine;
use engine_http::{Tokens, axum::Router};
use jobs::{
    Catalog, Context,
    ports::{Clock, Dice, Door, Inspect, Notifier},
};
use queue::EmbeddedQueue;
use table::EmbeddedTable;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{cli::ServeArguments, config::Config, schedule, site::import_if_new, workers};

/// For how long the parts may finish what they hold when the server stops.
const DRAIN: Duration = Duration::from_secs(25);

/// `telltale serve`.
pub(crate) async fn command(arguments: ServeArguments) -> anyhow::Result<()> {
    boot::init_log("info");
    let config = Config::load(arguments.config.as_deref())?;
    let server = Server::start(config).await?;
    println!("{}", serde_json::json!({ "listening": server.address.to_string() }));
    tokio::select! {
        told = boot::stop_signal() => told.context("this system takes no signal handlers")?,
        () = server.store_failed() => {
            // To go on would be to look alive and to raise no alarm.
            anyhow::bail!("the store has failed: see that the disk works, and start telltale again");
        }
    }
    tracing::info!("stopping: finishing what was begun");
    server.stop().await
}

/// How often it is looked whether the store has failed.
const LOOK_AT_STORE_EVERY: Duration = Duration::from_secs(1);

/// A server that runs.
pub(crate) struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its broker counts.
    pub counters: Arc<Counters>,
    /// What its jobs work with.
    pub context: Context,
    /// Its queue, to look into.
    pub queue: Arc<dyn Inspect>,
    engine: Engine,
    sockets: CancellationToken,
    work: CancellationToken,
    broker: JoinHandle<()>,
    web: JoinHandle<std::io::Result<()>>,
    workers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts every part, the store first and the port last.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let engine = open(&config.data)?;
        let table = Arc::new(EmbeddedTable::new(engine.clone(), Arc::clone(&clock))?);
        let queue = Arc::new(EmbeddedQueue::open(engine.clone(), Arc::clone(&clock))?);
        if let Some(file) = &config.import {
            import_if_new(file, table.as_ref(), clock.as_ref(), dice.as_ref()).await?;
        }

        let broker_id = format!("local-{:016x}", dice.roll());
        let (link, inbox) = link::in_process(&broker_id);
        let context = Context {
            table: Arc::clone(&table) as _,
            queue: Arc::clone(&queue) as _,
            link: Arc::new(link),
            notifier: post(&config, &clock)?,
            clock: Arc::clone(&clock),
            dice: Arc::clone(&dice),
            settings: Arc::new(config.for_jobs()),
            catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
        };
        // On a box there is one broker, this one.
        let is_dead = |broker: &str| broker != broker_id;
        end_stale_sessions(table.as_ref(), queue.as_ref(), clock.now(), &broker_id, is_dead).await?;

        let tokens = Arc::new(Tokens::new(&secret::signing_key(&config.data, dice.as_ref())?)?);
        let (broker, sockets) = Broker::new(BrokerParts {
            id: broker_id,
            table: Arc::clone(&context.table),
            queue: Arc::clone(&context.queue),
            clock,
            dice,
            tokens: Arc::clone(&tokens),
            settings: config.broker.clone(),
            inbox,
        });
        let api = api(&context, &config, tokens, Arc::clone(&queue) as _, broker.door());
        let listener = listen(&config).await?;
        let address = listener.local_addr()?;
        let most = boot::most_connections(config.max_connections);
        let (stop_sockets, stop_work) = (CancellationToken::new(), CancellationToken::new());
        let counters = broker.counters();
        Ok(Self {
            address,
            counters,
            queue: Arc::clone(&queue) as _,
            broker: tokio::spawn(broker.run(stop_sockets.clone())),
            web: tokio::spawn(engine_http::serve(listener, api.merge(sockets), most, stop_sockets.clone())),
            workers: vec![
                tokio::spawn(workers::run(context.clone(), queue, stop_work.clone())),
                tokio::spawn(schedule::run(context.clone(), table, stop_sockets.clone())),
            ],
            context,
            engine,
            sockets: stop_sockets,
            work: stop_work,
        })
    }

    /// Returns when the store has failed for good.
    async fn store_failed(&self) {
        while !self.engine.has_failed() {
            tokio::time::sleep(LOOK_AT_STORE_EVERY).await;
        }
    }

    /// Stops taking work in, then finishes what was taken, then closes the store.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.sockets.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            self.broker.await.context("the broker ended badly")?;
            self.web.await.context("the web server ended badly")??;
            self.work.cancel();
            for worker in self.workers {
                worker.await.context("a worker ended badly")?;
            }
            anyhow::Ok(())
        });
        if let Ok(ended) = drained.await {
            ended?;
        } else {
            // Nothing is lost: what was acknowledged is in the queue, and runs at the next start.
            tracing::warn!("not everything could be finished in time; it goes on at the next start");
        }
        drop(self.engine);
        Ok(())
    }
}

fn api(
    context: &Context,
    config: &Config,
    tokens: Arc<Tokens>,
    queue: Arc<dyn Inspect>,
    door: Arc<dyn Door>,
) -> Router {
    api::router(api::ApiParts {
        table: Arc::clone(&context.table),
        clock: Arc::clone(&context.clock),
        tokens,
        scripts: Arc::new(script::JavaScript),
        link: Arc::clone(&context.link),
        door,
        dice: Arc::clone(&context.dice),
        queue,
        settings: config.auth.for_api(),
    })
}

async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(config.listen).await;
    bound.with_context(|| format!("cannot listen on {} (is another server there?)", config.listen))
}

fn open(data: &Path) -> anyhow::Result<Engine> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    Engine::open(data.join("store")).with_context(|| format!("cannot open the store in {}", data.display()))
}

fn post(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Notifier>> {
    let resolver = Arc::new(notify::SystemResolver);
    Ok(Arc::new(notify::Post::new(config.notify.clone(), Arc::clone(clock), resolver)?))
}
