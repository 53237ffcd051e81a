//! As much of a Socket.IO client as a gateway program or a browser needs: one namespace over one websocket.

use anyhow::{Context, Result};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

/// Kept small: a field has thousands of sockets that carry little.
const BUFFER: usize = 4 * 1024;

/// A namespace's connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: &'static str,
}

impl Socket {
    /// Connects to a namespace of the server at `url`.
    pub(crate) async fn connect(url: &str, namespace: &'static str, token: &str) -> Result<Self> {
        let address = format!("{}/client/?EIO=4&transport=websocket", url.replacen("http", "ws", 1));
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let (stream, _) = connect_async_with_config(address, Some(config), true).await?;
        let mut socket = Self { stream, namespace };
        socket.text().await?;
        socket.send(format!("40{namespace},{}", json!({ "token": token }))).await?;
        while !socket.text().await?.starts_with("40") {}
        Ok(socket)
    }

    /// Tells the server an event.
    pub(crate) async fn emit(&mut self, event: &str, argument: Value) -> Result<()> {
        self.send(format!("42{},{}", self.namespace, json!([event, argument]))).await
    }

    /// Asks the server something, and waits until it is acknowledged with what.
    pub(crate) async fn ask(&mut self, event: &str, argument: Value) -> Result<String> {
        self.send(format!("42{},0{}", self.namespace, json!([event, argument]))).await?;
        let acknowledged = format!("43{},0", self.namespace);
        loop {
            if let Some(answer) = self.text().await?.strip_prefix(&acknowledged) {
                return Ok(answer.to_owned());
            }
        }
    }

    /// The server's next event and its first argument. Answers pings meanwhile.
    pub(crate) async fn event(&mut self) -> Result<(String, Value)> {
        loop {
            let text = self.text().await?;
            let Some(data) = text.strip_prefix("42").and_then(|rest| rest.strip_prefix(self.namespace)) else {
                continue;
            };
            let said: Vec<Value> = serde_json::from_str(data.trim_start_matches(','))?;
            let mut said = said.into_iter();
            let name = said.next().as_ref().and_then(Value::as_str).context("an event has a name")?.to_owned();
            return Ok((name, said.next().unwrap_or_default()));
        }
    }

    async fn text(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.stream.next().await.context("the server closed the connection")?? {
                Message::Text(ping) if ping.starts_with('2') => self.send("3".to_owned()).await?,
                Message::Text(text) => return Ok(text),
                _ => {}
            }
        }
    }

    async fn send(&mut self, text: String) -> Result<()> {
        Ok(self.stream.send(Message::text(text)).await?)
    }
}
