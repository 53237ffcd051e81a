//! Clients that all watch one terminal, and when the last of them saw a push.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use crate::{poster::Poster, sensor::PID, site, socket::Socket};

/// A push that has not come for so long does not come any more.
const SILENCE: Duration = Duration::from_secs(10);

/// Where they watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// `/web`, where each reading is an event of its own.
    Web,
    /// `/live`, where what is pushed has a place.
    Live,
}

/// What one push was to them.
pub(crate) struct SeenByAll {
    /// From the post until the last one saw it.
    pub(crate) wait: Duration,
    /// The reading.
    pub(crate) reading: Value,
}

/// Watchers of the first terminal.
pub(crate) struct Watchers {
    door: Door,
    board: Arc<Board>,
    watching: JoinSet<()>,
    seen: mpsc::UnboundedReceiver<SeenByAll>,
}

/// Who saw what so far.
struct Board {
    poster: Arc<Poster>,
    watchers: AtomicU32,
    by: Mutex<HashMap<i64, u32>>,
    report: mpsc::UnboundedSender<SeenByAll>,
}

impl Watchers {
    /// Nobody yet.
    pub(crate) fn none(door: Door, poster: &Arc<Poster>) -> Self {
        let (report, seen) = mpsc::unbounded_channel();
        let (watchers, by) = (AtomicU32::new(0), Mutex::default());
        let board = Arc::new(Board { poster: Arc::clone(poster), watchers, by, report });
        Self { door, board, watching: JoinSet::new(), seen }
    }

    /// Connects as many as there are too few.
    pub(crate) async fn grow(&mut self, url: &str, token: &str, wanted: u32) -> Result<()> {
        for _ in self.board.watchers.load(Ordering::Relaxed)..wanted {
            let opening = timeout(SILENCE, open(self.door, url, token));
            let mut socket = opening.await.context("the server takes no watcher")??;
            let board = Arc::clone(&self.board);
            self.watching.spawn(async move {
                while let Ok((_, said)) = socket.event().await {
                    board.saw(&said);
                }
            });
        }
        self.board.watchers.store(wanted, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until all of them saw so many pushes.
    pub(crate) async fn see(&mut self, pushes: u32) -> Result<Vec<SeenByAll>> {
        let mut all = Vec::new();
        for number in 0..pushes {
            let seen = timeout(SILENCE, self.seen.recv()).await.ok().flatten();
            all.push(seen.with_context(|| format!("all watchers saw {number} of {pushes} pushes"))?);
        }
        Ok(all)
    }
}

impl Board {
    fn saw(&self, said: &Value) {
        let reading = if said["seq"].is_null() { said } else { &said["data"] };
        let Some(asked) = reading["asked"].as_i64() else { return };
        let watchers = self.watchers.load(Ordering::Relaxed);
        let saw = {
            let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
            let saw = by.entry(asked).or_default();
            *saw += 1;
            *saw
        };
        if saw == watchers
            && let Some(wait) = self.poster.since((0, asked))
        {
            // Nobody listens any more when the bench is over.
            let _ = self.report.send(SeenByAll { wait, reading: reading.clone() });
        }
    }
}

async fn open(door: Door, url: &str, token: &str) -> Result<Socket> {
    match door {
        Door::Web => {
            let mut socket = Socket::connect(url, "/web", token).await?;
            socket.emit("subscribe", json!({ "event": format!("{}{PID}", site::mac(0)) })).await?;
            socket.emit("register", json!({ "user": site::ADMIN })).await?;
            while socket.event().await?.0 != "registerSuccess" {}
            Ok(socket)
        }
        Door::Live => {
            let mut socket = Socket::connect(url, "/live", token).await?;
            let answer = socket.ask("subscribe", json!({ "channels": [{ "channel": site::mac(0) }] })).await?;
            ensure!(answer.contains("\"ok\":true"), "a subscription is answered {answer}");
            Ok(socket)
        }
    }
}
