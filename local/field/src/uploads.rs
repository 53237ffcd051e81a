//! What a node posts to the server, in the manner of the real program: a bounded queue, a few at a time, two retries.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::time::sleep;

use crate::{node::Gateway, truth::Acknowledged};

const AT_ONCE: usize = 4;
const MOST_WAITING: usize = 1000;
/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(205), Duration::from_millis(491)];

/// A body on its way to one of the server's calls.
pub(crate) struct Upload {
    pub(crate) call: &'static str,
    pub(crate) body: Bytes,
    pub(crate) about: About,
}

/// What an upload is about.
pub(crate) enum About {
    /// A node or a DTU: told again when it changes.
    Equipment,
    /// A query's result, and what to record of it, if it is recorded.
    Result(Option<Box<Acknowledged>>),
}

impl Gateway {
    /// Queues an upload; a full queue gives up its oldest.
    pub(crate) fn post(&self, upload: Upload) {
        if let Some(displaced) = self.uploads.push_back_within(MOST_WAITING, upload) {
            self.given_up(&displaced, "too many posts wait");
        }
    }

    /// Posts what is queued until the queue is closed and empty.
    pub(crate) async fn run_uploads(&self) {
        let waiting = stream::unfold((), |()| async { self.uploads.next().await.map(|upload| (upload, ())) });
        waiting.for_each_concurrent(AT_ONCE, |upload| self.deliver(upload)).await;
    }

    async fn deliver(&self, upload: Upload) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let problem = match self.attempt(&upload).await {
                Ok(status) if status.is_success() => return self.acknowledged(upload),
                Ok(status) => format!("the server answered {status}"),
                Err(error) => error.to_string(),
            };
            let Some(pause) = pauses.next() else { return self.given_up(&upload, &problem) };
            sleep(pause).await;
            self.world.tally.count(|counters| counters.posts_retried += 1);
        }
    }

    async fn attempt(&self, upload: &Upload) -> reqwest::Result<reqwest::StatusCode> {
        let request = self.world.http.post(self.world.address(upload.call));
        let request = request.header("content-type", "application/json").header("x-node-token", &self.token);
        let response = request.body(upload.body.clone()).send().await?;
        let status = response.status();
        // Read to its end, so that the connection can be used again; what it says does not matter to a gateway.
        response.bytes().await?;
        Ok(status)
    }

    fn acknowledged(&self, upload: Upload) {
        let About::Result(record) = upload.about else { return };
        self.world.tally.count(|counters| counters.posts_acknowledged += 1);
        if let Some(record) = record {
            self.world.truth.record(*record);
        }
    }

    fn given_up(&self, upload: &Upload, problem: &str) {
        tracing::debug!(node.name = self.name, call = upload.call, problem, "a post was given up");
        if matches!(upload.about, About::Result(_)) {
            self.world.tally.count(|counters| counters.posts_failed += 1);
        }
    }
}
