//! The programs of one document, on their way to being functions.

use std::{cell::OnceCell, sync::Arc};

use super::Fault;
use crate::script::{BadScript, Function, Sandbox, ScriptEngine};

/// Makes functions of a document's programs. Its sandbox is made when the first program is met: few protocols have one.
pub(super) struct Programs<'a> {
    engine: &'a dyn ScriptEngine,
    sandbox: OnceCell<Arc<dyn Sandbox>>,
}

impl<'a> Programs<'a> {
    pub(super) fn new(engine: &'a dyn ScriptEngine) -> Self {
        Self { engine, sandbox: OnceCell::new() }
    }

    /// A script as documents have it: the text of a function.
    pub(super) fn script(&self, source: &str) -> Result<Function, Fault> {
        self.function(source.trim()).map_err(|why| Fault::Script(why.0))
    }

    /// A coefficient of the form `(name,expression)`: the first comma ends the name.
    pub(super) fn expression(&self, text: &str) -> Result<Function, Fault> {
        let wrong = |why: &str| Fault::Expression { told: text.chars().take(60).collect(), why: why.to_owned() };
        let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let (name, expression) =
            inner.and_then(|inner| inner.split_once(',')).ok_or_else(|| wrong("it has the form (a,a/2-20)"))?;
        let name = name.trim();
        if !is_name(name) {
            return Err(wrong("before its first comma stands a name"));
        }
        self.function(&format!("function ({name}) {{ return (\n{expression}\n) }}")).map_err(|why| wrong(&why.0))
    }

    fn function(&self, source: &str) -> Result<Function, BadScript> {
        if self.sandbox.get().is_none() {
            // Set once: nobody else has this cell.
            let _ = self.sandbox.set(self.engine.sandbox()?);
        }
        let sandbox = self.sandbox.get().ok_or_else(|| BadScript("its sandbox is gone".to_owned()))?;
        Function::define(sandbox, source.to_owned())
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}
