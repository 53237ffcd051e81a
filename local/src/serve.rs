//! `telltale serve`, and its parts as processes of their own: a story in order. Bad configuration ends it before a port is
//! bound; SIGTERM ends it without loss.

mod health;
mod lookout;
mod meeting;
mod meeting_point;
mod original;
mod owner;
mod place;
mod roles;
mod secret;
mod sockets;
mod spool;
mod store;
mod told;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use boot::{SystemClock, SystemDice};
use broker::Counters;
use engine_http::Tokens;
use engine_redis::Turn;
use jobs::{
    Catalog, Context, Stationery, StoreProof,
    ports::{Clock, Dice, Inspect, Notifier},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::{
    health::Health,
    meeting::Meeting,
    owner::Owner,
    place::Place,
    sockets::{Parts, Sockets},
};
use crate::{cli::ServeArguments, config::Config, schedule, site::import_if_new, workers};

pub(crate) use roles::Role;

/// For how long the parts may finish what they hold when the server stops.
const DRAIN: Duration = Duration::from_secs(25);

/// `telltale serve`, `broker`, `api` and `worker`.
pub(crate) async fn command(role: Role, arguments: ServeArguments) -> anyhow::Result<()> {
    boot::init_log("info");
    let health = arguments.listen.filter(|_| !role.listens());
    let server = Server::start(config(arguments)?, role, health).await?;
    let listening = server.address.map(|address| address.to_string());
    println!("{}", serde_json::json!({ "running": role.name(), "listening": listening }));
    let dead = server.taken_for_dead.clone();
    let failure = tokio::select! {
        told = boot::stop_signal() => told.context("this system takes no signal handlers").map(|()| None)?,
        () = dead.cancelled() => Some(TAKEN_FOR_DEAD),
        () = server.spool_failed() => Some(SPOOL_FAILED),
        () = server.store_failed() => {
            anyhow::bail!(STORE_FAILED);
        }
        why = server.meeting_is_over() => {
            tracing::error!("{why}");
            anyhow::bail!("{why}. What was begun is given to others, or goes on at the next start");
        }
    };
    if let Some(why) = failure {
        tracing::error!("{why}");
    }
    tracing::info!("stopping: finishing what was begun");
    match (failure, server.stop().await) {
        (None, stopped) => stopped,
        // Whoever looks after the process starts it again, and the spool is opened anew.
        (Some(why), Ok(())) => Err(anyhow::anyhow!(why)),
        (Some(why), Err(error)) => Err(error.context(why)),
    }
}

/// `telltale store`.
pub(crate) async fn store_command(arguments: ServeArguments) -> anyhow::Result<()> {
    boot::init_log("info");
    // What is said of Redis is for the parts that meet there, which may be told on their command line where it is.
    let health = arguments.listen;
    let config = with_arguments(Config::load(arguments.config.as_deref())?, arguments);
    if let Some(table) = &config.table {
        anyhow::bail!(
            "nobody owns the table {table} on DynamoDB: leave `telltale store` out, and start the other parts"
        );
    }
    let (clock, dice): (Arc<dyn Clock>, SystemDice) = (Arc::new(SystemClock), SystemDice);
    let owner = Owner::open(&config, &clock, &dice).await?;
    let stop = CancellationToken::new();
    let sharing = tokio::spawn(owner.share(&config.data, stop.clone())?);
    let proof = StoreProof::of(Arc::clone(&owner.table) as _, Arc::clone(&clock));
    let expiring = tokio::spawn(schedule::expire(clock, Arc::clone(&owner.table), stop.clone()));
    let health = Health::open_if(health, proof, None, &stop).await?;
    println!("{}", serde_json::json!({ "running": "store", "listening": Health::told(health.as_ref()) }));
    tokio::select! {
        told = boot::stop_signal() => told.context("this system takes no signal handlers")?,
        () = owner.failed() => anyhow::bail!(STORE_FAILED),
    }
    stop.cancel();
    let _ = tokio::join!(sharing, expiring);
    Health::close(health).await
}

fn config(arguments: ServeArguments) -> anyhow::Result<Config> {
    let config = Config::load(arguments.config.as_deref())?;
    let config = with_arguments(config, arguments);
    config.says_where_redis_is()?;
    Ok(config)
}

/// What the command line says stands over the configuration.
fn with_arguments(config: Config, arguments: ServeArguments) -> Config {
    let mut config = config.with_redis(arguments.redis);
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.data = arguments.data.unwrap_or(config.data);
    config
}

/// To go on would be to look alive and to raise no alarm.
const STORE_FAILED: &str = "the store has failed: see that the disk works, and start telltale again";

/// To go on would be to hold gateways that others hold by now.
const TAKEN_FOR_DEAD: &str = "other brokers took this one for dead, since it gave no sign of life for too long (it hung, or the store \
                              could not be reached from here): what it held is theirs by now. Started again, it is a new one";

/// To go on would be to refuse gateways for ever, once the queue is away.
const SPOOL_FAILED: &str = "the spool has failed: see that its disk works. What it holds goes on at the next start";

/// A server that runs.
pub(crate) struct Server {
    /// Where it listens, if it does.
    pub address: Option<SocketAddr>,
    /// What its broker counts.
    pub counters: Arc<Counters>,
    /// What its jobs work with.
    pub context: Context,
    /// Its queue, to look into.
    pub queue: Arc<dyn Inspect>,
    /// Cancelled when other brokers took its broker for dead.
    taken_for_dead: CancellationToken,
    owner: Option<Owner>,
    /// Whether it works on jobs.
    works: bool,
    meeting: Option<Arc<Meeting>>,
    sockets: Option<Sockets>,
    health: Option<Health>,
    workers: Vec<JoinHandle<()>>,
    sharing: Option<JoinHandle<()>>,
    stop: Stop,
}

/// What is told to stop, in this order.
#[derive(Clone, Default)]
struct Stop {
    sockets: CancellationToken,
    work: CancellationToken,
    store: CancellationToken,
}

impl Server {
    /// Starts every part of its roles, the store first and the port last. One that serves nobody says at `health` how it is.
    pub(crate) async fn start(config: Config, role: Role, health: Option<SocketAddr>) -> anyhow::Result<Self> {
        role.check(&config)?;
        let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let process = format!("{}-{:016x}", role.name(), dice.roll());
        let stop = Stop::default();
        let owner = if role.owns(&config) { Some(Owner::open(&config, &clock, dice.as_ref()).await?) } else { None };
        let sharing = match &owner {
            Some(owner) if config.redis.is_some() => Some(tokio::spawn(owner.share(&config.data, stop.store.clone())?)),
            _ => None,
        };
        let place = Box::pin(Place::find(&config, owner.as_ref(), &clock, &dice, &process)).await?;
        if let (None, Some(file)) = (&owner, &config.import) {
            import_if_new(file, place.table.as_ref(), clock.as_ref(), dice.as_ref()).await?;
        }
        let key = match (&config.table, &place.redis) {
            (Some(_), Some(redis)) => secret::shared_signing_key(redis, dice.as_ref()).await?,
            _ => secret::signing_key(&config.data, dice.as_ref())?,
        };
        let context = context(&config, &place, &key, &dice)?;
        let mut workers = Vec::new();
        if let Some(owner) = &owner {
            workers.push(tokio::spawn(schedule::expire(clock, Arc::clone(&owner.table), stop.sockets.clone())));
        }
        let (queue, meeting) = (Arc::clone(&place.queue.inspect), place.meeting.clone());
        if let Some(meeting) = meeting.clone() {
            workers.push(meeting.begin(stop.work.clone()).await);
        }
        if role.does(Role::Worker) {
            workers.extend(work(&config, role, &place, &context, (&process, &stop)));
        }
        let proof = StoreProof::of(Arc::clone(&context.table), Arc::clone(&context.clock));
        let health = Health::open_if(health, proof, meeting.clone(), &stop.work).await?;
        let mut sockets = None;
        if role.listens() {
            let tokens = Arc::new(Tokens::new(&key)?);
            let parts = Parts { config: &config, context: &context, place, tokens, process };
            sockets = Some(Sockets::open(parts, role, stop.sockets.clone()).await?);
        }
        Ok(Self {
            address: sockets.as_ref().map(|sockets| sockets.address).or(Health::told(health.as_ref())),
            counters: sockets.as_ref().map_or_else(Arc::default, Sockets::counters),
            taken_for_dead: sockets.as_ref().map_or_else(CancellationToken::new, Sockets::taken_for_dead),
            queue,
            context,
            works: role.does(Role::Worker),
            owner,
            meeting,
            sockets,
            health,
            workers,
            sharing,
            stop,
        })
    }

    /// Returns when the store has failed for good.
    async fn store_failed(&self) {
        match &self.owner {
            Some(owner) => owner.failed().await,
            None => std::future::pending().await,
        }
    }

    /// Returns when the spool has failed for good.
    async fn spool_failed(&self) {
        match &self.sockets {
            Some(sockets) => sockets.spool_failed().await,
            None => std::future::pending().await,
        }
    }

    /// Returns when it works on jobs and cannot any more, for what Redis is or for its own clock, and says so.
    async fn meeting_is_over(&self) -> String {
        match &self.meeting {
            Some(meeting) if self.works => meeting.is_over().await,
            _ => std::future::pending().await,
        }
    }

    /// Stops taking work in, then finishes what was taken, then closes the store.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.sockets.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            if let Some(sockets) = self.sockets {
                sockets.close().await?;
            }
            self.stop.work.cancel();
            for worker in self.workers {
                worker.await.context("a worker ended badly")?;
            }
            Health::close(self.health).await?;
            self.stop.store.cancel();
            if let Some(sharing) = self.sharing {
                sharing.await.context("sharing the store ended badly")?;
            }
            anyhow::Ok(())
        });
        if let Ok(ended) = drained.await {
            ended?;
        } else {
            // Nothing is lost: what was acknowledged is in the queue, and runs at the next start.
            tracing::warn!("not everything could be finished in time; it goes on at the next start");
        }
        drop(self.owner);
        Ok(())
    }
}

/// Begins to run jobs, to ask devices in time, and where there is no broker here to miss those elsewhere.
fn work(
    config: &Config,
    role: Role,
    place: &Place,
    context: &Context,
    (process, stop): (&str, &Stop),
) -> Vec<JoinHandle<()>> {
    let source = place.queue.source.clone();
    let turn = place.redis.clone().map(|redis| Turn::at(redis, "schedule", process, schedule::TURN_LASTS));
    let mut workers = vec![
        tokio::spawn(workers::run(context.clone(), source, stop.work.clone())),
        tokio::spawn(schedule::run(context.clone(), turn, stop.sockets.clone())),
    ];
    if let (false, Some(redis)) = (role.does(Role::Broker), place.redis.clone()) {
        let (config, context, stop) = (config.clone(), context.clone(), stop.sockets.clone());
        workers.push(tokio::spawn(async move { sockets::look_after_brokers(&config, &context, redis, stop).await }));
    }
    workers
}

fn context(config: &Config, place: &Place, key: &[u8], dice: &Arc<dyn Dice>) -> anyhow::Result<Context> {
    let links = config.words.links(key)?;
    Ok(Context {
        table: Arc::clone(&place.table),
        queue: Arc::clone(&place.queue.enqueue),
        link: Arc::clone(&place.link),
        notifier: post(config, &place.clock)?,
        clock: Arc::clone(&place.clock),
        dice: Arc::clone(dice),
        settings: Arc::new(config.for_jobs()),
        catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
        stationery: Stationery { links, illustrator: Some(Arc::new(notify::ChartIllustrator)) },
    })
}

fn post(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Notifier>> {
    let resolver = Arc::new(notify::SystemResolver);
    Ok(Arc::new(notify::Post::new(config.notify.clone(), Arc::clone(clock), resolver)?))
}
