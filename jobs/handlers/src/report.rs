//! What a broker reports: everything that happens on its sockets and routes and that the jobs must know.

use std::collections::BTreeMap;

use domain::{Mac, Need, NodeName, Pid, Source, Timestamp};
use serde::{Deserialize, Serialize};

/// One thing that a broker saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The node it came from; empty where it came from none.
    pub node: NodeName,
    /// When the broker saw it. One broker's reports never share an instant: it counts on by a millisecond.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The node stands in `Registered`: it can be addressed on this connection.
    NodeRegistered,
    /// The node said `ready`: its terminals may be polled.
    NodeReady,
    /// The node has been ready for as long as a terminal may stay away: those that are not back are lost.
    NodeSettled,
    /// The node's last connection is gone, or was held by a broker that is gone.
    NodeLost,
    /// A device answered some or all of its query's instructions.
    Answered(Answer),
    /// A device answered none of its query's instructions.
    Missed {
        /// The terminal.
        mac: Mac,
        /// The device.
        pid: Pid,
        /// The node's own count of consecutive misses; none when it was the broker that waited in vain.
        count: Option<u32>,
        /// When it was asked what the broker waited for in vain: an answer to that may have come to another broker.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Timestamp>,
    },
    /// Some of a query's instructions were not answered.
    PartlyMissed {
        /// The terminal.
        mac: Mac,
        /// The device.
        pid: Pid,
        /// The instructions without an answer.
        contents: Vec<String>,
    },
    /// Terminals stand on the node.
    TerminalsOn {
        /// Which; may be empty.
        macs: Vec<Mac>,
    },
    /// A terminal left the node.
    TerminalOff {
        /// Which.
        mac: Mac,
    },
    /// What the node found out about a terminal.
    Terminal(TerminalInfo),
    /// A terminal's state, as the node sees its connection.
    DtuState {
        /// The terminal.
        mac: Mac,
        /// The state it is in now: `ONLINE`, `DEGRADED`, …
        state: String,
        /// The node's score of the connection, 0 to 100.
        score: Option<u32>,
    },
    /// The node warns of something about a terminal.
    DtuAlert {
        /// The terminal.
        mac: Mac,
        /// What: `AT_TIMEOUT`, `INVALID_REGISTER`, …
        kind: String,
        /// In the node's words.
        message: String,
    },
    /// What the node says of the machine it runs on, as it says it.
    NodeInfo {
        /// The `node` object of the `nodeInfo` POST.
        info: serde_json::Value,
        /// How many DTU connections it holds.
        connections: u32,
    },
    /// What a part of the platform needs is away: told once for each time that it is, and of no node.
    PartAway {
        /// The part, and what it needs.
        need: Need,
        /// What is away, since when, and what waits for it.
        why: String,
    },
    /// It is back.
    PartBack {
        /// The part, and what it needs.
        need: Need,
        /// For how long it was away, and what became of what waited.
        how: String,
        /// What it was away for, where that is known: who hears of the end first must not take the beginning for old.
        absence: Option<Absence>,
    },
    /// What a part of the platform counted of what it needs.
    PartCounted {
        /// The part, and what it needs.
        need: Need,
        /// What it counted, by the names that rules know.
        values: BTreeMap<String, f64>,
    },
    /// An operation came to its end.
    Operated {
        /// The terminal or node that it is recorded with.
        about: Source,
        /// Which.
        id: String,
        /// How it ended.
        end: OperationEnd,
    },
}

/// A time that something was away, as it was reported when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Since when.
    pub since: Timestamp,
    /// What is away, since when, and what waits for it.
    pub why: String,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEnd {
    /// What is known of it.
    pub verdict: OperationVerdict,
    /// What was answered, or why nothing was.
    pub said: String,
    /// The bytes that came back.
    #[serde(with = "hex_bytes")]
    pub reply: Vec<u8>,
}

/// Whether an operation was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationVerdict {
    /// It was done: the reply is proven.
    Done,
    /// It was not, or nothing proves that it was.
    Failed,
    /// The reply is for a script of the protocol to judge.
    Unproven,
}

/// The replies to one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The terminal.
    pub mac: Mac,
    /// The device.
    pub pid: Pid,
    /// The protocol the query was made from.
    pub protocol: String,
    /// When the query was sent, by our clock: with mac and pid, the reading's identity.
    pub asked: Timestamp,
    /// The node's time of the replies, when it could be read.
    pub told: Option<Timestamp>,
    /// The poll interval the query carried, in milliseconds.
    pub interval: u64,
    /// How long the line was in use, in milliseconds.
    pub line_ms: u64,
    /// How many bytes went over the line, both ways.
    pub line_bytes: u64,
    /// The instructions that got a reply, and the reply's bytes.
    pub replies: Vec<RawReply>,
    /// How many instructions were asked in the same query and got none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unanswered: u32,
    /// Whether a newer answer of the device came first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overtaken: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One instruction's reply, unproven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawReply {
    /// The instruction as it was sent.
    pub content: String,
    /// The bytes that came back, as hex.
    #[serde(with = "hex_bytes")]
    pub bytes: Vec<u8>,
}

/// What a node found out about a terminal. Absent fields were not told, or did not make sense.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminalInfo {
    /// The terminal's mac as text; checked against the registered ones when processed.
    pub mac: String,
    /// The address the DTU connects from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The port it connects from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether it answers AT commands; the fields below are only told when it does.
    pub at: bool,
    /// The DTU's model (`PID` on the wire).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ver: Option<String>,
    /// Its module's firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gver: Option<String>,
    /// Its vendor-cloud setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iot_stat: Option<String>,
    /// `longitude,latitude`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The serial line: `9600,8,1,NONE,NFC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uart: Option<String>,
    /// The SIM's number, 18 to 22 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iccid: Option<String>,
    /// Signal strength as the DTU counts it (0 to 31).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<u32>,
}

/// Bytes as pairs of lower case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if !text.is_ascii() || text.len() % 2 == 1 {
            return Err(D::Error::custom("bytes are an even number of hex digits"));
        }
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(D::Error::custom))
            .collect()
    }
}
