//! What every main does: start the log and the ports once, then answer invocations.

use jobs::Job;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime, service_fn};

use crate::{Batch, Function, Tick, request::RequestLayer};

/// Starts the log, and then what the program answers with. Why that cannot be is logged as the rest is.
pub(crate) async fn start<T>(starting: impl AsyncFnOnce() -> anyhow::Result<T>) -> Result<T, Error> {
    boot::init_log("info");
    Ok(Box::pin(starting()).await.inspect_err(|error| tracing::error!("the function does not start: {error:#}"))?)
}

/// Answers batches of a queue's messages.
pub async fn serve_queue<J: Job>() -> Result<(), Error> {
    let function = &start(Function::new).await?;
    let answer = service_fn(|batch: LambdaEvent<Batch>| async move {
        let failures = function.perform_all::<J>(batch.payload).await;
        function.tell_metrics(J::NAME);
        Ok::<_, Error>(failures)
    });
    Runtime::new(answer).layer(RequestLayer).run().await
}

/// Answers ticks of the schedule with the job that `job` makes of each, or with why it makes none.
pub async fn serve_ticks<J: Job>(job: impl Fn(&Tick, &Function) -> Result<J, String>) -> Result<(), Error> {
    let function = &start(Function::new).await?;
    let job = &job;
    let answer = service_fn(|tick: LambdaEvent<Tick>| async move {
        let ended = match job(&tick.payload, function) {
            Ok(job) => function.perform(&job).await,
            Err(why) => Err(Diagnostic { error_type: format!("{}.late", J::NAME), error_message: why }),
        };
        function.tell_metrics(J::NAME);
        ended
    });
    Runtime::new(answer).layer(RequestLayer).run().await
}
