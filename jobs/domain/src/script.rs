//! The little programs that documents carry: coefficients that are expressions, and the scripts of devices that speak
//! no standard frame. What runs them is not known here.

use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

/// Where the programs of protocols run.
pub trait ScriptEngine: Send + Sync {
    /// A place for the programs of one protocol, which share nothing with those of another.
    fn sandbox(&self) -> Result<Arc<dyn Sandbox>, BadScript>;
}

/// A place where programs run, bounded in steps and memory. They see their arguments and nothing else: no clock, no
/// chance, no files, no network.
pub trait Sandbox: Send + Sync {
    /// Takes a program in: an expression whose value is a function, as in `function (a) { return a / 2 }`.
    fn define(&self, source: &str) -> Result<FunctionId, BadScript>;

    /// Calls a function that was taken in.
    fn call(&self, function: FunctionId, arguments: &[Argument<'_>]) -> Result<Answer, ScriptFailed>;
}

/// Names a function in its sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionId(pub usize);

/// What a function is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Argument<'a> {
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// Bytes, as a list of numbers.
    Bytes(&'a [u8]),
}

/// What a function gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A number, which may be none (NaN).
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// Undefined or null.
    Nothing,
    /// A list, an object: true if asked, and otherwise of no use.
    Other,
}

impl Answer {
    /// Whether JavaScript takes it for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Boolean(boolean) => *boolean,
            Self::Nothing => false,
            Self::Other => true,
        }
    }
}

/// Why a program cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadScript(pub String);

/// Why one call of a program came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScriptFailed(pub String);

/// A home without programs: it refuses them all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoScripts;

impl ScriptEngine for NoScripts {
    fn sandbox(&self) -> Result<Arc<dyn Sandbox>, BadScript> {
        Err(BadScript("there is nothing here that runs scripts".to_owned()))
    }
}

/// A function that can be called.
#[derive(Clone)]
pub(crate) struct Function {
    source: String,
    sandbox: Arc<dyn Sandbox>,
    id: FunctionId,
}

impl Function {
    pub(crate) fn define(sandbox: &Arc<dyn Sandbox>, source: String) -> Result<Self, BadScript> {
        let id = sandbox.define(&source)?;
        Ok(Self { source, sandbox: Arc::clone(sandbox), id })
    }

    pub(crate) fn call(&self, arguments: &[Argument<'_>]) -> Result<Answer, ScriptFailed> {
        self.sandbox.call(self.id, arguments)
    }
}

impl Debug for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.source).finish()
    }
}

/// Functions of one text do the same.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_true_as_javascript_has_it() {
        for (answer, truthy) in [
            (Answer::Number(0.0), false),
            (Answer::Number(f64::NAN), false),
            (Answer::Number(-1.0), true),
            (Answer::Text(String::new()), false),
            (Answer::Text("0".to_owned()), true),
            (Answer::Boolean(true), true),
            (Answer::Nothing, false),
            (Answer::Other, true),
        ] {
            assert_eq!(answer.is_truthy(), truthy, "{answer:?}");
        }
    }
}
