//! The API on Lambda: API Gateway asks it.

use functions::serve_api;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_api().await
}
