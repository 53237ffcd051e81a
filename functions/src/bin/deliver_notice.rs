//! `deliver_notice` on Lambda: its queue gives it batches.

use functions::serve_queue;
use jobs::DeliverNotice;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_queue::<DeliverNotice>().await
}
