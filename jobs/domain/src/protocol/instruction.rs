//! One instruction: what it sends, and how its reply is cut.

use super::{
    BadOperation, CHECKED_PID, Fault, InstructDocument, Line, Operation, ProtocolError, Reply,
    field::{BinaryField, TextField},
    programs::Programs,
};
use crate::{
    Pid,
    frame::{self, RejectedFrame, RtuInstruction, VerifiedFrame},
    reading::Value,
    script::{Answer, Argument, Function},
};

/// An instruction that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instruction {
    ask: Ask,
    /// The bytes dropped at a reply's ends, where the document says other than the frame's own.
    shift: Option<usize>,
    pop: Option<usize>,
}

/// What a reply says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Fields {
    /// The fields' values, in their order.
    pub(super) values: Vec<Value>,
    /// How many of them are missing because their coefficient's program failed.
    pub(super) failed: usize,
}

/// What is asked, and how the answer is read.
#[derive(Debug, Clone, PartialEq)]
enum Ask {
    Binary { request: Request, proof: Proof, fields: Vec<BinaryField> },
    Text { command: String, separator: Separator, fields: Vec<TextField> },
}

/// What makes the bytes that are sent.
#[derive(Debug, Clone, PartialEq)]
enum Request {
    Rtu(RtuInstruction),
    /// A script, given the device's address and the instruction's name.
    Scripted(Function, String),
}

/// What proves the bytes that come back.
#[derive(Debug, Clone, PartialEq)]
enum Proof {
    Rtu(RtuInstruction),
    /// A script, given what was sent and what came back.
    Scripted(Function),
}

/// What stands between the words of a text.
#[derive(Debug, Clone, PartialEq)]
enum Separator {
    Text(String),
    /// Nothing: every character stands for itself.
    Nothing,
}

impl Instruction {
    /// Checks an instruction's document. Scripts are for 485 lines; on a text line they are passed over, as they always
    /// were.
    pub(super) fn compile(
        line: Line,
        document: &InstructDocument,
        programs: &Programs<'_>,
    ) -> Result<Self, ProtocolError> {
        let ask = match line {
            Line::Rs485 => Self::compile_binary(document, programs)?,
            Line::Rs232 => Self::compile_text(document)?,
        };
        Ok(Self {
            ask,
            shift: document.shift.then_some(document.shift_num),
            pop: document.pop.then_some(document.pop_num),
        })
    }

    fn compile_binary(document: &InstructDocument, programs: &Programs<'_>) -> Result<Ask, ProtocolError> {
        let script = |place: &str, source: &str| {
            if !document.no_standard || source.trim().is_empty() {
                return Ok(None);
            }
            programs.script(source).map(Some).map_err(|fault| ProtocolError::at(place, fault))
        };
        let standard = || RtuInstruction::parse(&document.name).map_err(|bad| ProtocolError::at("name", bad.into()));
        let start = script("scriptStart", &document.script_start)?;
        let end = script("scriptEnd", &document.script_end)?;
        let (request, proof) = match (start, end) {
            (None, None) => (Request::Rtu(standard()?), Proof::Rtu(standard()?)),
            (None, Some(end)) => (Request::Rtu(standard()?), Proof::Scripted(end)),
            (Some(_), None) => return Err(ProtocolError::at("scriptEnd", Fault::NoProof)),
            (Some(start), Some(end)) => (Request::Scripted(start, document.name.clone()), Proof::Scripted(end)),
        };
        request.content(CHECKED_PID).map_err(|why| ProtocolError::at("scriptStart", Fault::Script(why)))?;
        let result_type = document.result_type.parse().map_err(|fault| ProtocolError::at("resultType", fault))?;
        let fields = compile_fields(document, |field| BinaryField::compile(result_type, field, programs))?;
        Ok(Ask::Binary { request, proof, fields })
    }

    fn compile_text(document: &InstructDocument) -> Result<Ask, ProtocolError> {
        let command = document.name.trim().to_owned();
        if command.is_empty() || command.contains(char::is_control) {
            return Err(ProtocolError::at("name", Fault::Command(command)));
        }
        if !matches!(document.result_type.as_str(), "" | "utf8") {
            let told = document.result_type.clone();
            return Err(ProtocolError::at("resultType", Fault::ResultType { told, known: "utf8" }));
        }
        let separator = match document.split_str.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Separator::Text(text.to_owned()),
            None if document.is_split => Separator::Text(" ".to_owned()),
            None => Separator::Nothing,
        };
        Ok(Ask::Text { command, separator, fields: compile_fields(document, TextField::compile)? })
    }

    /// What to send to a device; none when the script that makes it fails.
    pub(super) fn content(&self, pid: Pid) -> Option<String> {
        match &self.ask {
            Ask::Binary { request, .. } => request.content(pid).ok(),
            Ask::Text { command, .. } => Some(command.clone()),
        }
    }

    /// Proves a reply and reads its fields.
    pub(super) fn read(&self, pid: Pid, reply: Reply<'_>) -> Result<Fields, RejectedFrame> {
        match &self.ask {
            Ask::Binary { proof, fields, .. } => {
                let data = proof.verify(pid, reply)?.without(self.shift, self.pop);
                let (values, ended): (Vec<_>, Vec<_>) = fields.iter().map(|field| field.read(data)).unzip();
                Ok(Fields { values, failed: ended.iter().filter(|ended| ended.is_err()).count() })
            }
            Ask::Text { separator, fields, .. } => {
                let text = VerifiedFrame::text(reply.bytes)?.without(self.shift, self.pop);
                let text = String::from_utf8_lossy(text).replace('#', "");
                Ok(Fields { values: read_text(&text, separator, fields)?, failed: 0 })
            }
        }
    }

    /// Whether bytes are proven to be this device's reply to this very instruction, with no script asked.
    pub(super) fn is_answered_by(&self, pid: Pid, bytes: &[u8]) -> bool {
        matches!(&self.ask, Ask::Binary { proof: Proof::Rtu(instruction), .. } if instruction.verify(pid, bytes).is_ok())
    }

    /// Another instruction to the same device, made and proven as this one is.
    pub(super) fn operation(&self, pid: Pid, instruction: &str) -> Result<Operation, BadOperation> {
        match &self.ask {
            Ask::Binary { request, proof, .. } => {
                let request = match request {
                    Request::Rtu(_) => Request::Rtu(RtuInstruction::parse(instruction)?),
                    Request::Scripted(script, _) => Request::Scripted(script.clone(), instruction.to_owned()),
                };
                let proof = match proof {
                    Proof::Rtu(_) => frame::Proof::Rtu,
                    Proof::Scripted(_) => frame::Proof::Scripted,
                };
                Ok(Operation { content: request.content(pid).map_err(BadOperation::Script)?, proof })
            }
            Ask::Text { .. } if instruction.is_empty() || instruction.contains(char::is_control) => {
                Err(BadOperation::Command(instruction.to_owned()))
            }
            Ask::Text { .. } => Ok(Operation { content: instruction.to_owned(), proof: frame::Proof::Text }),
        }
    }

    /// Whether the script that proves this instruction's replies believes this one.
    pub(super) fn believes(&self, pid: Pid, reply: Reply<'_>) -> Result<(), RejectedFrame> {
        match &self.ask {
            Ask::Binary { proof: proof @ Proof::Scripted(_), .. } => proof.verify(pid, reply).map(drop),
            Ask::Binary { .. } | Ask::Text { .. } => Err(RejectedFrame::UnknownInstruction),
        }
    }
}

impl Request {
    /// What to send: hex. The error says why there is nothing to send.
    fn content(&self, pid: Pid) -> Result<String, String> {
        let (script, name) = match self {
            Self::Rtu(instruction) => return Ok(instruction.request(pid)),
            Self::Scripted(script, name) => (script, name),
        };
        match script.call(&[Argument::Number(f64::from(pid)), Argument::Text(name)]) {
            Ok(Answer::Text(hex)) if is_hex(&hex) => Ok(hex.to_lowercase()),
            Ok(_) => Err(format!("for the address {pid} it gives no pairs of hex digits")),
            Err(failed) => Err(format!("for the address {pid}: {failed}")),
        }
    }
}

impl Proof {
    fn verify<'a>(&self, pid: Pid, reply: Reply<'a>) -> Result<VerifiedFrame<'a>, RejectedFrame> {
        match self {
            Self::Rtu(instruction) => instruction.verify(pid, reply.bytes),
            Self::Scripted(script) => VerifiedFrame::scripted(reply.bytes, |bytes| {
                script.call(&[Argument::Text(reply.content), Argument::Bytes(bytes)])
            }),
        }
    }
}

/// The most bytes a script may send: twice what a standard frame can have.
const MOST_HEX: usize = 1024;

fn is_hex(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MOST_HEX
        && text.len().is_multiple_of(2)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the fields of a text. A text of fewer words than the fields name is not believed at all: where a word was lost,
/// those after it stand in the wrong places.
fn read_text(text: &str, separator: &Separator, fields: &[TextField]) -> Result<Vec<Value>, RejectedFrame> {
    match separator {
        Separator::Text(separator) => {
            let words: Vec<&str> = text.split(separator.as_str()).map(str::trim).collect();
            let expected = fields.iter().map(TextField::words_needed).max().unwrap_or(0);
            if words.len() < expected {
                return Err(RejectedFrame::Words { expected, got: words.len() });
            }
            Ok(fields.iter().map(|field| field.read_word(&words)).collect())
        }
        Separator::Nothing => {
            let characters: Vec<char> = text.chars().collect();
            Ok(fields.iter().map(|field| field.read_characters(&characters)).collect())
        }
    }
}

fn compile_fields<T>(
    document: &InstructDocument,
    compile: impl Fn(&super::FieldDocument) -> Result<T, ProtocolError>,
) -> Result<Vec<T>, ProtocolError> {
    (document.form_resize.iter().enumerate())
        .map(|(index, field)| compile(field).map_err(|error| error.within("formResize", index)))
        .collect()
}
