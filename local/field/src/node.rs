//! A gateway program: its connection to the server, and what it does with what the server says.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rand::rngs::SmallRng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    chance,
    operation::{AtCommand, Instruct},
    plan::{NodePlan, TerminalPlan},
    query::Query,
    socket_io::{Emit, Received, Socket, SocketError},
    terminal::{self, Terminal, Work},
    uploads::{About, Upload},
    waiting::Waiting,
    world::World,
};

/// The pause before the first attempt to reconnect; it doubles up to the longest, and each is drawn around its middle.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the terminals of a node share: ways to tell the server something.
pub(crate) struct Gateway {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) world: Arc<World>,
    /// Events for the server. Those told while there is no connection go out after the next one stands.
    pub(crate) outbox: Waiting<Emit>,
    pub(crate) uploads: Waiting<Upload>,
}

impl Gateway {
    /// Tells the server an event.
    pub(crate) fn tell(&self, event: &'static str, args: Vec<Value>) {
        self.outbox.push_back(Emit { event, args, attachment: None });
    }
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Lost(#[from] SocketError),
    #[error("the node cut its transport")]
    Cut,
    #[error("{0}")]
    Refused(String),
    #[error("the real gateway program does not survive what the server sent: {0}")]
    Killed(String),
}

/// Runs a node until it is told to stop, or until it ends as the real program would.
pub(crate) async fn run(world: Arc<World>, plan: NodePlan, stop: CancellationToken) {
    let wait = world.settings.ramp.mul_f64(f64::from(plan.index - 1) / f64::from(world.settings.nodes));
    let dice = chance::stream(world.settings.seed, &plan.name);
    let gateway = Arc::new(Gateway {
        name: plan.name,
        token: plan.token,
        world,
        outbox: Waiting::default(),
        uploads: Waiting::default(),
    });
    let mut node = Node {
        gateway: Arc::clone(&gateway),
        dice,
        strangers: plan.terminals,
        terminals: HashMap::new(),
        tasks: JoinSet::new(),
    };
    let life = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = async { sleep(wait).await; node.live().await } => {}
        }
        node.tasks.shutdown().await;
        gateway.uploads.close();
    };
    tokio::join!(life, gateway.run_uploads());
}

struct Node {
    gateway: Arc<Gateway>,
    dice: SmallRng,
    /// Terminals that wait for the gateway to listen; none after the first registration.
    strangers: Vec<TerminalPlan>,
    terminals: HashMap<String, Arc<Terminal>>,
    tasks: JoinSet<()>,
}

/// One connection.
struct Session {
    socket: Socket,
    connected: bool,
    registered: bool,
}

impl Node {
    /// Connects, again and again, until the server refuses this node or kills it.
    async fn live(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let ended = self.connect_and_serve(&mut pause).await;
            let (name, world) = (&self.gateway.name, &self.gateway.world);
            match ended {
                Ended::Lost(_) | Ended::Cut => {
                    world.tally.count(|counters| counters.transports_lost += 1);
                    tracing::debug!(node.name = name, reason = %ended, "a virtual node lost its transport and will come back");
                }
                Ended::Refused(_) | Ended::Killed(_) => {
                    world.tally.count(|counters| counters.nodes_ended += 1);
                    return tracing::error!(node.name = name, reason = %ended, "a virtual node ended and will not come back");
                }
            }
            sleep(chance::around(&mut self.dice, pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect_and_serve(&mut self, pause: &mut Duration) -> Ended {
        let server = &self.gateway.world.settings.server;
        let socket = match Socket::connect(server, "/node", json!({ "token": self.gateway.token })).await {
            Ok(socket) => socket,
            Err(error) => return error.into(),
        };
        let mut session = Session { socket, connected: false, registered: false };
        let ended = self.serve(&mut session, pause).await;
        if session.registered {
            self.gateway.world.tally.count(|counters| counters.nodes_registered -= 1);
        }
        ended
    }

    async fn serve(&mut self, session: &mut Session, pause: &mut Duration) -> Ended {
        let gateway = Arc::clone(&self.gateway);
        let cut = chance::accident(&mut self.dice, gateway.world.settings.faults.transport_cuts_per_hour);
        loop {
            let done = tokio::select! {
                received = session.socket.receive() => match received {
                    Ok(received) => self.received(session, received, pause).await,
                    Err(error) => Err(error.into()),
                },
                Some(emit) = gateway.outbox.next(), if session.connected => {
                    session.socket.emit(emit).await.map_err(Ended::from)
                }
                () = chance::happens(cut) => {
                    gateway.world.tally.count(|counters| counters.transports_cut += 1);
                    Err(Ended::Cut)
                }
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    async fn received(&mut self, session: &mut Session, received: Received, pause: &mut Duration) -> Result<(), Ended> {
        match received {
            Received::Ping(data) => session.socket.pong(&data).await?,
            Received::Refused(reason) => return Err(Ended::Refused(reason)),
            Received::Connected => {
                session.connected = true;
                *pause = FIRST_PAUSE;
            }
            Received::Event(name, args) => {
                let argument = args.into_iter().next().unwrap_or_default();
                self.event(session, &name, argument)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, session: &mut Session, name: &str, argument: Value) -> Result<(), Ended> {
        match name {
            "accont" => self.gateway.tell("register", vec![self.run_info()]),
            "registerSuccess" => self.register(session),
            "query" | "instructQuery" | "DTUoprate" | "nodeInfo" if self.terminals.is_empty() => {
                return Err(Ended::Killed(format!("`{name}` before the first `registerSuccess`")));
            }
            "query" => self.query(Query::read(argument).map_err(|problem| killed_by(name, &problem))?),
            "instructQuery" => {
                let instruct: Instruct = read(name, argument)?;
                self.operate(&instruct.mac.clone(), Work::Instruct(instruct));
            }
            "DTUoprate" => {
                let command: AtCommand = read(name, argument)?;
                self.operate(&command.mac.clone(), Work::At(command));
            }
            "nodeInfo" => self.post_node_info(&argument),
            _ => tracing::debug!(
                node.name = self.gateway.name,
                event = name,
                "an event that gateways do not know was ignored"
            ),
        }
        Ok(())
    }

    /// The first time the gateway begins to listen and its DTUs call; later it says which are there.
    fn register(&mut self, session: &mut Session) {
        self.gateway.world.tally.count(|counters| {
            counters.registrations += 1;
            counters.nodes_registered += u64::from(!session.registered);
        });
        session.registered = true;
        while self.tasks.try_join_next().is_some() {}
        if self.strangers.is_empty() {
            let online: Vec<&str> = self.online().map(|terminal| terminal.mac.as_str()).collect();
            self.gateway.tell("terminalOn", vec![json!(online), json!(false)]);
        }
        for plan in std::mem::take(&mut self.strangers) {
            let terminal = Arc::new(Terminal::new(plan.mac.clone()));
            self.terminals.insert(plan.mac.clone(), Arc::clone(&terminal));
            self.tasks.spawn(terminal::run(terminal, plan, Arc::clone(&self.gateway)));
        }
        self.be_ready_soon();
    }

    /// A reconnect does not call off an earlier `ready`: a quick one yields two, as in the field.
    fn be_ready_soon(&mut self) {
        let gateway = Arc::clone(&self.gateway);
        self.tasks.spawn(async move {
            sleep(gateway.world.settings.ready_delay).await;
            gateway.tell("ready", Vec::new());
        });
    }

    fn query(&self, query: Query) {
        self.gateway.world.tally.count(|counters| counters.queries_received += 1);
        match self.terminals.get(&query.mac) {
            Some(terminal) => terminal.take(Work::Query(query), &self.gateway),
            None => self.gateway.world.tally.count(|counters| counters.queries_dropped += 1),
        }
    }

    fn operate(&self, mac: &str, work: Work) {
        if let Some(terminal) = self.terminals.get(mac) {
            terminal.take(work, &self.gateway);
        }
    }

    fn post_node_info(&self, name: &Value) {
        let body = json!({ "name": name, "node": self.run_info(), "tcp": self.online().count() });
        self.gateway.post(Upload { call: "nodeInfo", body: body.to_string().into(), about: About::Equipment });
    }

    fn online(&self) -> impl Iterator<Item = &Arc<Terminal>> {
        self.terminals.values().filter(|terminal| terminal.is_online())
    }

    fn run_info(&self) -> Value {
        json!({
            "hostname": self.gateway.name, "totalmem": "1.0GB", "freemem": "62.5%", "loadavg": [0.1, 0.1, 0.1],
            "type": "Linux", "uptime": "0h", "version": "Telltale virtual field",
        })
    }
}

fn read<T: DeserializeOwned>(event: &str, argument: Value) -> Result<T, Ended> {
    serde_json::from_value(argument).map_err(|error| killed_by(event, &error.to_string()))
}

fn killed_by(event: &str, problem: &str) -> Ended {
    Ended::Killed(format!("`{event}`: {problem}"))
}
