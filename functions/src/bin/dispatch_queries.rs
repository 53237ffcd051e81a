//! `dispatch_queries` on Lambda: its queue gives it batches.

use functions::serve_queue;
use jobs::DispatchQueries;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_queue::<DispatchQueries>().await
}
