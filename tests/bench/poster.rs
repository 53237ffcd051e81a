//! The load: posts of answers, so many on their way at a time, and when each was begun.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use reqwest::{Client, header::CONTENT_TYPE};
use telltale_tests::http_client;
use tokio::sync::Semaphore;

use crate::{sensor::Sensor, site};

/// The posts that are on their way at a time.
pub(crate) const IN_FLIGHT: usize = 100;

/// Posts answers to one server.
pub(crate) struct Poster {
    http: Client,
    url: String,
    sensor: Sensor,
    places: Semaphore,
    begun: Mutex<HashMap<Answer, Instant>>,
}

/// An answer's terminal, and when it was asked.
type Answer = (u32, i64);

impl Poster {
    /// For the server at `url`.
    pub(crate) fn new(url: &str) -> Result<Self> {
        Ok(Self {
            http: http_client()?,
            url: format!("{url}/api/node/queryData"),
            sensor: Sensor::new()?,
            places: Semaphore::new(IN_FLIGHT),
            begun: Mutex::default(),
        })
    }

    /// Posts an answer once there is place for it, and returns when it is acknowledged. It begins now: what waits for its place waits.
    pub(crate) async fn post(&self, gateway: u32, answer: Answer, tenths: u16) -> Result<()> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(answer, Instant::now());
        let _place = self.places.acquire().await?;
        let (terminal, asked) = answer;
        let body = self.sensor.query_data(terminal, tenths, asked);
        let request = self.http.post(&self.url).header("x-node-token", site::token(gateway));
        let response = request.header(CONTENT_TYPE, "application/json").body(body).send().await?;
        let status = response.status();
        // Read to its end, so that the connection can be used again.
        let text = response.text().await?;
        ensure!(status == 200, "a post is answered {status}: {text}");
        Ok(())
    }

    /// How long ago an answer was there to be posted. None for an answer that was asked about before.
    pub(crate) fn since(&self, answer: Answer) -> Option<Duration> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(&answer)?;
        Some(begun.elapsed())
    }
}
