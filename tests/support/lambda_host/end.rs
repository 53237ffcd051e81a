//! How an invocation ended, and what AWS makes of it for whoever invoked the function.

use std::{process::ExitStatus, time::Duration};

use serde_json::{Value, json};

use super::Invoked;

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum End {
    /// As its program told.
    Told(Invoked),
    /// The program could not start, for this reason.
    NotStarted(Value),
    /// The program ended in the midst of it.
    Exited(ExitStatus),
    /// It took too long.
    TimedOut,
}

impl End {
    /// The error that is told to whoever invoked the function.
    pub(super) fn error(self, request: &str, timeout: Duration) -> Value {
        let (kind, message) = match self {
            Self::Told(Err(error) | Ok(error)) | Self::NotStarted(error) => return error,
            Self::Exited(status) => {
                let how = status.code().map_or("signal: killed".to_owned(), |code| format!("exit status {code}"));
                ("Runtime.ExitError", format!("Runtime exited with error: {how}"))
            }
            Self::TimedOut => {
                ("Sandbox.Timedout", format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()))
            }
        };
        json!({ "errorType": kind, "errorMessage": format!("RequestId: {request} Error: {message}") })
    }
}
