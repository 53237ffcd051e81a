//! What the system says of a process.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context, Result};

/// For how long each thread of a process has run so far, by the thread's number.
pub(crate) struct Spent(HashMap<u32, Duration>);

impl Spent {
    /// Of a process, until now.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut threads = HashMap::new();
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?;
            let number = thread.file_name().to_string_lossy().parse()?;
            // A thread that ended just now has nothing to say any more.
            let Ok(told) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let ran = told.split_whitespace().next().context("the system tells how long a thread ran")?;
            threads.insert(number, Duration::from_nanos(ran.parse()?));
        }
        Ok(Self(threads))
    }

    /// How long its threads have run since then. What those ran that ended meanwhile is not in it.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let more =
            |(thread, ran): (&u32, &Duration)| ran.saturating_sub(before.0.get(thread).copied().unwrap_or_default());
        self.0.iter().map(more).sum()
    }
}

/// What a process holds in memory now, in kibibytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    status(pid, "VmRSS:")
}

/// The most that a process held in memory so far, in kibibytes.
pub(crate) fn most_resident(pid: u32) -> Result<u64> {
    status(pid, "VmHWM:")
}

/// Mebibytes, of kibibytes.
pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
    let kibibytes = kibibytes as f64;
    kibibytes / 1024.0
}

fn status(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the system tells of memory")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
