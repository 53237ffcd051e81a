//! What can be wrong with a document, and where.

use super::slice::BadSlice;
use crate::{alarm::Wrong, frame::BadInstruction};

/// A document that cannot be used, with the place in it: `instruct[2].formResize[0].regx: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct ProtocolError {
    /// Where in the document.
    pub place: String,
    /// What is wrong there.
    pub fault: Fault,
}

impl ProtocolError {
    pub(super) fn at(place: impl Into<String>, fault: Fault) -> Self {
        Self { place: place.into(), fault }
    }

    pub(super) fn within(self, list: &str, index: usize) -> Self {
        Self { place: format!("{list}[{index}].{}", self.place), ..self }
    }
}

/// What is wrong at a place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something has no name.
    #[error("a name is missing")]
    NoName,
    /// Nothing would be asked.
    #[error("no instruction is in use: a protocol needs at least one")]
    NothingInUse,
    /// A script that is no function, or makes nothing that can be sent.
    #[error("this script cannot be used: {0}")]
    Script(String),
    /// A script makes the instruction, and none proves its reply.
    #[error(
        "an instruction that a script makes needs a script that proves its reply: without one nothing can be believed"
    )]
    NoProof,
    /// A command that a text line cannot carry.
    #[error("a command is one line of text and no more, this is not: {0:?}")]
    Command(String),
    /// Not an instruction of a 485 line.
    #[error(transparent)]
    Instruction(#[from] BadInstruction),
    /// Not a way to read a reply.
    #[error("{told:?} is no result type of this line: use one of {known}")]
    ResultType {
        /// What the document says.
        told: String,
        /// What it could say.
        known: &'static str,
    },
    /// Not a place in a reply.
    #[error(transparent)]
    Slice(#[from] BadSlice),
    /// The place has a length that the result type cannot be read from.
    #[error("{result_type} is read from {allowed} bytes, not from {got}")]
    Width {
        /// The result type.
        result_type: &'static str,
        /// The lengths it can be read from.
        allowed: &'static str,
        /// The length of the place.
        got: usize,
    },
    /// Not an order of bytes.
    #[error("{0:?} is no order of bytes: use one of ABCD, CDAB, BADC, DCBA")]
    Order(String),
    /// An order of registers for a number with half a register.
    #[error("only ABCD and DCBA are orders of {0} bytes, whose registers are not whole")]
    OddOrder(usize),
    /// Something that only numbers have.
    #[error("this is for numbers read from bytes: leave it out here")]
    NotANumber,
    /// Not a raw value.
    #[error("a raw value that means nothing is a number or bits such as 0x8000, this is not: {0:?}")]
    Sentinel(String),
    /// Nothing to multiply by.
    #[error("the coefficient is missing: write 1 for the value as it is")]
    NoCoefficient,
    /// A coefficient that is a program, and a wrong one.
    #[error("the expression {told:?} cannot be used: {why}")]
    Expression {
        /// What the document says.
        told: String,
        /// What is wrong with it.
        why: String,
    },
    /// A coefficient that is nothing at all.
    #[error("a coefficient is a number such as 0.1, this is not: {0:?}")]
    Coefficient(String),
    /// A state without its words.
    #[error("a state needs its words in the unit, as in {{0:off,1:on}}; this is not that: {0:?}")]
    States(String),
    /// A limit or a list of normal states that cannot be watched.
    #[error(transparent)]
    Rule(#[from] Wrong),
    /// The same instruction, whose replies nobody could tell apart, or the same watched value stands twice.
    #[error("{0:?} stands here twice: keep one of them")]
    Repeated(String),
}
