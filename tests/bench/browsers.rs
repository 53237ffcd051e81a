//! Browsers that see every reading, and how long each took to them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use crate::{poster::Poster, sensor::PID, site, socket::Socket};

/// How many browsers share the terminals.
const BROWSERS: usize = 8;
/// A push that has not come for so long after the one before does not come any more.
const SILENCE: Duration = Duration::from_secs(10);

/// What the browsers saw.
pub(crate) struct Seen {
    /// When they had seen so many readings as there are terminals: everything is warm by then.
    pub(crate) warm: Instant,
    /// When they saw the last one.
    pub(crate) last: Instant,
    /// How long the readings after the warm-up took from the post on, shortest first.
    pub(crate) waits: Vec<Duration>,
}

/// Open browsers.
pub(crate) struct Browsers(mpsc::Receiver<Duration>);

impl Browsers {
    /// Opens them, subscribed to every terminal's sensor.
    pub(crate) async fn open(url: &str, token: &str, terminals: u32, poster: &Arc<Poster>) -> Result<Self> {
        let (report, reports) = mpsc::channel(4096);
        for number in 0..BROWSERS {
            let mut socket = Socket::connect(url, "/web", token).await?;
            for terminal in (0..terminals).skip(number).step_by(BROWSERS) {
                socket.emit("subscribe", json!({ "event": format!("{}{PID}", site::mac(terminal)) })).await?;
            }
            socket.emit("register", json!({ "user": site::ADMIN })).await?;
            let welcomed = async {
                while socket.event().await?.0 != "registerSuccess" {}
                anyhow::Ok(())
            };
            timeout(SILENCE, welcomed).await.context("the server welcomes no browser")??;
            let (poster, report) = (Arc::clone(poster), report.clone());
            tokio::spawn(async move {
                while let Ok((event, reading)) = socket.event().await {
                    let terminal = event.get(..12).and_then(site::terminal);
                    let answer = terminal.zip(reading["asked"].as_i64());
                    if let Some(wait) = answer.and_then(|answer| poster.since(answer))
                        && report.send(wait).await.is_err()
                    {
                        break;
                    }
                }
            });
        }
        Ok(Self(reports))
    }

    /// Waits until they have seen so many readings, the first `terminals` of which are the warm-up.
    pub(crate) async fn see(mut self, terminals: u32, readings: u32) -> Result<Seen> {
        let (mut warm, mut last) = (Instant::now(), Instant::now());
        let mut waits = Vec::new();
        for number in 1..=readings {
            let wait = timeout(SILENCE, self.0.recv()).await.ok().flatten();
            ensure!(wait.is_some(), "the browsers saw {} of {readings} readings", number - 1);
            last = Instant::now();
            if number == terminals {
                warm = last;
            } else if number > terminals {
                waits.extend(wait);
            }
        }
        waits.sort_unstable();
        Ok(Seen { warm, last, waits })
    }
}
