use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    frame::crc16_modbus,
    reading::{Datum, Quality},
    script::NoScripts,
};

mod fixtures;
mod fuzz;
mod refusals;
mod texts;

const TH_MODBUS: &str = include_str!("../../../../tests/fixtures/th-modbus.protocol.json");
const UPS_TEXT: &str = include_str!("../../../../tests/fixtures/ups-text.protocol.json");
const TH_CONSTANTS: &str = include_str!("../../../../tests/fixtures/th-modbus.constants.json");

fn document(json: &str) -> ProtocolDocument {
    serde_json::from_str(json).unwrap()
}

fn compile(document: serde_json::Value) -> Result<Protocol, ProtocolError> {
    Protocol::compile(&serde_json::from_value(document).unwrap(), &NoScripts)
}

fn th() -> Protocol {
    Protocol::compile(&document(TH_MODBUS), &NoScripts).unwrap()
}

fn ups() -> Protocol {
    Protocol::compile(&document(UPS_TEXT), &NoScripts).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// A frame with its CRC.
fn framed(hex: &str) -> Vec<u8> {
    let mut frame = bytes(hex);
    frame.extend_from_slice(&crc16_modbus(&frame).to_le_bytes());
    frame
}

/// A value in short: machine form, what a person is shown, quality.
type Short = (Datum, String, Quality);

fn short(values: &[Value]) -> Vec<Short> {
    values.iter().map(|value| (value.value.clone(), value.display.clone(), value.quality)).collect()
}

fn number(number: f64, display: &str) -> Short {
    (Datum::Number(number), display.to_owned(), Quality::Good)
}

fn text(text: &str) -> Short {
    (Datum::Text(text.to_owned()), text.to_owned(), Quality::Good)
}

fn missing() -> Short {
    (Datum::None, String::new(), Quality::Bad)
}

#[test]
fn a_sensor_is_asked_and_read() {
    let th = th();
    assert_eq!(
        (th.name(), th.line(), th.line().code(), th.instructions_in_use()),
        ("温湿度传感器", Line::Rs485, 485, 2)
    );
    assert_eq!(th.contents(1), ["010300000002c40b", "010300020001 25ca".replace(' ', "").as_str()]);
    let replies = [(1, framed("01 03 02 00 01")), (0, framed("01 03 04 01 02 02 0d"))];
    let contents = th.contents(1);
    let replies: Vec<Reply<'_>> =
        replies.iter().map(|(index, bytes)| Reply { content: &contents[*index], bytes }).collect();
    let parsed = th.read(1, &replies);
    assert_eq!(parsed.rejected, []);
    let value = |name: &str, number, display: &str, unit: &str| Value {
        name: name.into(),
        value: Datum::Number(number),
        display: display.into(),
        unit: unit.into(),
        quality: Quality::Good,
    };
    let expected = [
        value("temperature", 25.8, "25.8", "℃"),
        value("humidity", 52.5, "52.5", "%"),
        value("runState", 1.0, "运行", ""),
    ];
    assert_eq!(parsed.values, expected, "in the protocol's order, whatever the order of the replies");
}

#[test]
fn what_a_sensor_did_not_prove_is_rejected_and_the_rest_is_read() {
    let th = th();
    let mine = th.contents(1);
    let foreign = th.contents(2);
    let good = framed("01 03 02 00 00");
    let replies = [
        Reply { content: &mine[0], bytes: &framed("02 03 04 01 02 02 0d") },
        Reply { content: &mine[1].to_uppercase(), bytes: &good },
        Reply { content: &foreign[0], bytes: &good },
        Reply { content: "QGS", bytes: b"(1\r" },
    ];
    let parsed = th.read(1, &replies);
    assert_eq!(short(&parsed.values), [(Datum::Number(0.0), "停止".to_owned(), Quality::Good)]);
    let rejected: Vec<_> = parsed.rejected.iter().map(|(content, why)| (content.as_str(), why.kind())).collect();
    assert_eq!(
        rejected,
        [(mine[0].as_str(), "foreign"), (foreign[0].as_str(), "unknown_instruction"), ("QGS", "unknown_instruction")]
    );
}

#[test]
fn documents_go_out_as_they_came_in() {
    for json in [TH_MODBUS, UPS_TEXT] {
        let before: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(document(json)).unwrap(), before);
    }
}

#[test]
fn a_document_needs_only_what_has_no_default() {
    let sparse = json!({
        "_id": "5e7", "Type": 485, "Protocol": "p", "version": 3,
        "instruct": [{
            "name": "0300000001", "resultType": "hex", "scriptStart": null, "splitStr": null,
            "formResize": [{"name": "a", "regx": "1-2", "bl": 0.1, "unit": null}],
        }],
    });
    let protocol = compile(sparse).unwrap();
    let content = &protocol.contents(1)[0];
    let parsed = protocol.read(1, &[Reply { content, bytes: &bytes("01030201f4b853") }]);
    assert_eq!(short(&parsed.values), [number(50.0, "50")]);
}

#[test]
fn a_line_of_another_type_is_refused() {
    let error = serde_json::from_value::<ProtocolDocument>(json!({"Type": 422, "Protocol": "p"})).unwrap_err();
    assert_eq!(error.to_string(), "a line's type is 485 or 232, not 422");
}

#[test]
fn constants_become_rules() {
    use crate::alarm::{Condition, Severity};

    let constants: ConstantsDocument = serde_json::from_str(TH_CONSTANTS).unwrap();
    let rules = constants.rules().unwrap();
    assert_eq!(
        rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(),
        ["threshold:temperature", "state:runState"]
    );
    assert!(rules.iter().all(|rule| rule.severity == Severity::Warning && rule.on_delay.is_zero()));
    let outside = Condition::Outside { name: "temperature".into(), min: Some(10.0), max: Some(30.0), deadband: 1.0 };
    assert_eq!(rules[0].condition, outside);
    assert_eq!(rules[1].condition, Condition::NotIn { name: "runState".into(), normal: vec!["1".into()] });
}

#[test]
fn constants_that_cannot_be_watched_name_the_place() {
    let rules = |constants: serde_json::Value| {
        serde_json::from_value::<ConstantsDocument>(constants).unwrap().rules().map_err(|error| error.to_string())
    };
    let unwatched = json!({"Protocol": "p", "AlarmStat": [{"name": "s", "alarmStat": []}], "Threshold": null});
    assert_eq!(rules(unwatched), Ok(vec![]));
    let numbers = json!({"Protocol": "p", "AlarmStat": [{"name": "s", "value": 1, "alarmStat": [0, "1"]}]});
    assert_eq!(rules(numbers).unwrap().len(), 1);
    let reversed =
        json!({"Protocol": "p", "Threshold": [{"name": "a", "min": 1}, {"name": "t", "min": 30, "max": 10}]});
    let message = "Threshold[1]: the limits leave nothing between them: min must be less than max";
    assert_eq!(rules(reversed), Err(message.to_owned()));
    let twice = json!({"Protocol": "p", "Threshold": [{"name": "t", "min": 1}, {"name": "t", "max": 2}]});
    assert!(rules(twice).unwrap_err().contains("stands here twice"));
}

proptest! {
    #[test]
    fn arbitrary_replies_never_panic(pid: u8, reply in prop::collection::vec(any::<u8>(), 0..80), spoil: bool) {
        for protocol in [th(), ups(), fixtures::every_type()] {
            for content in protocol.contents(pid) {
                let framed = if spoil { reply.clone() } else { dressed(&protocol, pid, &content, &reply) };
                let parsed = protocol.read(pid, &[Reply { content: &content, bytes: &framed }]);
                prop_assert!(parsed.values.is_empty() || parsed.rejected.is_empty());
                for value in parsed.values {
                    prop_assert!(!matches!(value.value, Datum::Number(number) if !number.is_finite()));
                }
            }
        }
    }
}

/// Arbitrary bytes in a frame that verifies.
fn dressed(protocol: &Protocol, pid: Pid, content: &str, data: &[u8]) -> Vec<u8> {
    match protocol.line() {
        Line::Rs232 => {
            String::from_utf8_lossy(data).replace('\r', "").into_bytes().into_iter().chain([b'\r']).collect()
        }
        Line::Rs485 => {
            let request = bytes(content);
            let length = match request[1] {
                1 | 2 => usize::from(request[5]).div_ceil(8),
                _ => usize::from(request[5]) * 2,
            };
            let mut frame = vec![pid, request[1], u8::try_from(length).unwrap()];
            frame.extend(data.iter().copied().chain(std::iter::repeat(0)).take(length));
            frame.extend(crc16_modbus(&frame).to_le_bytes());
            frame
        }
    }
}

#[test]
fn what_answers_another_instruction_came_late() {
    let protocol = th();
    let contents = protocol.contents(1);
    let state = [&bytes("01 03 02 0001")[..], &crc16_modbus(&bytes("01 03 02 0001")).to_le_bytes()].concat();
    let parsed = protocol.read(1, &[Reply { content: &contents[0], bytes: &state }]);
    assert_eq!(parsed.rejected, [(contents[0].clone(), RejectedFrame::Late)]);
    let nobodys = [&bytes("01 04 02 0001")[..], &crc16_modbus(&bytes("01 04 02 0001")).to_le_bytes()].concat();
    let parsed = protocol.read(1, &[Reply { content: &contents[0], bytes: &nobodys }]);
    assert_eq!(parsed.rejected[0].1.kind(), "wrong_function");
}
