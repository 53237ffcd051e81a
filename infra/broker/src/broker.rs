//! The broker as its mains know it: made of parts, run until it is told to stop.

use std::{sync::Arc, time::Duration};

use engine_http::{Tokens, axum::Router};
use jobs::ports::{Clock, Dice, Door, Enqueue, Link, Spooling, ToBroker};
use records::Table;
use socketioxide::SocketIo;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    browsers::{Browsers, DoorParts},
    counters::Counters,
    door::FrontDoor,
    elsewhere::Elsewhere,
    inbox::Inbox,
    keeper::Keeper,
    lookout::{Lookout, LookoutParts},
    node::{Admission, Alerts, Identities, NodeDoor, Registry},
    operations::Operations,
    pacer::{Nodes, Pacer, PacerHandle},
    refused::RefusedNodes,
    reports::Batcher,
    settings::BrokerSettings,
    upload::{self, Uploads},
    viewers::Viewers,
    web::Live,
    wire,
};

/// How often nodes are asked what they know of themselves.
const NODE_INFO_EVERY: Duration = Duration::from_mins(1);

/// How often it is looked at anew who may hear what.
const LOOK_AGAIN_EVERY: Duration = Duration::from_mins(2);

/// How often what browsers are not shown any more is let go of, and those that are too slow are told.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// How long one step of the shutdown may take.
const STEP: Duration = Duration::from_secs(5);

/// What a broker is made of.
pub struct BrokerParts {
    /// Its name: a node's session says which broker holds it.
    pub id: String,
    /// What is remembered.
    pub table: Arc<dyn Table>,
    /// Where reports go.
    pub queue: Arc<dyn Enqueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub dice: Arc<dyn Dice>,
    /// Who is signed in.
    pub tokens: Arc<Tokens>,
    /// Its part of the configuration.
    pub settings: BrokerSettings,
    /// What lies in the spool before the queue, if there is one.
    pub spool: Option<Arc<dyn Spooling>>,
    /// The way to other brokers.
    pub link: Arc<dyn Link>,
    /// What it is told over the link.
    pub inbox: mpsc::Receiver<ToBroker>,
}

/// A broker: the process's sockets, and the tasks behind them.
pub struct Broker {
    io: SocketIo,
    inbox: Inbox,
    nodes: Arc<NodeDoor>,
    pub(crate) browsers: Arc<Browsers>,
    pacer: (Pacer, PacerHandle),
    keeper: Keeper,
    batcher: Batcher,
    posts: TaskTracker,
    refused: Arc<RefusedNodes>,
    counters: Arc<Counters>,
    spool: Option<Arc<dyn Spooling>>,
}

impl Broker {
    /// A broker, and the routes it answers: `/client` and `/api/node/*`. They need the peer's address
    /// (`ConnectInfo<SocketAddr>`), and work once the broker runs.
    pub fn new(parts: BrokerParts) -> (Self, Router) {
        let BrokerParts { id, table, queue, clock, dice, tokens, settings, spool, link, inbox } = parts;
        let (settings, registry) = (Arc::new(settings), Arc::<Registry>::default());
        let (counters, refused) = (Arc::<Counters>::default(), Arc::<RefusedNodes>::default());
        let identities = Arc::new(Identities::new(Arc::clone(&table)));
        let (io, sockets, wires) = wire::sockets();
        let (batcher, reporter) = Batcher::new(queue, Arc::clone(&clock), dice, Arc::clone(&counters));
        let batcher = batcher.gathering(Duration::from_millis(settings.gather_ms), settings.gather_reports);
        let is_told_the_past = link.tells_the_past();
        let elsewhere = Arc::new(Elsewhere::new(&id, Arc::clone(&table), link));
        let (keeper, keeper_handle) =
            Keeper::new(&id, Arc::clone(&table), Arc::clone(&clock), reporter.clone(), Arc::clone(&elsewhere));
        let pacer = Pacer::new(
            Arc::clone(&registry) as Arc<dyn Nodes>,
            reporter.clone(),
            Arc::clone(&clock),
            Arc::clone(&settings),
            Arc::clone(&counters),
        );
        let posts = TaskTracker::new();
        let operations = Operations::new(&registry, &reporter, &clock, &settings, &counters, &posts);
        let live = Arc::new(Live { io: io.clone(), clock: Arc::clone(&clock), counters: Arc::clone(&counters) });
        let nodes = Arc::new(NodeDoor {
            admission: Admission::default(),
            identities: Arc::clone(&identities),
            registry: Arc::clone(&registry),
            elsewhere: Arc::clone(&elsewhere),
            reporter: reporter.clone(),
            pacer: pacer.1.clone(),
            keeper: keeper_handle,
            operations: Arc::new(operations),
            wires: wires.clone(),
            refused: Arc::clone(&refused),
            live: Arc::clone(&live),
            alerts: Alerts::default(),
            counters: Arc::clone(&counters),
            clock: Arc::clone(&clock),
            settings: Arc::clone(&settings),
        });
        nodes.open(&io);
        let viewers = Arc::new(Viewers { table: Arc::clone(&table), tokens, clock });
        let doors = DoorParts { io: io.clone(), viewers, wires: wires.clone(), counters: Arc::clone(&counters) };
        let browsers = Browsers::open(&doors, &id, is_told_the_past);
        let uploads = Uploads {
            identities,
            registry: Arc::clone(&registry),
            elsewhere,
            table,
            reporter,
            pacer: pacer.1.clone(),
            live,
            counters: Arc::clone(&counters),
            settings,
            running: posts.clone(),
            recent: upload::Recent::default(),
        };
        let router = sockets.merge(upload::router(Arc::new(uploads)));
        (
            Self { io, inbox: inbox.into(), nodes, browsers, pacer, keeper, batcher, posts, refused, counters, spool },
            router,
        )
    }

    /// The same, with an inbox that is closed when the broker is to stop: it is read to its end.
    pub(crate) fn with_an_inbox_that_ends(self) -> Self {
        Self { inbox: self.inbox.that_ends(), ..self }
    }

    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The gateway programs it turned away.
    pub fn refused(&self) -> Arc<RefusedNodes> {
        Arc::clone(&self.refused)
    }

    /// What an operator sees of it.
    pub fn door(&self) -> Arc<dyn Door> {
        Arc::new(FrontDoor { refused: self.refused(), counters: self.counters(), spool: self.spool.clone() })
    }

    /// What looks after that which the broker needs, and says when it is away.
    pub fn lookout(&self, parts: LookoutParts) -> Lookout {
        Lookout::new(parts, self.nodes.reporter.clone(), Arc::clone(&self.nodes.clock), self.spool.clone())
    }

    /// Runs until `shutdown`: then sends no more queries, ends its sockets (their clients come back by themselves), and
    /// returns once what it took is durable.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { io, mut inbox, nodes, browsers, pacer: (pacer, pacer_handle), keeper, batcher, posts, .. } = self;
        let (stop_keeper, stop_batcher) = (CancellationToken::new(), CancellationToken::new());
        let keeping = tokio::spawn(keeper.run(stop_keeper.clone()));
        let batching = tokio::spawn(batcher.run(stop_batcher.clone()));
        let pacing = tokio::spawn(pacer.run(shutdown.clone()));
        let looking = tokio::spawn(look_after(Arc::clone(&browsers), Arc::clone(&nodes.registry), shutdown.clone()));
        inbox.listen(&pacer_handle, (&nodes, &io), &browsers, &shutdown).await;

        tracing::info!("the broker stops: it sends no more queries, and finishes what it holds");
        inbox.refuse_rest(&nodes.operations).await;
        let _ = pacing.await;
        let _ = looking.await;
        nodes.close(&io);
        browsers.close();
        posts.close();
        let _ = timeout(STEP, posts.wait()).await;
        stop_keeper.cancel();
        let _ = timeout(STEP, keeping).await;
        stop_batcher.cancel();
        let _ = timeout(STEP, batching).await;
    }
}

/// Does what is to be done every second, minute or two, until `shutdown`.
async fn look_after(browsers: Arc<Browsers>, registry: Arc<Registry>, shutdown: CancellationToken) {
    let every = |period: Duration| {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let (mut node_info, mut look_again) = (every(NODE_INFO_EVERY), every(LOOK_AGAIN_EVERY));
    let mut tidy = every(TIDY_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = node_info.tick() => registry.ask_node_info(),
            _ = look_again.tick() => browsers.look_again().await,
            _ = tidy.tick() => browsers.tidy(),
        }
    }
}
