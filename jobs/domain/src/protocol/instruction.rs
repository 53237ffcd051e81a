//! One instruction: what it sends, and how its reply is cut.

use super::{
    Fault, InstructDocument, Line, ProtocolError,
    field::{BinaryField, TextField},
};
use crate::{
    Pid,
    frame::{RejectedFrame, RtuInstruction, VerifiedFrame},
    reading::Value,
};

/// An instruction that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instruction {
    ask: Ask,
    /// The bytes dropped at a reply's ends, where the document says other than the frame's own.
    shift: Option<usize>,
    pop: Option<usize>,
}

/// What is asked, and how the answer is read.
#[derive(Debug, Clone, PartialEq)]
enum Ask {
    Rtu { request: RtuInstruction, fields: Vec<BinaryField> },
    Text { command: String, separator: Separator, fields: Vec<TextField> },
}

/// What stands between the words of a text.
#[derive(Debug, Clone, PartialEq)]
enum Separator {
    Text(String),
    /// Nothing: every character stands for itself.
    Nothing,
}

impl Instruction {
    /// Checks an instruction's document.
    pub(super) fn compile(line: Line, document: &InstructDocument) -> Result<Self, ProtocolError> {
        if document.no_standard {
            return Err(ProtocolError::at("noStandard", Fault::Scripted));
        }
        let ask = match line {
            Line::Rs485 => Self::compile_rtu(document)?,
            Line::Rs232 => Self::compile_text(document)?,
        };
        Ok(Self {
            ask,
            shift: document.shift.then_some(document.shift_num),
            pop: document.pop.then_some(document.pop_num),
        })
    }

    fn compile_rtu(document: &InstructDocument) -> Result<Ask, ProtocolError> {
        let request = RtuInstruction::parse(&document.name).map_err(|bad| ProtocolError::at("name", bad.into()))?;
        let result_type = document.result_type.parse().map_err(|fault| ProtocolError::at("resultType", fault))?;
        let fields = compile_fields(document, |field| BinaryField::compile(result_type, field))?;
        Ok(Ask::Rtu { request, fields })
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

    /// What to send to a device.
    pub(super) fn content(&self, pid: Pid) -> String {
        match &self.ask {
            Ask::Rtu { request, .. } => request.request(pid),
            Ask::Text { command, .. } => command.clone(),
        }
    }

    /// Proves a reply and reads its fields.
    pub(super) fn read(&self, pid: Pid, reply: &[u8]) -> Result<Vec<Value>, RejectedFrame> {
        match &self.ask {
            Ask::Rtu { request, fields } => {
                let data = request.verify(pid, reply)?.without(self.shift, self.pop);
                Ok(fields.iter().map(|field| field.read(data)).collect())
            }
            Ask::Text { separator, fields, .. } => {
                let text = VerifiedFrame::text(reply)?.without(self.shift, self.pop);
                let text = String::from_utf8_lossy(text).replace('#', "");
                read_text(&text, separator, fields)
            }
        }
    }
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
