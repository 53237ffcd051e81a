//! What people may have a device do: the template of an instruction, and the number that they put into it.

use serde::{Deserialize, Serialize};

use super::{
    Fault, Protocol,
    coefficient::Coefficient,
    document::{or_default, text_or_number},
    programs::Programs,
};
use crate::{
    Pid,
    frame::{BadInstruction, Proof, RejectedFrame},
    reading::Datum,
    script::ScriptEngine,
};

/// Stands for a number of two bytes.
const TWO_BYTES: &str = "%i%i";
/// Stands for a number of as many bytes as it needs.
const ANY_BYTES: &str = "%i";

/// One thing that a device may be told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationDocument {
    /// What people call it.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The instruction, without address and CRC on a 485 line. `%i%i` stands for a number of two bytes, `%i` for one of as
    /// many as it needs.
    #[serde(deserialize_with = "or_default")]
    pub value: String,
    /// What the number that is given is multiplied by, as text.
    #[serde(deserialize_with = "text_or_number")]
    pub bl: String,
    /// For people.
    #[serde(deserialize_with = "or_default")]
    pub readme: String,
}

impl Default for OperationDocument {
    fn default() -> Self {
        Self { name: String::new(), value: String::new(), bl: "1".to_owned(), readme: String::new() }
    }
}

/// Why a device cannot be told so.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadOperation {
    /// The template has a place for a number, and none was given.
    #[error("it needs a value")]
    NeedsValue,
    /// A number was given, and the template has no place for it.
    #[error("it takes no value")]
    TakesNoValue,
    /// The number is not one that the template can hold.
    #[error("{given} becomes {becomes}, and its place holds a whole number from {least} to {most}")]
    Value {
        /// As it was given.
        given: f64,
        /// After the coefficient.
        becomes: f64,
        /// The least that fits.
        least: i64,
        /// The greatest that fits.
        most: i64,
    },
    /// The coefficient is wrong, or comes to no number.
    #[error("its coefficient {0:?} makes no number of the value")]
    Coefficient(String),
    /// Not a coefficient at all.
    #[error(transparent)]
    BadCoefficient(Fault),
    /// Not an instruction of a 485 line.
    #[error(transparent)]
    Instruction(#[from] BadInstruction),
    /// Not a command of a 232 line.
    #[error("a command is one line of text and no more, this is not: {0:?}")]
    Command(String),
    /// The protocol's script makes nothing of it.
    #[error("the protocol's script makes nothing of it: {0}")]
    Script(String),
}

/// What is sent to a device, and what proves that it did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// On a 485 line hex with address and CRC, on a 232 line text.
    pub content: String,
    /// How the reply is to be proven.
    pub proof: Proof,
}

impl OperationDocument {
    /// The instruction, with the number in its place; its coefficient may be a program, which runs on `scripts`.
    pub fn filled(&self, value: Option<f64>, scripts: &dyn ScriptEngine) -> Result<String, BadOperation> {
        let template = self.value.trim();
        match (value, template.contains(ANY_BYTES)) {
            (None, true) => Err(BadOperation::NeedsValue),
            (Some(_), false) => Err(BadOperation::TakesNoValue),
            (None, false) => Ok(template.to_owned()),
            (Some(given), true) => {
                let becomes = self.raw(given, scripts)?;
                let whole = |least, most| whole(given, becomes, least, most);
                if template.contains(TWO_BYTES) {
                    let number = i16::try_from(whole(i16::MIN.into(), i16::MAX.into())?).unwrap_or_default();
                    return Ok(template.replace(TWO_BYTES, &format!("{number:04x}")));
                }
                let digits = format!("{:02x}", whole(0, u32::MAX.into())?);
                let even = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
                Ok(template.replace(ANY_BYTES, &even))
            }
        }
    }

    fn raw(&self, given: f64, scripts: &dyn ScriptEngine) -> Result<f64, BadOperation> {
        let coefficient =
            Coefficient::parse(&self.bl, &Programs::new(scripts)).map_err(BadOperation::BadCoefficient)?;
        match coefficient.apply(given) {
            Ok(Datum::Number(number)) => Ok(number),
            _ => Err(BadOperation::Coefficient(self.bl.clone())),
        }
    }
}

/// A number that its place holds as it is: what would be cut off is not written at all.
fn whole(given: f64, becomes: f64, least: i64, most: i64) -> Result<i64, BadOperation> {
    #[expect(clippy::cast_precision_loss, reason = "the limits have 32 bits at most")]
    let fits = becomes.fract() == 0.0 && becomes >= least as f64 && becomes <= most as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number between limits of 32 bits")]
    if fits { Ok(becomes as i64) } else { Err(BadOperation::Value { given, becomes, least, most }) }
}

impl Protocol {
    /// What makes a device do an instruction that was [filled](OperationDocument::filled). Where the protocol's first
    /// instruction is made or proven by scripts, this one is too.
    pub fn operation(&self, pid: Pid, instruction: &str) -> Result<Operation, BadOperation> {
        let first = self.instructions.first().ok_or_else(|| BadOperation::Command(instruction.to_owned()))?;
        first.operation(pid, instruction)
    }

    /// Asks the script that proves replies whether it believes the one to an operation.
    pub fn believes(&self, pid: Pid, content: &str, reply: &[u8]) -> Result<(), RejectedFrame> {
        let first = self.instructions.first().ok_or(RejectedFrame::UnknownInstruction)?;
        first.believes(pid, super::Reply { content, bytes: reply })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        frame::RtuInstruction,
        protocol::{InstructDocument, Line, ProtocolDocument},
        script::NoScripts,
    };

    fn operation(value: &str, bl: &str) -> OperationDocument {
        OperationDocument { value: value.to_owned(), bl: bl.to_owned(), ..OperationDocument::default() }
    }

    fn filled(template: &str, bl: &str, value: f64) -> Result<String, BadOperation> {
        operation(template, bl).filled(Some(value), &NoScripts)
    }

    fn protocol(line: Line, instruction: &str) -> Protocol {
        let instruct = InstructDocument { name: instruction.to_owned(), ..InstructDocument::default() };
        let document = ProtocolDocument {
            line,
            protocol: "p".to_owned(),
            protocol_type: String::new(),
            instruct: vec![InstructDocument {
                result_type: if line == Line::Rs485 { "hex" } else { "utf8" }.to_owned(),
                ..instruct
            }],
            remark: String::new(),
        };
        Protocol::compile(&document, &NoScripts).unwrap()
    }

    #[test]
    fn a_number_of_two_bytes_is_signed_and_multiplied_first() {
        assert_eq!(filled("060001%i%i", "10", 25.0).unwrap(), "06000100fa");
        assert_eq!(filled("060001%i%i", "1", 500.0).unwrap(), "06000101f4");
        assert_eq!(filled("060001%i%i", "1", -100.0).unwrap(), "060001ff9c");
        assert_eq!(filled("060001%i%i", "10", 25.3).unwrap(), "06000100fd");
    }

    #[test]
    fn a_number_of_any_length_has_whole_bytes_and_no_sign() {
        assert_eq!(filled("0500%i", "1", 10.0).unwrap(), "05000a");
        assert_eq!(filled("06000a%i", "1", 4096.0).unwrap(), "06000a1000");
        assert_eq!(filled("06000a%i", "1", 256.0).unwrap(), "06000a0100");
        assert!(matches!(filled("0500%i", "1", -1.0), Err(BadOperation::Value { .. })));
    }

    #[test]
    fn a_number_that_does_not_fit_is_not_written_in_part() {
        for (value, bl) in [(32_768.0, "1"), (-32_769.0, "1"), (25.04, "10"), (f64::NAN, "1"), (1e300, "1e300")] {
            assert!(filled("060001%i%i", bl, value).is_err(), "{value} x {bl}");
        }
        assert!(matches!(filled("060001%i%i", "ten", 1.0), Err(BadOperation::BadCoefficient(_))));
    }

    proptest! {
        #[test]
        fn no_template_and_no_number_bring_it_down(template in ".{0,30}", bl in ".{0,8}", value: f64) {
            let _ = filled(&format!("{template}%i"), &bl, value).map(|body| protocol(Line::Rs485, "0300000002").operation(1, &body));
        }

        #[test]
        fn every_number_of_two_bytes_is_written_and_proven_by_its_own_echo(number: i16, pid in 1..=247_u8) {
            let body = filled("060001%i%i", "1", f64::from(number)).unwrap();
            let made = protocol(Line::Rs485, "0300000002").operation(pid, &body).unwrap();
            let (told, instruction) = RtuInstruction::of_request(&made.content).unwrap();
            prop_assert_eq!(told, pid);
            let mut echo = vec![pid, 6, 0, 1];
            echo.extend(number.to_be_bytes());
            echo.extend(crate::frame::crc16_modbus(&echo).to_le_bytes());
            prop_assert!(instruction.verify(pid, &echo).is_ok());
        }
    }

    #[test]
    fn a_value_is_given_where_there_is_a_place_for_it_and_nowhere_else() {
        assert_eq!(operation("060001%i%i", "1").filled(None, &NoScripts), Err(BadOperation::NeedsValue));
        assert_eq!(filled("0600010001", "1", 1.0), Err(BadOperation::TakesNoValue));
        assert_eq!(operation(" SON ", "1").filled(None, &NoScripts).unwrap(), "SON");
    }

    #[test]
    fn on_a_485_line_an_operation_is_a_whole_frame() {
        let made = protocol(Line::Rs485, "0300000002").operation(1, "06000100fa").unwrap();
        assert_eq!((made.content.as_str(), made.proof), ("0106000100fa5849", Proof::Rtu));
        let wrong = protocol(Line::Rs485, "0300000002").operation(1, "2a00");
        assert!(matches!(wrong, Err(BadOperation::Instruction(_))));
    }

    #[test]
    fn on_a_232_line_an_operation_is_one_line_of_text() {
        let ups = protocol(Line::Rs232, "QGS");
        let made = ups.operation(0, "SON").unwrap();
        assert_eq!((made.content.as_str(), made.proof), ("SON", Proof::Text));
        for command in ["", "SON\rSOFF", "\u{7f}"] {
            assert!(matches!(ups.operation(0, command), Err(BadOperation::Command(_))), "{command:?}");
        }
    }
}
