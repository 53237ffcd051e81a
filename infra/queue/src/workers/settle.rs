//! The layer around every run: it turns what the run came to into the end of its lease.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use apalis_core::{
    error::BoxDynError,
    layers::{Layer, Service},
    task::Task,
};
use futures::{FutureExt, future::BoxFuture};
use jobs::{
    Verdict,
    ports::{Clock, Dice, Leased, Settlement, Ticket},
};

use super::{backoff, settler::Settler};

/// Settles each run. The innermost of what it needs to know is shared by all runs of a worker.
#[derive(Clone)]
pub(super) struct SettleLayer {
    pub(super) settler: Settler,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) dice: Arc<dyn Dice>,
}

impl<S> Layer<S> for SettleLayer {
    type Service = SettleService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SettleService { inner, layer: self.clone() }
    }
}

/// Runs a job and settles it; never fails.
pub(super) struct SettleService<S> {
    inner: S,
    layer: SettleLayer,
}

impl<S> Service<Task<Leased>> for SettleService<S>
where
    S: Service<Task<Leased>, Response = Verdict>,
    S::Error: Into<BoxDynError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<(), BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Leased>) -> Self::Future {
        let layer = self.layer.clone();
        let run = Run::of(&task.args);
        let outcome = self.inner.call(task);
        async move {
            let verdict =
                outcome.await.unwrap_or_else(|error| Verdict::Again { why: error.into().to_string(), after: None });
            layer.settler.settle(layer.settlement(run, verdict)).await;
            Ok(())
        }
        .boxed()
    }
}

/// What is kept of a lease while its message is away at the job.
struct Run {
    ticket: Ticket,
    job: String,
    key: String,
    attempt: u32,
}

impl Run {
    fn of(leased: &Leased) -> Self {
        Self {
            ticket: leased.ticket.clone(),
            job: leased.message.job.clone(),
            key: leased.message.key.clone(),
            attempt: leased.attempt,
        }
    }
}

impl SettleLayer {
    fn settlement(&self, run: Run, verdict: Verdict) -> Settlement {
        let Run { ticket, job, key, attempt } = run;
        match verdict {
            Verdict::Done => Settlement::Done(ticket),
            Verdict::Never { why } => Settlement::Dead { ticket, why },
            Verdict::Again { why, after } => {
                let wait = after.unwrap_or_else(|| backoff(attempt, self.dice.roll()));
                let not_before = self.clock.now().plus(wait);
                tracing::warn!(job.name = job, job.key = key, job.attempt = attempt, "job {job} {key:?} failed: {why}");
                Settlement::Again { ticket, not_before, why }
            }
        }
    }
}
