//! Gateway programs that post the answers of their sensors, each post as soon as an earlier one is acknowledged.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use domain::Timestamp;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, header::CONTENT_TYPE};
use tokio::task::JoinSet;

use crate::{
    sensor::Sensor,
    site::{self, GATEWAYS, ROUNDS},
};

/// As many as the programs in the field.
const POSTS_OF_A_GATEWAY: usize = 4;
/// The posts of all gateways that are on their way at a time.
pub(crate) const POSTS_AT_A_TIME: usize = POSTS_OF_A_GATEWAY * GATEWAYS as usize;

/// How long each post waited for its acknowledgement, shortest first.
pub(crate) struct Posted(Vec<Duration>);

impl Posted {
    /// How long so many of a hundred posts waited at most.
    pub(crate) fn wait(&self, percentile: usize) -> Duration {
        self.0[(self.0.len() - 1) * percentile / 100]
    }
}

/// Posts every answer of the site to the server at `url`, and returns once all are acknowledged.
pub(crate) async fn post_all(url: &str, sensor: &Arc<Sensor>) -> Result<Posted> {
    let http = Client::builder().no_proxy().build()?;
    let began = now()?;
    let mut gateways = JoinSet::new();
    for number in 0..GATEWAYS {
        let url = format!("{url}/api/node/queryData");
        let gateway =
            Gateway { http: http.clone(), url, token: site::token(number), sensor: Arc::clone(sensor), began };
        gateways.spawn(async move { gateway.post_rounds(number).await });
    }
    let mut waits = Vec::new();
    while let Some(ended) = gateways.join_next().await {
        waits.extend(ended??);
    }
    waits.sort_unstable();
    Ok(Posted(waits))
}

struct Gateway {
    http: Client,
    url: String,
    token: String,
    sensor: Arc<Sensor>,
    began: Timestamp,
}

impl Gateway {
    /// Posts an answer of each of its terminals, round after round.
    async fn post_rounds(&self, number: u32) -> Result<Vec<Duration>> {
        let answers = (0..ROUNDS).flat_map(|round| site::terminals_of(number).map(move |terminal| (terminal, round)));
        let posts = answers.map(|(terminal, round)| self.post(terminal, round));
        stream::iter(posts).buffer_unordered(POSTS_OF_A_GATEWAY).try_collect().await
    }

    async fn post(&self, terminal: u32, round: u16) -> Result<Duration> {
        // A reading is named by when it was asked: no two of a sensor share an instant.
        let asked = self.began.plus(Duration::from_millis(round.into()));
        let request = self.http.post(&self.url).header("x-node-token", &self.token);
        let request =
            request.header(CONTENT_TYPE, "application/json").body(self.sensor.query_data(terminal, round, asked));
        let sent = Instant::now();
        // Read to its end, so that the connection can be used again.
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(sent.elapsed())
    }
}

#[expect(clippy::disallowed_methods, reason = "a gateway's clock is its machine's")]
fn now() -> Result<Timestamp> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp(i64::try_from(since_epoch.as_millis())?))
}
