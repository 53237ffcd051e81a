//! The programs of protocols, in JavaScript: documents that exist carry such programs, so nothing else will do.
//!
//! Each protocol has an engine of its own, with no more than [`MOST_MEMORY`] bytes, [`MOST_STACK`] bytes of stack and
//! [`MOST_INTERRUPTS`] interrupts a call (one comes about every ten thousand steps). Steps are counted, not time, so a
//! program ends at the same place on a slow machine and on a fast one. There is no clock in it and no chance.

mod sandbox;

use std::sync::Arc;

use domain::script::{BadScript, Sandbox, ScriptEngine};

pub use sandbox::{MOST_INTERRUPTS, MOST_MEMORY, MOST_STACK};

/// Runs programs on `QuickJS`.
#[derive(Debug, Clone, Copy, Default)]
pub struct JavaScript;

impl ScriptEngine for JavaScript {
    fn sandbox(&self) -> Result<Arc<dyn Sandbox>, BadScript> {
        Ok(Arc::new(sandbox::QuickJs::new()?))
    }
}

#[cfg(test)]
mod tests;
