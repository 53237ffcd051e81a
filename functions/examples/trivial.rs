//! A function that does nothing: what Lambda's runtime takes by itself. The bench measures the jobs' functions beside it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: LambdaEvent<Value>| async { Ok::<_, Error>(json!({ "batchItemFailures": [] })) })).await
}
