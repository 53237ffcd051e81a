//! The workers of a box: one line a job.

use jobs::{Context, DeliverNotice, DispatchQueries, EvaluateAlarms, FanOut, PlanWindow, ProcessResults, Sweep};
use queue::{Source, Workers};
use tokio_util::sync::CancellationToken;

/// Runs every job until it is told to stop, then finishes the runs under way.
pub(crate) async fn run(cx: Context, source: Source, shutdown: CancellationToken) {
    Workers::new(cx, source, shutdown)
        .run::<PlanWindow>(1)
        .run::<DispatchQueries>(8)
        .run::<ProcessResults>(4)
        .run::<EvaluateAlarms>(4)
        .run::<FanOut>(4)
        .run::<DeliverNotice>(16)
        .run::<Sweep>(1)
        .finish()
        .await;
}
