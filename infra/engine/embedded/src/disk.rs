//! Whether the disk takes writes, and room on it, kept so that the store can always tidy up what it has taken in.

use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::EngineError;

/// How much of the disk is left alone: what the store may still need for rows it has acknowledged.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The folder's disk.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Refuses writes to a disk that is read-only, and before it is so full that one would fail half way: then they go on as
    /// soon as it takes them again, while a failed one ends writing until the store is opened anew. On a small disk the
    /// reserve is a tenth.
    pub(crate) fn takes_writes(&self) -> Result<(), EngineError> {
        let disk = statvfs(&self.0)
            .map_err(|error| EngineError::ReadOnly(format!("cannot see how full {} is: {error}", self.0.display())))?;
        if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
            let folder = self.0.display();
            return Err(EngineError::ReadOnly(format!(
                "the disk of {folder} is read-only: make it writable and writing goes on"
            )));
        }
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
