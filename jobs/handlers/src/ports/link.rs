//! The link: commands to the broker that holds a node, pushes to every browser that may see them.

use async_trait::async_trait;
use domain::{Mac, NodeName, Pid, Source, Timestamp, frame::Proof};
use serde::{Deserialize, Serialize};

/// One query the broker is to send at a set time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedQuery {
    /// When to send it.
    pub at: Timestamp,
    /// The terminal.
    pub mac: Mac,
    /// The device on its line.
    pub pid: Pid,
    /// 485 or 232, as the wire says it.
    pub line: u16,
    /// The protocol's name.
    pub protocol: String,
    /// The device model's name (`mountDev` on the wire).
    pub model: String,
    /// What to send: for 485 hex with CRC, for 232 text. Empty where the protocol's scripts make nothing for this device:
    /// then nothing may be sent, since an empty list kills the gateway program.
    pub contents: Vec<String>,
    /// The device's poll interval, in milliseconds.
    pub interval: u64,
}

/// A window's work for one node. The broker paces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The node.
    pub node: NodeName,
    /// Names the window: the same plan twice is sent once.
    pub window: String,
    /// The queries, in any order.
    pub queries: Vec<PlannedQuery>,
}

/// What a broker can be told to do with a node it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum NodeCommand {
    /// Send these queries at their times.
    Plan(Plan),
    /// Break the node's connections, and forget what it was known by. Who may still come in comes back by itself.
    Shed {
        /// The node.
        node: NodeName,
    },
    /// Have something done, and report what came of it.
    Operate(Operation),
    /// The answer to the query that was sent to a terminal at `asked` arrived at another broker.
    Answered {
        /// The node.
        node: NodeName,
        /// The terminal.
        mac: Mac,
        /// When it was asked.
        asked: Timestamp,
    },
    /// Break this connection: its node has come back to another broker.
    Displaced {
        /// The node.
        node: NodeName,
        /// The connection that stood for it.
        connection: String,
    },
}

/// Something that somebody wants done once. Its end is reported as `Event::Operated`, whatever it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Names it: the same operation twice is sent once.
    pub id: String,
    /// The terminal or node that it is recorded with.
    pub about: Source,
    /// The node that does it.
    pub node: NodeName,
    /// What is to be done.
    pub order: Order,
    /// From when on it may not be begun any more: whoever asked for it was told by then that it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What a node is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Send an instruction to a device, before all queries that wait.
    Device {
        /// The terminal.
        mac: Mac,
        /// The device on its line.
        pid: Pid,
        /// 485 or 232, as the wire says it.
        line: u16,
        /// The protocol's name.
        protocol: String,
        /// What to send: for 485 hex with address and CRC, for 232 text.
        content: String,
        /// How the reply is to be proven.
        proof: Proof,
    },
    /// Send an AT command to the DTU itself.
    At {
        /// The terminal.
        mac: Mac,
        /// The whole command, with its prefix.
        command: String,
    },
    /// Let go of all terminals, and take them on again.
    Restart,
}

/// Who may see a push. The broker knows which of its browsers belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who may see this terminal.
    Terminal(Mac),
    /// One user, in every browser.
    User(String),
}

/// Something that browsers should see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// The event's name as browsers subscribe to it: `<mac><pid>`, `MacUpdate<mac>`, `alarm`.
    pub event: String,
    /// Who may see it.
    pub audience: Audience,
    /// The event's one argument.
    pub data: serde_json::Value,
}

/// Where pushes stand among all that were published. Every broker that is told of a position is told the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What the numbers count in. Those of two epochs do not compare.
    pub epoch: String,
    /// The last number that was given before. A broker that never saw it has missed something.
    pub after: u64,
    /// The number of the first push; the others follow it, one by one. At most 2^53, which JavaScript takes whole.
    pub first: u64,
    /// When they were published, if the link knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What reaches a broker over its link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "to_broker", rename_all = "snake_case")]
pub enum ToBroker {
    /// A command for a node it holds.
    Command(NodeCommand),
    /// What its browsers should see.
    Publish {
        /// The pushes, in order.
        pushes: Vec<Push>,
        /// Where they stand, if the link keeps an order that is the same for all; otherwise each broker counts for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
    },
    /// What browsers were shown before this broker was there: for those that come from another.
    Past {
        /// The pushes, in order.
        pushes: Vec<Push>,
        /// Where they stand.
        position: Position,
    },
}

/// Why a broker was not told.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The way to it is away. What was given may arrive all the same.
    #[error("the broker cannot be reached: {0}")]
    Away(String),
    /// There is no such broker: the node is connected nowhere.
    #[error("node not connected")]
    NotConnected,
}

/// The way from jobs to sockets.
#[async_trait]
pub trait Link: Send + Sync {
    /// Gives a command to `broker`, which holds (or held) the node. A broker that does not hold it drops it.
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError>;

    /// Tells every broker what users should see. At most once; where something was lost, the positions of what follows say so.
    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError>;

    /// Whether a broker that starts is told what was published before it was there ([`ToBroker::Past`]), and when that is all
    /// (one without pushes).
    fn tells_the_past(&self) -> bool {
        false
    }
}

/// The brokers' inboxes, where there are several.
#[async_trait]
pub trait Inboxes: Send + Sync {
    /// Removes the inbox that a dead broker left behind, if it is there.
    async fn remove(&self, broker: &str) -> Result<(), LinkError>;
}
