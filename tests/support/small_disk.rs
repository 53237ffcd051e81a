//! A small disk of a server's own, in memory. It can be filled, and it can be made read-only under a server that runs.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};

use crate::process::TOLD_OF_FULL_FILES;

/// A place of its own for mounts, without rights anywhere else.
const NAMESPACE: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Mounts the disk, says so, and keeps the place.
const HOLD: &str = "mount -t tmpfs -o size=$0m none $1 && echo mounted && exec sleep infinity";
/// The system makes no disk read-only on which a file is open to be written to. It does so where the folder is looked up
/// anew, and that is what whoever asks about the disk is told.
const READ_ONLY: &str = "mount --bind $0 $0 && mount -o remount,bind,ro $0";
const WRITABLE: &str = "mount -o remount,bind,rw $0";

/// A disk. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: PathBuf,
    holder: Child,
}

impl SmallDisk {
    /// Whether the system lets this user have disks of their own.
    pub(crate) async fn may_be_had() -> bool {
        let asked = Command::new("unshare").args(NAMESPACE).arg("true").stderr(Stdio::null()).status().await;
        asked.is_ok_and(|status| status.success())
    }

    /// One of so many megabytes at `folder`, for those who are started by [`SmallDisk::command`].
    pub(crate) async fn mount(folder: &Path, megabytes: u32) -> Result<Self> {
        let mut command = Command::new("unshare");
        command.args(NAMESPACE).args(["sh", "-c", HOLD]).arg(megabytes.to_string()).arg(folder);
        let mut holder = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut said = [0; 7];
        holder.stdout.take().context("the holder has a stdout")?.read_exact(&mut said).await?;
        Ok(Self { folder: folder.to_owned(), holder })
    }

    /// A program that sees the disk. It is told when a file may not grow, rather than killed.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = self.inside()?;
        command.args(TOLD_OF_FULL_FILES).arg(program);
        Ok(command)
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.filler()?)?;
        let zeros = vec![0; 64 * 1024];
        while filler.write_all(&zeros).is_ok() {}
        Ok(())
    }

    /// Makes room again.
    pub(crate) fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler()?)?)
    }

    /// It becomes read-only, or takes writes again.
    pub(crate) async fn set_read_only(&self, is_read_only: bool) -> Result<()> {
        let script = if is_read_only { READ_ONLY } else { WRITABLE };
        let status = self.inside()?.args(["sh", "-c", script]).arg(&self.folder).status().await?;
        ensure!(status.success(), "the disk cannot be mounted anew: {status}");
        Ok(())
    }

    /// Runs something where the disk is.
    fn inside(&self) -> Result<Command> {
        let holder = self.holder.id().context("the disk is gone")?;
        let mut command = Command::new("nsenter");
        command.args(["--target", &holder.to_string(), "--user", "--mount", "--preserve-credentials", "--"]);
        Ok(command)
    }

    /// A file on it, as it is seen from outside.
    fn filler(&self) -> Result<PathBuf> {
        let holder = self.holder.id().context("the disk is gone")?;
        let root = PathBuf::from(format!("/proc/{holder}/root"));
        Ok(root.join(self.folder.strip_prefix("/")?).join("filler"))
    }
}
