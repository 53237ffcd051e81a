//! `evaluate_alarms` on Lambda: its queue gives it batches.

use functions::serve_queue;
use jobs::EvaluateAlarms;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_queue::<EvaluateAlarms>().await
}
