//! What stops AWS as a whole, so that it answers nobody and forgets nothing, and lets it go on.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// The brake of an [`Aws`](super::Aws). Nobody needs to have that at hand.
#[derive(Debug, Clone, Copy)]
pub struct Brake(Pid);

impl Brake {
    pub(super) fn of(process: Option<u32>) -> Result<Self> {
        let process = process.and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Self(process.context("AWS has ended")?))
    }

    /// It stands still: connections are taken by the system and answered by nobody.
    pub fn hold(&self) -> Result<()> {
        Ok(kill_process(self.0, Signal::STOP)?)
    }

    /// It goes on where it was.
    pub fn release(&self) -> Result<()> {
        Ok(kill_process(self.0, Signal::CONT)?)
    }
}
