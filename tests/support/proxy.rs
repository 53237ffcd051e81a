//! A balancer in front of servers, that can cut what goes through it and slow it down.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// A proxy that gives each connection to the next server that takes it. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    servers: Mutex<Vec<String>>,
    next: AtomicUsize,
    delay_ms: AtomicU64,
    closed: AtomicBool,
    turned_away: AtomicUsize,
    connections: Mutex<CancellationToken>,
}

impl Proxy {
    /// In front of servers at these addresses (`host:port`), of which any may be away.
    pub async fn start(servers: Vec<String>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(State {
            servers: Mutex::new(servers),
            next: AtomicUsize::default(),
            delay_ms: AtomicU64::default(),
            closed: AtomicBool::default(),
            turned_away: AtomicUsize::default(),
            connections: Mutex::default(),
        });
        let taking = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&taking).connection(client));
            }
        });
        Ok(Self { url: format!("http://{address}"), state, accepting })
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives new connections to these servers from now on, and to no others; those that are open stay.
    pub fn lead_to(&self, servers: Vec<String>) {
        *self.state.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Whether new connections are broken as soon as they come.
    pub fn let_nobody_in(&self, nobody: bool) {
        self.state.closed.store(nobody, Ordering::Relaxed);
    }

    /// Breaks every connection that is open now, in the middle of whatever goes over it.
    pub fn cut(&self) {
        std::mem::take(&mut *self.state.connections.lock().unwrap_or_else(PoisonError::into_inner)).cancel();
    }

    /// Cuts everything off, and takes no connection until it is opened again.
    pub fn close(&self) {
        self.state.closed.store(true, Ordering::Relaxed);
        self.cut();
    }

    /// Takes connections again.
    pub fn open(&self) {
        self.state.closed.store(false, Ordering::Relaxed);
    }

    /// How many connections it did not take so far.
    pub fn turned_away(&self) -> usize {
        self.state.turned_away.load(Ordering::Relaxed)
    }

    /// Holds up whatever goes through from now on for so long.
    pub fn slow_down(&self, delay: Duration) {
        self.state.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl State {
    async fn connection(self: Arc<Self>, client: TcpStream) {
        let cut = self.connections.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.closed.load(Ordering::Relaxed) {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(server) = self.server().await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let both = async {
            tokio::join!(self.carry(from_client, to_server), self.carry(from_server, to_client));
        };
        cut.run_until_cancelled(both).await;
    }

    /// A connection to the next server that takes one.
    async fn server(&self) -> Option<TcpStream> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for _ in &servers {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % servers.len();
            if let Ok(server) = TcpStream::connect(&servers[next]).await {
                return Some(server);
            }
        }
        None
    }

    async fn carry(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let delay = self.delay_ms.load(Ordering::Relaxed);
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
        // The other direction goes on until its end.
        let _ = to.shutdown().await;
    }
}
