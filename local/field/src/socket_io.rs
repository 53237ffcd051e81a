//! A small Socket.IO client: one namespace over one websocket.

mod packet;

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use packet::{EnginePacket, Greeting, Kind, Packet, PacketError, fill_placeholders, parse_engine};

pub(crate) use packet::buffer;

/// How long a server may take to greet.
const PATIENCE: Duration = Duration::from_secs(20);
/// Kept small: a field has thousands of sockets that carry little.
const BUFFER: usize = 4 * 1024;

/// What came from the server.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    /// The namespace is connected.
    Connected,
    /// The namespace is refused or ended by the server: a Socket.IO client does not come back from that by itself.
    Refused(String),
    /// An event with its arguments.
    Event(String, Vec<Value>),
    /// To be answered with [`Socket::pong`].
    Ping(String),
}

/// Something to tell the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Emit {
    pub(crate) event: &'static str,
    pub(crate) args: Vec<Value>,
    /// The bytes that stand in the place of a `_placeholder` among the arguments.
    pub(crate) attachment: Option<Bytes>,
}

/// Why a transport is no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("the transport failed: {0}")]
    Transport(Box<tokio_tungstenite::tungstenite::Error>),
    #[error("the server closed the transport")]
    Closed,
    #[error("the server was silent for too long")]
    Silent,
    #[error("the server sent what is no packet: {0}")]
    Packet(#[from] PacketError),
    #[error("the server did not greet")]
    NoGreeting,
}

impl From<tokio_tungstenite::tungstenite::Error> for SocketError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Transport(Box::new(error))
    }
}

/// A namespace's connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: &'static str,
    /// The longest silence that is no loss.
    silence: Duration,
    deadline: Instant,
    /// An event whose binary parts are still to come.
    partial: Option<(Packet, Vec<Bytes>)>,
}

impl Socket {
    /// Opens a websocket to `<server>/client/` and asks for the namespace.
    pub(crate) async fn connect(server: &Url, namespace: &'static str, auth: Value) -> Result<Self, SocketError> {
        let mut address = server.clone();
        // Cannot fail: the settings admit plain http only, which may become ws.
        let _ = address.set_scheme("ws");
        address.set_path(&format!("{}/client/", server.path().trim_end_matches('/')));
        address.set_query(Some("EIO=4&transport=websocket"));
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let opening = connect_async_with_config(address.as_str(), Some(config), true);
        let (stream, _response) = timeout(PATIENCE, opening).await.map_err(|_| SocketError::NoGreeting)??;
        let mut socket =
            Self { stream, namespace, silence: PATIENCE, deadline: Instant::now() + PATIENCE, partial: None };
        socket.greet().await?;
        socket.send(Packet::new(Kind::Connect, namespace, Some(auth))).await?;
        Ok(socket)
    }

    /// Waits for what comes next. May be dropped and called again without losing anything.
    pub(crate) async fn receive(&mut self) -> Result<Received, SocketError> {
        loop {
            let received = match self.frame().await? {
                Message::Text(text) => self.text(&text)?,
                Message::Binary(bytes) => self.attach(bytes),
                _ => None,
            };
            if let Some(received) = received {
                return Ok(received);
            }
        }
    }

    /// Answers a ping.
    pub(crate) async fn pong(&mut self, data: &str) -> Result<(), SocketError> {
        Ok(self.stream.send(Message::text(format!("3{data}"))).await?)
    }

    /// Sends an event.
    pub(crate) async fn emit(&mut self, emit: Emit) -> Result<(), SocketError> {
        let data = std::iter::once(Value::from(emit.event)).chain(emit.args).collect();
        let Some(attachment) = emit.attachment else {
            return self.send(Packet::new(Kind::Event, self.namespace, Some(data))).await;
        };
        let packet = Packet { attachments: 1, ..Packet::new(Kind::BinaryEvent, self.namespace, Some(data)) };
        self.send(packet).await?;
        Ok(self.stream.send(Message::Binary(attachment)).await?)
    }

    async fn send(&mut self, packet: Packet) -> Result<(), SocketError> {
        Ok(self.stream.send(Message::text(format!("4{packet}"))).await?)
    }

    async fn greet(&mut self) -> Result<(), SocketError> {
        let Message::Text(text) = self.frame().await? else { return Err(SocketError::NoGreeting) };
        let EnginePacket::Open(json) = parse_engine(&text)? else { return Err(SocketError::NoGreeting) };
        let greeting = Greeting::parse(json)?;
        self.silence = Duration::from_millis(greeting.ping_interval.saturating_add(greeting.ping_timeout));
        self.deadline = Instant::now() + self.silence;
        Ok(())
    }

    async fn frame(&mut self) -> Result<Message, SocketError> {
        let frame = timeout_at(self.deadline, self.stream.next()).await.map_err(|_| SocketError::Silent)?;
        self.deadline = Instant::now() + self.silence;
        Ok(frame.ok_or(SocketError::Closed)??)
    }

    fn text(&mut self, text: &str) -> Result<Option<Received>, SocketError> {
        match parse_engine(text)? {
            EnginePacket::Ping(data) => Ok(Some(Received::Ping(data.to_owned()))),
            EnginePacket::Close => Err(SocketError::Closed),
            EnginePacket::Message(message) => Ok(self.packet(Packet::parse(message)?)),
            EnginePacket::Open(_) | EnginePacket::Noop => Ok(None),
        }
    }

    /// What a packet means to the one who waits; nothing when it is for another namespace or has parts to come.
    fn packet(&mut self, packet: Packet) -> Option<Received> {
        if packet.namespace != self.namespace {
            return None;
        }
        match packet.kind {
            Kind::Connect => Some(Received::Connected),
            Kind::Disconnect => Some(Received::Refused("the server disconnected the namespace".to_owned())),
            Kind::ConnectError => Some(Received::Refused(packet.data.unwrap_or_default().to_string())),
            Kind::BinaryEvent if packet.attachments > 0 => {
                self.partial = Some((packet, Vec::new()));
                None
            }
            Kind::Event | Kind::BinaryEvent => event(packet.data),
            Kind::Ack | Kind::BinaryAck => None,
        }
    }

    fn attach(&mut self, bytes: Bytes) -> Option<Received> {
        let (_, parts) = self.partial.as_mut()?;
        parts.push(bytes);
        let (packet, parts) = self.partial.take_if(|(packet, parts)| parts.len() == packet.attachments)?;
        let mut data = packet.data?;
        fill_placeholders(&mut data, &parts);
        event(Some(data))
    }
}

/// An event out of its data: `[name, ...arguments]`.
fn event(data: Option<Value>) -> Option<Received> {
    let Some(Value::Array(items)) = data else { return None };
    let mut items = items.into_iter();
    let Some(Value::String(name)) = items.next() else { return None };
    Some(Received::Event(name, items.collect()))
}
