//! `fan_out` on Lambda: its queue gives it batches.

use functions::serve_queue;
use jobs::FanOut;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_queue::<FanOut>().await
}
