//! The record of what the server acknowledged: the other side of the books.

use std::{
    fs::File,
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use crate::{FieldError, ReplyFault};

/// Where acknowledged results are recorded.
#[derive(Debug, Clone)]
pub enum TruthSink {
    /// Sent here, until the receiver is gone.
    Channel(UnboundedSender<Acknowledged>),
    /// Appended to this file, one JSON object a line.
    Lines(PathBuf),
}

/// A result that the server answered with a 2xx: it has promised to keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledged {
    /// The terminal.
    pub mac: String,
    /// The device's address on its line.
    pub pid: u8,
    /// The query's time, as the server gave it; UTC milliseconds.
    pub time_stamp: i64,
    /// Bytes written and read on the line.
    pub use_bytes: usize,
    /// What was posted, one reply for each instruction that got one.
    pub replies: Vec<AcknowledgedReply>,
}

/// One reply of an acknowledged result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgedReply {
    /// The instruction, as the server sent it.
    pub content: String,
    /// The reply's bytes, as lower case hex.
    pub bytes: String,
    /// Why the reply is not the honest one; none for an honest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<ReplyFault>,
}

/// An open sink.
pub(crate) enum Truth {
    Unrecorded,
    Channel(UnboundedSender<Acknowledged>),
    Lines(Mutex<File>),
}

impl Truth {
    pub(crate) fn open(sink: Option<&TruthSink>) -> Result<Self, FieldError> {
        match sink {
            None => Ok(Self::Unrecorded),
            Some(TruthSink::Channel(sender)) => Ok(Self::Channel(sender.clone())),
            Some(TruthSink::Lines(path)) => {
                let file = File::options().create(true).append(true).open(path);
                let file = file.map_err(|cause| FieldError::Truth { path: path.clone(), cause })?;
                Ok(Self::Lines(Mutex::new(file)))
            }
        }
    }

    /// Whether anybody wants to know.
    pub(crate) fn is_recorded(&self) -> bool {
        !matches!(self, Self::Unrecorded)
    }

    pub(crate) fn record(&self, acknowledged: Acknowledged) {
        match self {
            Self::Unrecorded => {}
            // A receiver that has gone wants no more.
            Self::Channel(sender) => drop(sender.send(acknowledged)),
            Self::Lines(file) => {
                // One write a line: what is recorded survives this process.
                let line = serde_json::to_string(&acknowledged).unwrap_or_default() + "\n";
                let written = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
                if let Err(error) = written {
                    tracing::error!(%error, "an acknowledged result could not be recorded");
                }
            }
        }
    }
}
