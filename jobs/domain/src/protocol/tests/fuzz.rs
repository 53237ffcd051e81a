//! Bytes from outside, chosen by whoever fuzzes: those kept in `__fuzz__`, and on each run some new ones.

use std::sync::LazyLock;

use super::*;
use crate::{alarm::Rule, frame::RtuInstruction};

/// The first byte chooses a device, the second one of its instructions; the rest is what came back.
#[test]
fn replies() {
    static PROTOCOLS: LazyLock<[Protocol; 3]> = LazyLock::new(|| [th(), ups(), fixtures::every_type()]);
    bolero::check!(name = "replies").for_each(|input: &[u8]| {
        let [choice, pid, reply @ ..] = input else { return };
        let protocol = &PROTOCOLS[usize::from(*choice) % PROTOCOLS.len()];
        let contents = protocol.contents(*pid);
        let content = &contents[usize::from(*choice) / PROTOCOLS.len() % contents.len()];
        let parsed = protocol.read(*pid, &[Reply { content, bytes: reply }]);
        assert!(parsed.values.is_empty() || parsed.rejected.is_empty(), "read and rejected at once");
        let numbers = parsed.values.iter().filter_map(|value| match value.value {
            Datum::Number(number) => Some(number),
            _ => None,
        });
        assert!(numbers.into_iter().all(f64::is_finite), "a number that is none");
        let is_proven = protocol.line() == Line::Rs232 || crc16_modbus(reply) == 0;
        assert!(is_proven || parsed.values.is_empty(), "a value without a proof");
    });
}

/// A protocol or constants as somebody might import them. What compiles asks for something and reads anything.
#[test]
fn documents() {
    bolero::check!(name = "documents").for_each(|input: &[u8]| {
        if let Ok(document) = serde_json::from_slice::<ProtocolDocument>(input)
            && let Ok(protocol) = Protocol::compile(&document, &NoScripts)
        {
            let contents = protocol.contents(1);
            assert!(!contents.is_empty(), "a query that would kill a gateway");
            for content in &contents {
                let _ = protocol.read(1, &[Reply { content, bytes: input }]);
                let _ = protocol.read(1, &[Reply { content, bytes: &dressed(&protocol, 1, content, input) }]);
            }
        }
        if let Ok(constants) = serde_json::from_slice::<ConstantsDocument>(input)
            && let Ok(rules) = constants.rules()
        {
            assert!(rules.iter().all(|rule| Rule::check(rule).is_ok()), "a rule that can never be raised or never end");
        }
    });
}

/// The text of an instruction, as it stands in a document or in a command.
#[test]
fn instructions() {
    bolero::check!(name = "instructions").for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        if let Ok(instruction) = RtuInstruction::parse(&text) {
            let request = instruction.request(7);
            assert_eq!(RtuInstruction::of_request(&request), Ok((7, instruction)));
        }
        let _ = RtuInstruction::of_request(&text);
    });
}
