//! `sweep` on Lambda: the schedule invokes it once a minute.

use functions::serve_ticks;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_ticks(|tick, _| Ok(tick.sweep())).await
}
