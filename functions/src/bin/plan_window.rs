//! `plan_window` on Lambda: the schedule invokes it once a minute.

use functions::{Tick, context, perform};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    boot::init_log("info");
    let cx = &context().await?;
    let plan = |tick: LambdaEvent<Tick>| async move { perform(cx, &tick.payload.window(&cx.settings.schedule)).await };
    run(service_fn(plan)).await
}
