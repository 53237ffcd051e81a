//! What can go wrong in the store.

use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Another process has the folder open.
    #[error("another telltale process is using {0}: stop it, or give this one another data folder")]
    InUse(PathBuf),
    /// The folder cannot be opened as a store.
    #[error("cannot open the store in {folder}: {why}")]
    CannotOpen {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing was written, and reads go on: the disk is full, cannot be written to, or has failed.
    #[error("{0}")]
    ReadOnly(String),
    /// What is on the disk cannot be read.
    #[error("cannot read the store: {0}")]
    Damaged(String),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl EngineError {
    pub(crate) fn reading(error: fjall::Error) -> Self {
        Self::Damaged(cause(error))
    }

    /// fjall takes no write after one has failed, since it cannot know what is on the disk; opening it again finds out.
    pub(crate) fn writing(error: fjall::Error) -> Self {
        Self::ReadOnly(match error {
            fjall::Error::Poisoned => {
                "an earlier write failed: see that the disk works and restart telltale".to_owned()
            }
            other => format!("a write failed ({}): see that the disk works and restart telltale", cause(other)),
        })
    }

    pub(crate) fn opening(folder: PathBuf, error: fjall::Error) -> Self {
        match error {
            fjall::Error::Locked => Self::InUse(folder),
            other => Self::CannotOpen { folder, why: cause(other) },
        }
    }
}

fn cause(error: fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
