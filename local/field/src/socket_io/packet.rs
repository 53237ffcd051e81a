//! The packets of Socket.IO (protocol 5) and of the Engine.IO (protocol 4) below it, as text.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// More binary parts than any event has.
const MOST_ATTACHMENTS: usize = 10;

/// What the transport carries: one text frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EnginePacket<'a> {
    /// The server's greeting, as JSON.
    Open(&'a str),
    /// The server ends the transport.
    Close,
    /// The server asks for a pong with the same data.
    Ping(&'a str),
    /// A Socket.IO packet.
    Message(&'a str),
    /// An answer to a ping of ours, the end of an upgrade, or nothing.
    Noop,
}

/// The part of the server's greeting that a client on a websocket needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Greeting {
    /// Milliseconds between two pings of the server.
    pub(crate) ping_interval: u64,
    /// Milliseconds that a pong may take.
    pub(crate) ping_timeout: u64,
}

/// What a namespace says or is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packet {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    /// How many binary frames follow.
    pub(crate) attachments: usize,
    pub(crate) ack: Option<u64>,
    pub(crate) data: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}

/// Why a text is not a packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacketError {
    #[error("no packet is of the type {0:?}")]
    Kind(Option<char>),
    #[error("a binary packet says how many attachments follow, {MOST_ATTACHMENTS} at most")]
    Attachments,
    #[error("a packet's id is a number")]
    Ack,
    #[error("a packet's data is not JSON: {0}")]
    Data(String),
}

/// Reads a text frame.
pub(crate) fn parse_engine(text: &str) -> Result<EnginePacket<'_>, PacketError> {
    let mut rest = text.chars();
    match rest.next() {
        Some('0') => Ok(EnginePacket::Open(rest.as_str())),
        Some('1') => Ok(EnginePacket::Close),
        Some('2') => Ok(EnginePacket::Ping(rest.as_str())),
        Some('4') => Ok(EnginePacket::Message(rest.as_str())),
        Some('3' | '5' | '6') => Ok(EnginePacket::Noop),
        other => Err(PacketError::Kind(other)),
    }
}

impl Packet {
    pub(crate) fn new(kind: Kind, namespace: &str, data: Option<Value>) -> Self {
        Self { kind, namespace: namespace.to_owned(), attachments: 0, ack: None, data }
    }

    /// Reads `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`.
    pub(crate) fn parse(text: &str) -> Result<Self, PacketError> {
        let mut chars = text.chars();
        let kind = Kind::parse(chars.next())?;
        let mut rest = chars.as_str();
        let mut attachments = 0;
        if kind.is_binary() {
            let (count, after) = rest.split_once('-').ok_or(PacketError::Attachments)?;
            attachments =
                count.parse().ok().filter(|&count| count <= MOST_ATTACHMENTS).ok_or(PacketError::Attachments)?;
            rest = after;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (id, json) = rest.split_at(digits);
        let ack = if id.is_empty() { None } else { Some(id.parse().map_err(|_| PacketError::Ack)?) };
        let data = if json.is_empty() { None } else { Some(parse_json(json)?) };
        Ok(Self { kind, namespace: namespace.to_owned(), attachments, ack, data })
    }
}

/// The form that [`Packet::parse`] reads.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.digit())?;
        if self.kind.is_binary() {
            write!(f, "{}-", self.attachments)?;
        }
        if self.namespace != "/" {
            write!(f, "{},", self.namespace)?;
        }
        if let Some(ack) = self.ack {
            write!(f, "{ack}")?;
        }
        self.data.as_ref().map_or(Ok(()), |data| write!(f, "{data}"))
    }
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Connect,
        Self::Disconnect,
        Self::Event,
        Self::Ack,
        Self::ConnectError,
        Self::BinaryEvent,
        Self::BinaryAck,
    ];

    fn parse(digit: Option<char>) -> Result<Self, PacketError> {
        Self::ALL.into_iter().find(|kind| Some(kind.digit()) == digit).ok_or(PacketError::Kind(digit))
    }

    fn digit(self) -> char {
        match self {
            Self::Connect => '0',
            Self::Disconnect => '1',
            Self::Event => '2',
            Self::Ack => '3',
            Self::ConnectError => '4',
            Self::BinaryEvent => '5',
            Self::BinaryAck => '6',
        }
    }

    fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// Puts binary parts where their placeholders are, in the form that a gateway's buffer has in JSON.
pub(crate) fn fill_placeholders(data: &mut Value, attachments: &[bytes::Bytes]) {
    match data {
        Value::Array(items) => items.iter_mut().for_each(|item| fill_placeholders(item, attachments)),
        Value::Object(fields) if fields.get("_placeholder") == Some(&Value::Bool(true)) => {
            let number = fields.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok());
            if let Some(bytes) = number.and_then(|number| attachments.get(number)) {
                *data = buffer(bytes);
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| fill_placeholders(field, attachments)),
        _ => {}
    }
}

/// Bytes as a gateway's buffer becomes JSON.
pub(crate) fn buffer(bytes: &[u8]) -> Value {
    serde_json::json!({ "type": "Buffer", "data": bytes })
}

fn parse_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, PacketError> {
    serde_json::from_str(json).map_err(|error| PacketError::Data(error.to_string()))
}

impl Greeting {
    pub(crate) fn parse(json: &str) -> Result<Self, PacketError> {
        parse_json(json)
    }
}

#[cfg(test)]
mod tests;
