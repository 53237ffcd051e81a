//! Protocols: what a device model is asked, and how its replies are cut into named values.
//!
//! Users write a [`ProtocolDocument`]; [`Protocol::compile`] checks every place of it once, so that reading a reply cannot
//! fail on the protocol's account.

mod coefficient;
mod constants;
mod document;
mod error;
mod field;
mod instruction;
mod operation;
mod order;
mod programs;
mod result_type;
mod sentinel;
mod slice;
mod states;
mod ups;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Pid, frame::RejectedFrame, reading::Value, script::ScriptEngine};

pub use constants::{ConstantsDocument, StateDocument, ThresholdDocument};
pub use document::{FieldDocument, InstructDocument, ProtocolDocument};
pub use error::{Fault, ProtocolError};
pub use operation::{BadOperation, Operation, OperationDocument};
pub use slice::BadSlice;
pub use ups::{FaultWord, QFS, no_fault, unnamed_fault};

use instruction::{Fields, Instruction};
use programs::Programs;

/// The kind of serial line a device hangs on. Its number in documents and commands is 485 or 232.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Line {
    /// A bus of Modbus RTU devices.
    Rs485,
    /// One device that speaks lines of text.
    Rs232,
}

impl Line {
    /// 485 or 232.
    pub fn code(self) -> u16 {
        match self {
            Self::Rs485 => 485,
            Self::Rs232 => 232,
        }
    }
}

/// A line's number that is neither 485 nor 232.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line's type is 485 or 232, not {0}")]
pub struct NotALine(u16);

impl TryFrom<u16> for Line {
    type Error = NotALine;

    fn try_from(code: u16) -> Result<Self, NotALine> {
        match code {
            485 => Ok(Self::Rs485),
            232 => Ok(Self::Rs232),
            _ => Err(NotALine(code)),
        }
    }
}

impl From<Line> for u16 {
    fn from(line: Line) -> Self {
        line.code()
    }
}

/// The address that programs are tried with when a document is checked.
const CHECKED_PID: Pid = 1;

/// A protocol that was checked: it asks for something, and every field can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    name: String,
    line: Line,
    /// Those in use, never none: a gateway that is sent an empty list dies of it.
    instructions: Vec<Instruction>,
}

/// One reply as a gateway hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// What was sent, as in [`Protocol::contents`].
    pub content: &'a str,
    /// What came back.
    pub bytes: &'a [u8],
}

/// What the replies to one query say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The values, in the protocol's order.
    pub values: Vec<Value>,
    /// What was sent, and why its reply is not believed.
    pub rejected: Vec<(String, RejectedFrame)>,
    /// How many values are missing because their coefficient's program failed.
    pub programs_failed: usize,
}

impl Protocol {
    /// Checks a document, whose programs go to `scripts`. The error names the place in it. Instructions that are not in use
    /// are not looked at.
    pub fn compile(document: &ProtocolDocument, scripts: &dyn ScriptEngine) -> Result<Self, ProtocolError> {
        let programs = Programs::new(scripts);
        if document.protocol.trim().is_empty() {
            return Err(ProtocolError::at("Protocol", Fault::NoName));
        }
        let instructions = (document.instruct.iter().enumerate())
            .filter(|(_, instruct)| instruct.is_use)
            .map(|(index, instruct)| {
                Instruction::compile(document.line, instruct, &programs)
                    .map_err(|error| error.within("instruct", index))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if instructions.is_empty() {
            return Err(ProtocolError::at("instruct", Fault::NothingInUse));
        }
        if let Some(content) = repeated(instructions.iter().filter_map(|instruction| instruction.content(CHECKED_PID)))
        {
            return Err(ProtocolError::at("instruct", Fault::Repeated(content)));
        }
        Ok(Self { name: document.protocol.clone(), line: document.line, instructions })
    }

    /// Its name, unique among protocols.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of line its devices hang on.
    pub fn line(&self) -> Line {
        self.line
    }

    /// How many instructions one query sends.
    pub fn instructions_in_use(&self) -> usize {
        self.instructions.len()
    }

    /// What to send to a device, one text per instruction in use. An instruction whose script makes nothing for this
    /// device is left out; so there may be none, and then the device may not be asked: an empty list kills a gateway.
    pub fn contents(&self, pid: Pid) -> Vec<String> {
        self.instructions.iter().filter_map(|instruction| instruction.content(pid)).collect()
    }

    /// Proves the replies of a device and reads their values.
    pub fn read(&self, pid: Pid, replies: &[Reply<'_>]) -> Parsed {
        let contents: Vec<_> = self.instructions.iter().map(|instruction| instruction.content(pid)).collect();
        let mut parsed = Parsed::default();
        let mut values_of = vec![Vec::new(); contents.len()];
        let mut programs_failed = 0;
        for reply in replies {
            let asked = contents.iter().position(|content| {
                content.as_ref().is_some_and(|content| content.eq_ignore_ascii_case(reply.content))
            });
            let read = match asked {
                Some(index) => self.read_one(index, pid, *reply).map(|fields| {
                    programs_failed += fields.failed;
                    values_of[index] = fields.values;
                }),
                None => Err(RejectedFrame::UnknownInstruction),
            };
            if let Err(why) = read {
                parsed.rejected.push((reply.content.to_owned(), why));
            }
        }
        parsed.values = values_of.into_iter().flatten().collect();
        parsed.programs_failed = programs_failed;
        parsed
    }

    /// Reads the reply to one instruction. A gateway takes whatever comes next for the answer, so what was whole and does
    /// not fit may be another instruction's, come late.
    fn read_one(&self, index: usize, pid: Pid, reply: Reply<'_>) -> Result<Fields, RejectedFrame> {
        self.instructions[index].read(pid, reply).map_err(|why| {
            let is_whole =
                matches!(why, RejectedFrame::Length { .. } | RejectedFrame::WrongFunction { .. } | RejectedFrame::Echo);
            let is_anothers = || self.instructions.iter().any(|other| other.is_answered_by(pid, reply.bytes));
            if is_whole && is_anothers() { RejectedFrame::Late } else { why }
        })
    }
}

/// The first item that stands twice.
fn repeated<T: Ord>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.into_iter().find_map(|item| seen.replace(item))
}

#[cfg(test)]
mod tests;
