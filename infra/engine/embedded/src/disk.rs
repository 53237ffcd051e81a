//! Room on the disk, kept so that the store can always tidy up what it has taken in.

use std::path::{Path, PathBuf};

use crate::EngineError;

/// How much of the disk is left alone: what the store may still need for rows it has acknowledged.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The folder's disk.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Refuses writes before the disk is so full that one would fail half way: then they go on as soon as there is room
    /// again, while a failed one ends writing until the store is opened anew. On a small disk the reserve is a tenth.
    pub(crate) fn has_room(&self) -> Result<(), EngineError> {
        let disk = rustix::fs::statvfs(&self.0)
            .map_err(|error| EngineError::ReadOnly(format!("cannot see how full {} is: {error}", self.0.display())))?;
        let reserve = RESERVE_BYTES.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 10);
        if disk.f_bavail.saturating_mul(disk.f_frsize) > reserve {
            return Ok(());
        }
        let reserve = reserve / (1024 * 1024);
        Err(EngineError::ReadOnly(format!(
            "the disk of {} is full, {reserve} MiB of it are kept free: make room and writing goes on",
            self.0.display()
        )))
    }
}
