//! What the SDK's errors mean to a table's user.

use std::error::Error;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use engine_aws::explain;
use records::TableError;

/// A call that DynamoDB finds malformed stays so; everything else may pass: throttling, a lost connection, a missing
/// right or table that an operator puts right.
pub(super) fn table_error<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> TableError {
    let why = explain(error);
    match error.code() {
        Some("ValidationException") => TableError::Invalid(why),
        _ => TableError::Away(why),
    }
}

/// A request that the SDK could not even put together.
pub(super) fn build_error(error: &BuildError) -> TableError {
    TableError::Invalid(error.to_string())
}
