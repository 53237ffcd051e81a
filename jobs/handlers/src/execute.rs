//! How a job is run, and what its end means.

use std::{sync::Arc, time::Duration};

use records::{Clock, Table, TableError};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    catalog::{AlertRules, Catalog, Model},
    ports::{Dice, Enqueue, Lane, Link, LinkError, Message, Notifier, QueueError},
    settings::Settings,
    stationery::Stationery,
};

/// Everything a job may touch.
#[derive(Clone)]
pub struct Context {
    /// What we remember.
    pub table: Arc<dyn Table>,
    /// Where follow-up jobs go.
    pub queue: Arc<dyn Enqueue>,
    /// The way to nodes and browsers.
    pub link: Arc<dyn Link>,
    /// The way to people.
    pub notifier: Arc<dyn Notifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub dice: Arc<dyn Dice>,
    /// What the operator chose.
    pub settings: Arc<Settings>,
    /// The protocols that are in use.
    pub catalog: Arc<Catalog>,
    /// What letters are made with, beside their words.
    pub stationery: Stationery,
}

impl Context {
    /// The protocol of that name and its rules; none when there is none that can be used.
    pub(crate) async fn model(&self, protocol: &str) -> Result<Option<Arc<Model>>, TableError> {
        self.catalog.model(self.table.as_ref(), protocol, self.clock.now()).await
    }

    /// The rules that people made.
    pub(crate) async fn alert_rules(&self) -> Result<Arc<AlertRules>, TableError> {
        self.catalog.alert_rules(self.table.as_ref(), self.clock.now()).await
    }
}

/// A unit of work: idempotent, since it may run twice, concurrently or late.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name: the file's, the queue's, the function's.
    const NAME: &'static str;
    /// Which lane it waits in.
    const LANE: Lane = Lane::Normal;
    /// How long one run may take: then it is stopped, to be tried again.
    const LEASE: Duration = Duration::from_secs(30);
    /// How many runs it gets before it is a dead letter.
    const MAX_ATTEMPTS: u32 = 10;

    /// Names the work: two jobs of one key are the same work.
    fn key(&self) -> String;

    /// Does it.
    fn run(&self, cx: &Context) -> impl Future<Output = Result<(), JobError>> + Send;

    /// This job as a message, due at once.
    ///
    /// # Panics
    /// Never: job structs hold only what JSON can say.
    fn message(&self) -> Message {
        #[expect(clippy::expect_used, reason = "a job struct holds only strings, numbers and lists of them")]
        let body = serde_json::to_vec(self).expect("a job is plain JSON");
        Message {
            job: Self::NAME.to_owned(),
            key: self.key(),
            lane: Self::LANE,
            not_before: None,
            max_attempts: Self::MAX_ATTEMPTS,
            body: body.into(),
        }
    }
}

/// Why a run did not succeed; made where the error is understood, it carries its own decision.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// May work later.
    #[error("{why}")]
    Retry {
        /// What went wrong.
        why: String,
        /// When to try again; by the queue's back-off when none.
        after: Option<Duration>,
    },
    /// Will never work.
    #[error("{0}")]
    Fail(String),
}

impl JobError {
    /// It may work later.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after: None }
    }

    /// It may work after `after`.
    pub fn retry_after(why: impl Into<String>, after: Duration) -> Self {
        Self::Retry { why: why.into(), after: Some(after) }
    }

    /// It will never work.
    pub fn fail(why: impl Into<String>) -> Self {
        Self::Fail(why.into())
    }

    /// What becomes of a job whose parts ended so: while any may still work the whole is tried again (parts that are done
    /// stay done), and only then is it given up for those that never will.
    pub(crate) fn worst(ended: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let mut given_up = Ok(());
        for error in ended.into_iter().filter_map(Result::err) {
            match error {
                Self::Retry { .. } => return Err(error),
                Self::Fail(_) => given_up = Err(error),
            }
        }
        given_up
    }
}

impl From<TableError> for JobError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Away(_) | TableError::ReadOnly(_) => Self::retry(error.to_string()),
            TableError::Invalid(_) | TableError::Damaged(_) => Self::fail(error.to_string()),
        }
    }
}

impl From<QueueError> for JobError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Away(_) => Self::retry(error.to_string()),
            QueueError::Invalid(_) => Self::fail(error.to_string()),
        }
    }
}

impl From<LinkError> for JobError {
    fn from(error: LinkError) -> Self {
        Self::retry(error.to_string())
    }
}

/// What a shell must do with a job that has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done: forget it.
    Done,
    /// Give it again, after this long or by the queue's back-off; a dead letter once its attempts are used up.
    Again {
        /// What went wrong.
        why: String,
        /// How long to wait.
        after: Option<Duration>,
    },
    /// It can never be done: a dead letter at once.
    Never {
        /// What is wrong.
        why: String,
    },
}

/// Decodes and runs a job of type `J`, for as long as its lease. A body that is not such a job is `Never`.
pub async fn execute<J: Job>(cx: &Context, body: &[u8]) -> Verdict {
    let job: J = match serde_json::from_slice(body) {
        Ok(job) => job,
        Err(error) => return Verdict::Never { why: format!("the message is not a {} job: {error}", J::NAME) },
    };
    match tokio::time::timeout(J::LEASE, job.run(cx)).await {
        Ok(Ok(())) => Verdict::Done,
        Ok(Err(JobError::Retry { why, after })) => Verdict::Again { why, after },
        Ok(Err(JobError::Fail(why))) => Verdict::Never { why },
        Err(_) => Verdict::Again { why: format!("it ran longer than its lease of {:?}", J::LEASE), after: None },
    }
}
