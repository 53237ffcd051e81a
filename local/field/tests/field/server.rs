//! A server of one's own: it speaks just enough of the wire to be one for gateway programs, says what a test wants said,
//! and remembers what it heard.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, interval, sleep},
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

const PATIENCE: Duration = Duration::from_secs(20);
const PING_EVERY: Duration = Duration::from_millis(100);

/// How a server treats those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Registers every node and pings on time.
    Friendly,
    /// Accepts nodes, pings, and never says `registerSuccess`.
    Reserved,
    /// Registers nodes and never pings.
    Silent,
}

/// An event from a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) event: String,
    pub(crate) args: Vec<Value>,
    /// The binary frame that came with it.
    pub(crate) attachment: Option<Vec<u8>>,
}

/// A post from a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) body: Value,
}

enum Say {
    Text(String),
    Cut,
}

struct State {
    manner: Manner,
    heard: Mutex<Vec<Heard>>,
    posts: Mutex<Vec<Post>>,
    logins: Mutex<Vec<Value>>,
    nodes: Mutex<Vec<UnboundedSender<Say>>>,
    failing_posts: AtomicU32,
}

pub(crate) struct Server {
    pub(crate) url: Url,
    state: Arc<State>,
}

impl Server {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::new(State {
            manner,
            heard: Mutex::default(),
            posts: Mutex::default(),
            logins: Mutex::default(),
            nodes: Mutex::default(),
            failing_posts: AtomicU32::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state }
    }

    /// Answers the next `count` posts with 503.
    pub(crate) fn fail_posts(&self, count: u32) {
        self.state.failing_posts.store(count, Ordering::SeqCst);
    }

    /// Says an event to every node that is connected.
    pub(crate) fn say(&self, event: &Value) {
        self.say_packet(&format!("2/node,{event}"));
    }

    /// Says a Socket.IO packet to every node that is connected.
    pub(crate) fn say_packet(&self, packet: &str) {
        self.state.nodes.lock().unwrap().retain(|node| node.send(Say::Text(format!("4{packet}"))).is_ok());
    }

    /// Ends every websocket without a goodbye.
    pub(crate) fn cut(&self) {
        self.state.nodes.lock().unwrap().drain(..).for_each(|node| drop(node.send(Say::Cut)));
    }

    /// What nodes showed when they connected to the namespace.
    pub(crate) fn logins(&self) -> Vec<Value> {
        self.state.logins.lock().unwrap().clone()
    }

    /// The events of that name so far.
    pub(crate) fn heard(&self, event: &str) -> Vec<Heard> {
        self.state.heard.lock().unwrap().iter().filter(|heard| heard.event == event).cloned().collect()
    }

    /// The events of any name so far, by name.
    pub(crate) fn events(&self) -> Vec<String> {
        self.state.heard.lock().unwrap().iter().map(|heard| heard.event.clone()).collect()
    }

    /// The posts to that call so far.
    pub(crate) fn posts(&self, call: &str) -> Vec<Post> {
        let path = format!("/api/node/{call}");
        self.state.posts.lock().unwrap().iter().filter(|post| post.path == path).cloned().collect()
    }

    /// Waits for the first `count` events of that name.
    pub(crate) async fn until_heard(&self, event: &str, count: usize) -> Vec<Heard> {
        eventually(|| self.heard(event), |heard| heard.len() >= count).await
    }

    /// Waits for the first `count` posts to that call.
    pub(crate) async fn until_posted(&self, call: &str, count: usize) -> Vec<Post> {
        eventually(|| self.posts(call), |posts| posts.len() >= count).await
    }
}

/// Waits until what is seen is what is wanted.
pub(crate) async fn eventually<T: std::fmt::Debug>(see: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = see();
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain, last saw {seen:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A websocket begins with GET, a post with POST.
async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut first = [0];
    if stream.peek(&mut first).await.is_ok_and(|read| read == 1) && first == *b"G" {
        serve_node(accept_async(stream).await.unwrap(), &state).await;
    } else {
        serve_posts(stream, &state).await;
    }
}

async fn serve_node(mut node: WebSocketStream<TcpStream>, state: &State) {
    let greeting = r#"0{"sid":"s","upgrades":[],"pingInterval":100,"pingTimeout":400,"maxPayload":1000000}"#;
    node.send(Message::text(greeting)).await.unwrap();
    let (sender, mut to_say) = unbounded_channel();
    state.nodes.lock().unwrap().push(sender);
    // Whoever closes first, the other sees it.
    let _ = converse(&mut node, &mut to_say, state).await;
}

async fn converse(
    node: &mut WebSocketStream<TcpStream>,
    to_say: &mut UnboundedReceiver<Say>,
    state: &State,
) -> tokio_tungstenite::tungstenite::Result<()> {
    let mut pings = interval(PING_EVERY);
    let mut unanswered_pings = 0;
    loop {
        tokio::select! {
            frame = node.next() => match frame.transpose()? {
                None => return Ok(()),
                Some(Message::Text(text)) if text.as_str() == "3" => unanswered_pings = 0,
                Some(Message::Text(text)) => {
                    for answer in state.hear(&text) {
                        node.send(Message::text(answer)).await?;
                    }
                }
                Some(Message::Binary(bytes)) => {
                    state.heard.lock().unwrap().last_mut().unwrap().attachment = Some(bytes.to_vec());
                }
                Some(_) => {}
            },
            Some(say) = to_say.recv() => match say {
                Say::Text(text) => node.send(Message::text(text)).await?,
                Say::Cut => return Ok(()),
            },
            _ = pings.tick(), if state.manner != Manner::Silent => {
                unanswered_pings += 1;
                assert!(unanswered_pings < 50, "the node answers no pings");
                node.send(Message::text("2")).await?;
            }
        }
    }
}

impl State {
    /// Notes what a node said, and gives the answers that are due.
    fn hear(&self, text: &str) -> Vec<&'static str> {
        if let Some(auth) = text.strip_prefix("40/node,") {
            self.logins.lock().unwrap().push(serde_json::from_str(auth).unwrap());
            return vec![r#"40/node,{"sid":"n"}"#, r#"42/node,["accont"]"#];
        }
        let json = text.strip_prefix("42/node,").or_else(|| text.strip_prefix("451-/node,")).unwrap();
        let mut args: Vec<Value> = serde_json::from_str(json).unwrap();
        let event = args.remove(0).as_str().unwrap().to_owned();
        let welcome = event == "register" && self.manner != Manner::Reserved;
        self.heard.lock().unwrap().push(Heard { event, args, attachment: None });
        let success = r#"42/node,["registerSuccess",{"Name":"n","IP":"127.0.0.1","Port":9000,"UserID":""}]"#;
        if welcome { vec![success] } else { Vec::new() }
    }

    /// Notes a post, and gives the status that it is answered with.
    fn take(&self, post: Post) -> &'static str {
        if self.failing_posts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return "503 Service Unavailable";
        }
        self.posts.lock().unwrap().push(post);
        "200 OK"
    }
}

/// Serves posts on one connection until it closes.
async fn serve_posts(stream: TcpStream, state: &State) {
    let mut stream = BufReader::new(stream);
    while let Some(post) = read_post(&mut stream).await {
        let status = state.take(post);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 12\r\n\r\n{{\"code\":200}}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_post(stream: &mut BufReader<TcpStream>) -> Option<Post> {
    let (mut path, mut token, mut length) = (String::new(), String::new(), 0);
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 2 {
        let trimmed = line.trim_end();
        if let Some(rest) = trimmed.strip_prefix("POST ") {
            rest.split(' ').next()?.clone_into(&mut path);
        } else if let Some((name, value)) = trimmed.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "x-node-token" => value.clone_into(&mut token),
                "content-length" => length = value.parse().ok()?,
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Post { path, token, body: serde_json::from_slice(&body).ok()? })
}
