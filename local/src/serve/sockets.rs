//! What listens: a broker, the API, or both on one port.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::{Broker, BrokerParts, Counters, Looks, Member, MemberParts, Undertaker, WatchedQueue, end_stale_sessions};
use engine_http::{Tokens, axum::Router};
use engine_redis::Redis;
use futures::FutureExt;
use jobs::{
    Context,
    backtest::Terms,
    ports::{Door, Enqueue, Spooling, ToBroker},
};
use link::{RedisInbox, RedisInboxes};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    health, lookout,
    place::Place,
    roles::Role,
    spool::{self, Heirs, Spool},
};
use crate::config::Config;

/// After how long without a sign of life a broker is dead. On DynamoDB a single call may take 20 s when the network is bad, and
/// each sign costs.
const DEAD_AFTER: Duration = Duration::from_secs(12);
const DEAD_AFTER_ON_DYNAMODB: Duration = Duration::from_mins(1);
/// How much of what a broker was told may wait for it. More stays in Redis.
const WAITING: usize = 1000;

/// What it is made of.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) context: &'a Context,
    pub(super) place: Place,
    pub(super) tokens: Arc<Tokens>,
    /// The process's name.
    pub(super) process: String,
}

/// What listens, and runs.
pub(super) struct Sockets {
    /// Where.
    pub(super) address: SocketAddr,
    broker: Option<Running>,
    web: JoinHandle<std::io::Result<()>>,
}

/// A broker that runs.
enum Running {
    Alone { broker: JoinHandle<()>, counters: Arc<Counters>, door: Arc<dyn Door> },
    AmongOthers(Member, Spool),
}

impl Sockets {
    pub(super) async fn open(mut parts: Parts<'_>, role: Role, stop: CancellationToken) -> anyhow::Result<Self> {
        let listener = health::bind(parts.config.listen).await?;
        let address = listener.local_addr()?;
        let mut router = Router::new();
        let mut broker = None;
        if role.does(Role::Broker) {
            let (running, sockets) = match (parts.place.redis.clone(), parts.place.told.take()) {
                (None, Some(told)) => alone(&parts, told, &stop).await?,
                (Some(redis), _) => among_others(&parts, redis, address, &stop).await?,
                (None, None) => anyhow::bail!("a broker needs a link"),
            };
            broker = Some(running);
            router = router.merge(sockets);
        }
        if role.does(Role::Api) {
            let door = broker.as_ref().map_or_else(
                || Arc::new(api::StoredDoors(Arc::clone(&parts.context.table))) as _,
                |running| running.door(&parts),
            );
            router = router.merge(api(&parts, door, broker.as_ref().and_then(Running::spool)));
        } else if let Some(Running::AmongOthers(member, _)) = &broker {
            router = router.merge(member.health());
        }
        let most = boot::most_connections(parts.config.max_connections);
        let web = tokio::spawn(engine_http::serve(listener, router, most, stop));
        Ok(Self { address, broker, web })
    }

    /// What its broker counts.
    pub(super) fn counters(&self) -> Arc<Counters> {
        match &self.broker {
            Some(Running::Alone { counters, .. }) => Arc::clone(counters),
            Some(Running::AmongOthers(member, _)) => member.counters(),
            None => Arc::default(),
        }
    }

    /// Is cancelled when other brokers took its broker for dead.
    pub(super) fn taken_for_dead(&self) -> CancellationToken {
        match &self.broker {
            Some(Running::AmongOthers(member, _)) => member.taken_for_dead(),
            _ => CancellationToken::new(),
        }
    }

    /// Returns when the broker's spool has failed for good.
    pub(super) async fn spool_failed(&self) {
        match &self.broker {
            Some(Running::AmongOthers(_, spool)) => spool.failed().await,
            _ => std::future::pending().await,
        }
    }

    /// Finishes what was taken. It was told to stop before.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.broker {
            Some(Running::Alone { broker, .. }) => {
                broker.await.context("the broker ended badly")?;
                self.web.await.context("the web server ended badly")??;
            }
            Some(Running::AmongOthers(mut member, spool)) => {
                member.finish().await.context("the broker ended badly")?;
                self.web.await.context("the web server ended badly")??;
                // What it could not report of the nodes that it held, those report who bury it.
                if !spool.queue.has_failed() {
                    member.leave().await.context("it is still in the list of brokers")?;
                }
                drop(spool);
            }
            None => self.web.await.context("the web server ended badly")??,
        }
        Ok(())
    }
}

impl Running {
    fn spool(&self) -> Option<Arc<dyn Spooling>> {
        match self {
            Self::Alone { .. } => None,
            Self::AmongOthers(_, spool) => Some(Arc::clone(&spool.queue) as _),
        }
    }

    /// Where there may be other brokers, what all of them wrote down.
    fn door(&self, parts: &Parts<'_>) -> Arc<dyn Door> {
        match self {
            Self::Alone { door, .. } => Arc::clone(door),
            Self::AmongOthers(..) => Arc::new(api::StoredDoors(Arc::clone(&parts.context.table))),
        }
    }
}

/// The one broker there is.
async fn alone(
    parts: &Parts<'_>,
    told: mpsc::Receiver<ToBroker>,
    stop: &CancellationToken,
) -> anyhow::Result<(Running, Router)> {
    let Context { table, queue, clock, .. } = parts.context;
    let id = &parts.process;
    // Nobody comes in yet.
    let now = clock.now();
    end_stale_sessions(table.as_ref(), queue.as_ref(), id, |session| (session.broker != *id).then_some(now)).await?;
    let (broker, router) = Broker::new(broker_parts(parts, id.clone(), told, None));
    let (counters, door) = (broker.counters(), broker.door());
    tokio::spawn(
        broker.lookout(lookout::alone(parts.config, parts.context, &parts.place.queue.inspect)).run(stop.clone()),
    );
    let broker = tokio::spawn(broker.run(stop.clone()));
    Ok((Running::Alone { broker, counters, door }, router))
}

/// One of several.
async fn among_others(
    parts: &Parts<'_>,
    redis: Redis,
    address: SocketAddr,
    stop: &CancellationToken,
) -> anyhow::Result<(Running, Router)> {
    let Context { table, queue, clock, dice, .. } = parts.context;
    let part = lookout::part(parts.config, address.port());
    // Where a machine may be gone for good, as a container's, others end what was told under its name.
    let is_mourned = parts.config.table.is_some();
    let mourned = is_mourned.then_some(part.as_str());
    let id = Member::begin(table.as_ref(), clock.as_ref(), dice.as_ref(), mourned).await?;
    let inbox = RedisInbox::open(redis.clone(), &id).await.context("cannot open the broker's inbox")?;
    let (sender, told) = mpsc::channel(WAITING);
    let (looks, operator) = (Arc::<Looks>::default(), lookout::operator(parts.config, parts.context));
    let queue: Arc<dyn Enqueue> = Arc::new(WatchedQueue::new(Arc::clone(queue), Arc::clone(&looks)));
    let heirs = Heirs { operator: operator.clone(), clock: Arc::clone(clock) };
    let meeting = parts.place.meeting.as_ref().context("who is among others meets them")?;
    let spool = spool::open(parts.config, (&parts.place.known_by, address), &queue, meeting, heirs).await?;
    let parts_of_lookout = lookout::Among {
        part,
        queue: Arc::clone(&parts.place.queue.inspect),
        meeting: Arc::clone(meeting),
        looks,
        operator,
        told: lookout::told_by(&spool.folder),
    };
    let lookout = lookout::among_others(parts.config, parts_of_lookout);
    let (member, router) = Member::start(MemberParts {
        broker: broker_parts(parts, id, told, Some(&spool)),
        inbox: inbox.run(sender, stop.clone()).boxed(),
        inboxes: Arc::new(RedisInboxes::new(redis)),
        patience: patience(parts.config),
        lookout,
        is_mourned,
        stop: stop.clone(),
    });
    Ok((Running::AmongOthers(member, spool), router))
}

/// Looks after the brokers from a process that has none: the last one is missed as well.
pub(super) async fn look_after_brokers(config: &Config, context: &Context, redis: Redis, stop: CancellationToken) {
    let Context { table, queue, clock, .. } = context;
    let undertaker = Undertaker {
        table: Arc::clone(table),
        queue: Arc::clone(queue),
        clock: Arc::clone(clock),
        inboxes: Arc::new(RedisInboxes::new(redis)),
        patience: patience(config),
        parts_die: false,
    };
    undertaker.run(stop).await;
}

/// How long a broker may give no sign of life.
fn patience(config: &Config) -> Duration {
    if config.table.is_some() { DEAD_AFTER_ON_DYNAMODB } else { DEAD_AFTER }
}

/// What a broker of this process is made of; with a spool, what it reports goes through that.
fn broker_parts(parts: &Parts<'_>, id: String, told: mpsc::Receiver<ToBroker>, spool: Option<&Spool>) -> BrokerParts {
    let Context { table, queue, link, clock, dice, .. } = parts.context;
    BrokerParts {
        id,
        table: Arc::clone(table),
        queue: spool.map_or_else(|| Arc::clone(queue), |spool| Arc::clone(&spool.queue) as _),
        clock: Arc::clone(clock),
        dice: Arc::clone(dice),
        tokens: Arc::clone(&parts.tokens),
        settings: parts.config.broker.clone(),
        spool: spool.map(|spool| Arc::clone(&spool.queue) as _),
        link: Arc::clone(link),
        inbox: told,
    }
}

fn api(parts: &Parts<'_>, door: Arc<dyn Door>, spool: Option<Arc<dyn Spooling>>) -> Router {
    let Context { table, queue, link, clock, dice, .. } = parts.context;
    api::router(api::ApiParts {
        table: Arc::clone(table),
        clock: Arc::clone(clock),
        tokens: Arc::clone(&parts.tokens),
        scripts: Arc::new(script::JavaScript),
        link: Arc::clone(link),
        door,
        dice: Arc::clone(dice),
        queue: Arc::clone(&parts.place.queue.inspect),
        jobs: Arc::clone(queue),
        spool,
        meeting: parts.place.meeting.clone().map(|meeting| meeting as _),
        links: parts.context.stationery.links.clone(),
        words: parts.config.words.clone(),
        terms: Terms::of(&parts.config.notices, &parts.config.alarms),
        settings: parts.config.auth.for_api(),
    })
}
