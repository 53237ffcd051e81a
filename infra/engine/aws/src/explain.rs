//! What went wrong with a call, in words an operator can use.

use std::error::Error;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The code and message that the service gave, or else why there was no answer. Says nothing of what was sent.
pub fn explain(error: &(impl ProvideErrorMetadata + Error)) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => causes(error),
    }
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
