use domain::{
    protocol::{Parsed, Protocol, ProtocolError, Reply},
    reading::{Datum, Quality},
    script::{Answer, Argument},
};
use serde_json::json;

use super::*;

fn call(source: &str, arguments: &[Argument<'_>]) -> Result<Answer, String> {
    let sandbox = JavaScript.sandbox().unwrap();
    let function = sandbox.define(source).map_err(|bad| bad.to_string())?;
    sandbox.call(function, arguments).map_err(|failed| failed.to_string())
}

fn protocol(result_type: &str, fields: &serde_json::Value) -> Result<Protocol, ProtocolError> {
    let instruct = json!({"name": "0300000002", "resultType": result_type, "formResize": fields});
    let document = json!({"Type": 485, "Protocol": "p", "instruct": [instruct]});
    Protocol::compile(&serde_json::from_value(document).unwrap(), &JavaScript)
}

/// What an expression makes of the raw number in the first register.
fn value(expression: &str, register: u16) -> (Datum, Quality) {
    let parsed = parsed(expression, register);
    (parsed.values[0].value.clone(), parsed.values[0].quality)
}

fn parsed(expression: &str, register: u16) -> Parsed {
    let protocol = protocol("hex", &json!([{"name": "f", "regx": "1-2", "bl": expression}])).unwrap();
    let mut frame = vec![1, 3, 4];
    frame.extend(register.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(domain::frame::crc16_modbus(&frame).to_le_bytes());
    let content = &protocol.contents(1)[0];
    let parsed = protocol.read(1, &[Reply { content, bytes: &frame }]);
    assert_eq!(parsed.rejected, []);
    parsed
}

#[test]
fn the_expressions_that_are_in_use_give_what_their_writers_meant() {
    let bits = |index: u8| format!("(a,a.toString(2).padStart(16,'0').slice({index},{}))", index + 1);
    for (expression, register, expected) in [
        ("(a,a/2-20)".to_owned(), 90, 25.0),
        ("(a,a/2-20)".to_owned(), 100, 30.0),
        ("(a,a*0.1)".to_owned(), 255, 25.5),
        ("(x, Math.round(x / 3))".to_owned(), 10, 3.0),
        ("(a,a>100?1:0)".to_owned(), 101, 1.0),
        ("(a,a===1)".to_owned(), 1, 1.0),
        (bits(0), 0x4001, 0.0),
        (bits(1), 0x4001, 1.0),
        (bits(15), 0x4001, 1.0),
    ] {
        assert_eq!(value(&expression, register), (Datum::Number(expected), Quality::Good), "{expression}");
    }
    assert_eq!(value("(a,'mode '+a)", 3), (Datum::Text("mode 3".to_owned()), Quality::Good));
}

#[test]
fn an_expression_that_comes_to_nothing_costs_its_value_alone() {
    for expression in [
        "(a,a/0)",
        "(a,nonsense)",
        "(a,undefined)",
        "(a,[a])",
        "(a,(()=>{while(true){}})())",
        "(a,(function f(){return f()})())",
    ] {
        assert_eq!(value(expression, 7), (Datum::None, Quality::Bad), "{expression}");
        assert_eq!(parsed(expression, 7).programs_failed, 1, "{expression} is not counted");
    }
    assert_eq!(parsed("(a,a*2)", 7).programs_failed, 0);
    let fields = json!([{"name": "bad", "regx": "1-2", "bl": "(a,a.b.c)"}, {"name": "good", "regx": "3-2", "bl": "1"}]);
    let protocol = protocol("hex", &fields).unwrap();
    let frame = [1, 3, 4, 1, 0xf4, 0, 0xc8, 0xbb, 0xab];
    let read = protocol.read(1, &[Reply { content: &protocol.contents(1)[0], bytes: &frame }]);
    assert_eq!((&read.values[0].value, &read.values[1].value), (&Datum::None, &Datum::Number(200.0)));
}

#[test]
fn a_document_with_a_wrong_program_is_refused_with_its_place() {
    for (expression, why) in [
        ("(a,a/)", "unexpected token"),
        ("(a", "it has the form (a,a/2-20)"),
        ("(1,2)", "before its first comma stands a name"),
        ("(a,1)}; function b() {return (2)", "cannot be used"),
    ] {
        let refused = protocol("hex", &json!([{"name": "f", "regx": "1-2", "bl": expression}])).unwrap_err();
        assert_eq!(refused.place, "instruct[0].formResize[0].bl");
        assert!(refused.to_string().contains(why), "{expression}: {refused}");
    }
}

#[test]
fn a_program_sees_no_clock_no_chance_and_nothing_of_the_machine() {
    for name in ["Date", "Promise", "require", "process", "std", "os", "fetch", "console", "performance", "Math.random"]
    {
        assert_eq!(
            call(&format!("function () {{ return typeof {name} }}"), &[]),
            Ok(Answer::Text("undefined".to_owned()))
        );
    }
}

#[test]
fn a_program_that_is_stopped_leaves_its_engine_in_order() {
    let sandbox = JavaScript.sandbox().unwrap();
    let greedy = [
        "function () { let all = []; while (true) all.push('x'.repeat(1000) + all.length) }",
        "function () { for (;;); }",
        "function f() { return f() + 1 }",
        "function () { throw 'no' }",
        "function () { return /(a+)+$/.test('a'.repeat(40) + 'b') }",
    ];
    let good = sandbox.define("function (bytes) { return bytes[1] }").unwrap();
    for source in greedy {
        let function = sandbox.define(source).unwrap();
        assert!(sandbox.call(function, &[]).is_err(), "{source}");
        assert_eq!(sandbox.call(good, &[Argument::Bytes(&[7, 8])]), Ok(Answer::Number(8.0)), "after {source}");
    }
}

#[test]
fn what_a_program_keeps_is_its_own_protocols() {
    let (one, other) = (JavaScript.sandbox().unwrap(), JavaScript.sandbox().unwrap());
    let spoil = one.define("function () { Math.round = () => 0; kept = 7; return Math.round(9) }").unwrap();
    assert_eq!(one.call(spoil, &[]), Ok(Answer::Number(0.0)));
    let look = other.define("function () { return Math.round(9) + (typeof kept) }").unwrap();
    assert_eq!(other.call(look, &[]), Ok(Answer::Text("9undefined".to_owned())));
}

/// A device that speaks neither Modbus nor text: a head, its address, a command, a sum.
fn scripted(start: &str, end: &str) -> Result<Protocol, ProtocolError> {
    let fields = json!([{"name": "t", "regx": "1-2", "bl": "0.1"}]);
    let instruct = json!({"name": "42", "resultType": "hex", "noStandard": true, "scriptStart": start, "scriptEnd": end,
        "shift": true, "shiftNum": 3, "pop": true, "popNum": 1, "formResize": fields});
    let document = json!({"Type": 485, "Protocol": "p", "instruct": [instruct]});
    Protocol::compile(&serde_json::from_value(document).unwrap(), &JavaScript)
}

const START: &str = "function (pid, instruct) {
    var bytes = [0xAA, pid, parseInt(instruct, 16)];
    bytes.push(bytes.reduce(function (a, b) { return a + b }) & 255);
    return bytes.map(function (b) { return b.toString(16).padStart(2, '0') }).join('')
}";
const END: &str = "function (content, arr) {
    var sum = arr.slice(0, -1).reduce(function (a, b) { return a + b }, 0) & 255;
    return arr[1] === parseInt(content.slice(2, 4), 16) && sum === arr[arr.length - 1]
}";

#[test]
fn a_device_of_no_standard_is_asked_and_proven_by_its_scripts() {
    let protocol = scripted(START, END).unwrap();
    let content = &protocol.contents(5)[0];
    assert_eq!(content, "aa0542f1");
    let mut reply = vec![0xaa, 5, 0x42, 0x01, 0x02];
    reply.push(reply.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    let parsed = protocol.read(5, &[Reply { content, bytes: &reply }]);
    assert_eq!(parsed.values[0].value, Datum::Number(25.8));
    reply[3] ^= 1;
    let parsed = protocol.read(5, &[Reply { content, bytes: &reply }]);
    assert_eq!(parsed.rejected[0].1.kind(), "script_refused");
}

#[test]
fn a_script_that_fails_costs_its_reading_and_is_counted() {
    for end in ["function () { throw new Error('no') }", "function () { while (true) {} }"] {
        let protocol = scripted(START, end).unwrap();
        let content = &protocol.contents(5)[0];
        let parsed = protocol.read(5, &[Reply { content, bytes: &[1, 2, 3] }]);
        assert_eq!((parsed.values.len(), parsed.rejected[0].1.kind()), (0, "script_failed"));
    }
}

#[test]
fn scripts_that_cannot_work_are_refused_when_the_document_comes() {
    for (start, end, place, why) in [
        ("function (", END, "instruct[0].scriptStart", "cannot be used"),
        ("7", END, "instruct[0].scriptStart", "it is not a function"),
        ("function () { return 'xyz' }", END, "instruct[0].scriptStart", "no pairs of hex digits"),
        ("function () { throw new Error('not ready') }", END, "instruct[0].scriptStart", "not ready"),
        (START, "", "instruct[0].scriptEnd", "needs a script that proves its reply"),
    ] {
        let refused = scripted(start, end).unwrap_err();
        assert_eq!(refused.place, place);
        assert!(refused.to_string().contains(why), "{refused}");
    }
}
