//! A broker on 127.0.0.1, and clients of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine_http::{Tokens, axum::Router};
use futures::{SinkExt, StreamExt};
use jobs::ports::{Clock, NodeCommand, Plan, PlannedQuery, ToBroker};
use records::{
    locale::Locale,
    nodes::{self, Node},
    terminals::{self, Terminal},
    users::{self, Role, User},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, BrokerParts, BrokerSettings, Counters, RefusedNodes,
    browsers::Browsers,
    fakes::{CountingDice, MemoryQueue, MemoryTable, RecordingLink, TokioClock},
};

pub(super) const MAC: &str = "98D863CC870D";
pub(super) const TOKEN: &str = "n1-secret";
const SOON: Duration = Duration::from_secs(10);

/// A running broker that knows node `n1` by its token, node `n2` by the address 127.0.0.1, one terminal on `n1`, and the
/// users `ann`, who may see it, `bob`, who may not, and `root`.
pub(super) struct Site {
    pub address: SocketAddr,
    pub table: Arc<MemoryTable>,
    pub queue: Arc<MemoryQueue>,
    pub clock: Arc<TokioClock>,
    pub counters: Arc<Counters>,
    pub refused: Arc<RefusedNodes>,
    pub link: mpsc::Sender<ToBroker>,
    /// What other brokers were told.
    pub elsewhere: Arc<RecordingLink>,
    tokens: Arc<Tokens>,
    shutdown: CancellationToken,
    browsers: Arc<Browsers>,
    broker: JoinHandle<()>,
    /// Its routes, for who asks without a socket.
    pub router: Router,
}

impl Site {
    pub(super) async fn start() -> Self {
        Self::start_with(BrokerSettings::default()).await
    }

    pub(super) async fn start_with(settings: BrokerSettings) -> Self {
        Self::start_linked(settings, RecordingLink::default()).await
    }

    /// Where others were before.
    pub(super) async fn start_among_others() -> Self {
        Self::start_linked(BrokerSettings::default(), RecordingLink::telling_the_past()).await
    }

    async fn start_linked(settings: BrokerSettings, elsewhere: RecordingLink) -> Self {
        let table = Arc::new(MemoryTable::default());
        fill(&table).await;
        let queue = Arc::new(MemoryQueue::new());
        let clock = Arc::new(TokioClock::new());
        let tokens = Arc::new(Tokens::new(&[7; 32]).unwrap());
        let (link, inbox) = mpsc::channel(16);
        let elsewhere = Arc::new(elsewhere);
        let (broker, router) = Broker::new(BrokerParts {
            id: "b1".to_owned(),
            table: Arc::clone(&table) as _,
            queue: Arc::clone(&queue) as _,
            clock: Arc::clone(&clock) as _,
            dice: Arc::new(CountingDice::default()),
            tokens: Arc::clone(&tokens),
            settings,
            spool: None,
            link: Arc::clone(&elsewhere) as _,
            inbox,
        });
        let (counters, refused, browsers) = (broker.counters(), broker.refused(), Arc::clone(&broker.browsers));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        tokio::spawn(engine_http::serve(listener, router.clone(), 1000, shutdown.clone()));
        let broker = tokio::spawn(broker.run(shutdown.clone()));
        Self {
            address,
            table,
            queue,
            clock,
            counters,
            refused,
            link,
            elsewhere,
            tokens,
            shutdown,
            browsers,
            broker,
            router,
        }
    }

    /// Tells the broker to stop, and waits for nothing.
    pub(super) fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        timeout(SOON, self.broker).await.expect("the broker ends soon").unwrap();
    }

    /// Does at once what happens every two minutes.
    pub(super) async fn look_again(&self) {
        self.browsers.look_again().await;
    }

    /// A token of somebody who signed in.
    pub(super) fn signed_in(&self, user: &str) -> String {
        self.tokens.issue(user, "user", self.clock.now(), Duration::from_hours(1)).unwrap()
    }

    /// Node `n1`'s program, registered and ready.
    pub(super) async fn ready_node(&self) -> Client {
        let mut node = self.node(Some(TOKEN)).await;
        node.expect("accont").await;
        node.say("register", json!([{ "hostname": "vm" }])).await;
        node.expect("registerSuccess").await;
        node.say("ready", json!([])).await;
        node.expect("nodeInfo").await;
        node
    }

    /// A gateway program's connection.
    pub(super) async fn node(&self, token: Option<&str>) -> Client {
        let auth = token.map(|token| json!({ "token": token }));
        Client::connect(self.address, "/client/", "/node", auth, &[]).await
    }

    /// A browser's connection.
    pub(super) async fn browser(&self, headers: &[(&'static str, &str)]) -> Client {
        let mut browser = Client::connect(self.address, "/client", "/web", None, headers).await;
        // As the real client does: what is said before the namespace is open breaks the protocol.
        assert!(browser.packet().await.expect("an open namespace").starts_with("40/web,"));
        browser
    }

    /// A connection to the live channels.
    pub(super) async fn client(&self, auth: Option<Value>, headers: &[(&'static str, &str)]) -> Client {
        let mut client = Client::connect(self.address, "/client", "/live", auth, headers).await;
        assert!(client.packet().await.expect("an open namespace").starts_with("40/live,"));
        client
    }

    /// A query for the terminal, due in so many milliseconds.
    pub(super) fn query(&self, pid: u8, in_ms: u64, contents: &[&str]) -> PlannedQuery {
        PlannedQuery {
            at: self.clock.now().plus(Duration::from_millis(in_ms)),
            mac: MAC.parse().unwrap(),
            pid,
            line: 485,
            protocol: "modbusP".to_owned(),
            model: "dev".to_owned(),
            contents: contents.iter().map(|content| (*content).to_owned()).collect(),
            interval: 20_000,
        }
    }

    /// Has node `n1` asked.
    pub(super) async fn plan(&self, queries: Vec<PlannedQuery>) {
        let plan = Plan { node: "n1".to_owned(), window: "w".to_owned(), queries };
        self.link.send(ToBroker::Command(NodeCommand::Plan(plan))).await.unwrap();
    }

    /// Posts JSON as a node does. The status and the body.
    pub(super) async fn post(&self, call: &str, token: &str, body: &str) -> (u16, Value) {
        let headers = format!("x-node-token: {token}\r\ncontent-type: application/json\r\n");
        let (status, body) = self.http("POST", &format!("/api/node/{call}"), &headers, body).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// A request on a connection of its own. The status and the body.
    pub(super) async fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A body that is too large may be refused before it is read.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an answer comes soon");
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

async fn fill(table: &MemoryTable) {
    let node = |name: &str, ip: Option<&str>, token: Option<&str>| Node {
        name: name.to_owned(),
        ip: ip.map(str::to_owned),
        port: 9000,
        max_connections: 2000,
        token_sha256: token.map(nodes::token_sha256),
    };
    nodes::put(table, &node("n1", None, Some(TOKEN))).await.unwrap();
    nodes::put(table, &node("n2", Some("127.0.0.1"), None)).await.unwrap();
    let terminal = json!({ "mac": MAC, "name": "hall", "node": "n1", "devices": [] });
    let terminal: Terminal = serde_json::from_value(terminal).unwrap();
    terminals::put(table, &terminal).await.unwrap();
    for (user, role) in [("ann", Role::User), ("bob", Role::User), ("root", Role::Admin)] {
        let (user, password_hash) = (user.to_owned(), String::new());
        let user = User {
            name: user.clone(),
            user,
            password_hash,
            role,
            mail: None,
            phone: None,
            wechat: None,
            webhook: None,
            locale: Locale::default(),
        };
        users::put(table, &user).await.unwrap();
    }
    users::bind(table, "ann", &terminal.mac).await.unwrap();
}

/// A Socket.IO client over a websocket, down to its packets.
pub(super) struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: &'static str,
}

impl Client {
    async fn connect(
        address: SocketAddr,
        path: &str,
        namespace: &'static str,
        auth: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Self {
        let url = format!("ws://{address}{path}?EIO=4&transport=websocket");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = connect_async(request).await.unwrap();
        let mut client = Self { stream, namespace };
        assert!(client.packet().await.expect("an open packet").starts_with('0'));
        let auth = auth.map(|auth| auth.to_string()).unwrap_or_default();
        client.send(&format!("40{namespace},{auth}")).await;
        client
    }

    /// Sends an event.
    pub(super) async fn say(&mut self, event: &str, arguments: Value) {
        let mut parts = vec![json!(event)];
        parts.extend(arguments.as_array().cloned().unwrap_or_default());
        self.send(&format!("42{},{}", self.namespace, Value::Array(parts))).await;
    }

    /// Sends an event that is acknowledged: what comes before the acknowledgement, and what it says.
    pub(super) async fn ask(&mut self, event: &str, arguments: Value) -> (Vec<(String, Vec<Value>)>, Value) {
        let mut parts = vec![json!(event)];
        parts.extend(arguments.as_array().cloned().unwrap_or_default());
        self.send(&format!("42{},7{}", self.namespace, Value::Array(parts))).await;
        let mut before = Vec::new();
        loop {
            let packet = self.packet().await.expect("an acknowledgement comes");
            if let Some(answer) = packet.strip_prefix(&format!("43{},7", self.namespace)) {
                let mut answer: Vec<Value> = serde_json::from_str(answer).unwrap();
                return (before, answer.remove(0));
            }
            before.extend(self.read(&packet));
        }
    }

    /// Sends a packet as it is.
    pub(super) async fn send(&mut self, packet: &str) {
        self.stream.send(Message::text(packet)).await.unwrap();
    }

    /// Sends bytes that belong to the packet before.
    pub(super) async fn attach(&mut self, bytes: &'static [u8]) {
        self.stream.send(Message::binary(bytes)).await.unwrap();
    }

    /// The arguments of the next event, which must be this one.
    pub(super) async fn expect(&mut self, event: &str) -> Vec<Value> {
        let (name, arguments) = self.event().await.unwrap_or_else(|| panic!("the end came instead of {event}"));
        assert_eq!(name, event, "{arguments:?}");
        arguments
    }

    /// The next event; none at the end of the connection.
    pub(super) async fn event(&mut self) -> Option<(String, Vec<Value>)> {
        loop {
            let packet = self.packet().await?;
            assert!(
                !packet.starts_with("41") && !packet.starts_with("44"),
                "a goodbye that ends the real client: {packet}"
            );
            if let Some(event) = self.read(&packet) {
                return Some(event);
            }
        }
    }

    fn read(&self, packet: &str) -> Option<(String, Vec<Value>)> {
        let event = packet.strip_prefix(&format!("42{},", self.namespace))?;
        let mut parts: Vec<Value> = serde_json::from_str(event).unwrap();
        let name = parts.remove(0).as_str().unwrap().to_owned();
        Some((name, parts))
    }

    /// Waits for the end of the connection; whatever comes before must not stop the real client from coming back.
    pub(super) async fn expect_end(&mut self) {
        while let Some((event, _)) = self.event().await {
            assert_eq!(event, "accont");
        }
    }

    async fn packet(&mut self) -> Option<String> {
        loop {
            match timeout(SOON, self.stream.next()).await.expect("something comes soon")? {
                Ok(Message::Text(text)) if text.as_str() == "2" => self.send("3").await,
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
