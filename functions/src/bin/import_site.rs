//! The import of a site file on Lambda: somebody invokes it, with the file as its event.

use functions::serve_imports;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve_imports().await
}
