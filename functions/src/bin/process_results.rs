//! `process_results` on Lambda: its queue gives it batches.

use functions::serve_queue;
use jobs::ProcessResults;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_queue::<ProcessResults>().await
}
