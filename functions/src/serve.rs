//! What every main does: start the log and the ports once, then answer invocations.

use jobs::Job;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

use crate::{Batch, Function, Tick};

/// Answers batches of a queue's messages.
pub async fn serve_queue<J: Job>() -> Result<(), Error> {
    boot::init_log("info");
    let function = &Function::new().await?;
    run(service_fn(|batch: LambdaEvent<Batch>| async move {
        let failures = function.perform_all::<J>(batch.payload).await;
        function.tell_metrics(J::NAME);
        Ok::<_, Error>(failures)
    }))
    .await
}

/// Answers ticks of the schedule with the job that `job` makes of each.
pub async fn serve_ticks<J: Job>(job: impl Fn(&Tick, &Function) -> J) -> Result<(), Error> {
    boot::init_log("info");
    let function = &Function::new().await?;
    let job = &job;
    run(service_fn(|tick: LambdaEvent<Tick>| async move {
        let ended = function.perform(&job(&tick.payload, function)).await;
        function.tell_metrics(J::NAME);
        ended
    }))
    .await
}
