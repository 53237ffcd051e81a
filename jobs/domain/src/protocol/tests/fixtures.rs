//! Replies of 485 devices, and the value a physicist would stand for.

use super::*;

/// What is asked, how a field is written, what comes back and what it means.
struct Row {
    ask: &'static str,
    result_type: &'static str,
    regx: &'static str,
    bl: &'static str,
    reply: &'static str,
    means: Short,
}

fn row(
    ask: &'static str,
    result_type: &'static str,
    regx: &'static str,
    bl: &'static str,
    reply: &'static str,
    means: Short,
) -> Row {
    Row { ask, result_type, regx, bl, reply, means }
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    vec![
        row("0300000001", "hex",     "1-2",   "1",     "01 03 02 01f4",               number(500.0, "500")),
        row("0300000001", "hex",     "1-2",   "0.1",   "01 03 02 01f4",               number(50.0, "50")),
        row("0300000001", "hex",     "1-2",   "0.1",   "01 03 02 00ff",               number(25.5, "25.5")),
        row("0300000001", "hex",     "1-2",   "0.01",  "01 03 02 00c8",               number(2.0, "2")),
        row("0300000002", "hex",     "1-2",   "1",     "01 03 04 01f4 00c8",          number(500.0, "500")),
        row("0300000002", "hex",     "3-2",   "1",     "01 03 04 01f4 00c8",          number(200.0, "200")),
        row("0300000003", "short",   "1-2",   "0.1",   "01 03 06 01f4 00c8 03e8",     number(50.0, "50")),
        row("0300000003", "short",   "3-2",   "0.1",   "01 03 06 01f4 00c8 03e8",     number(20.0, "20")),
        row("0300000003", "short",   "5-2",   "0.1",   "01 03 06 01f4 00c8 03e8",     number(100.0, "100")),
        row("0300000001", "hex",     "1-2",   "0.1",   "01 03 02 ffce",               number(-5.0, "-5")),
        row("0300000001", "hex",     "1-2",   ".01",   "01 03 02 3039",               number(123.45, "123.45")),
        row("0300000001", "hex",     "1-2",   "0",     "01 03 02 01f4",               number(0.0, "0")),
        row("0300000001", "hex",     "1-1",   "1",     "01 03 02 80ff",               number(-128.0, "-128")),
        row("0300000001", "hex",     "2",     "1",     "01 03 02 8001",               number(1.0, "1")),
        row("0300000002", "hex",     "1-4-2", "1",     "01 03 04 01f4 00c8",          number(500.0, "500")),
        row("0300000003", "hex",     "1-6",   "1",     "01 03 06 ffff ffff fffe",     number(-2.0, "-2")),
        row("0300000003", "hex",     "1-6",   "1",     "01 03 06 7fff ffff ffff",     number(140_737_488_355_327.0, "140737488355327")),
        row("0300000001", "hex",     "3-2",   "1",     "01 03 02 01f4",               missing()),
        row("0300000001", "hex",     "2-2",   "1",     "01 03 02 01f4",               missing()),
        row("0300000001", "int",     "1-2",   "0.1",   "01 03 02 ffce",               number(-5.0, "-5")),
        row("0300000002", "HX",      "1-3",   "1",     "01 03 04 01f4 00c8",          text("01f400")),
        row("0300000001", "HX",      "1-4",   "1",     "01 03 02 01f4",               missing()),
        row("0300000001", "int16",   "1-2",   "1",     "01 03 02 ffce",               number(-50.0, "-50")),
        row("0300000001", "uint16",  "1-2",   "0.1",   "01 03 02 ffce",               number(6548.6, "6548.6")),
        row("0300000002", "int32",   "1-4",   "0.001", "01 03 04 ffff fc18",          number(-1.0, "-1")),
        row("0300000002", "uint32",  "1-4",   "1",     "01 03 04 ffff ffff",          number(4_294_967_295.0, "4294967295")),
        row("0300000004", "int64",   "1-8",   "1",     "01 03 08 ffff ffff ffff ffff", number(-1.0, "-1")),
        row("0300000004", "uint64",  "1-8",   "1",     "01 03 08 0000 0001 0000 0000", number(4_294_967_296.0, "4294967296")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 4248 0000",          number(50.0, "50")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 c248 0000",          number(-50.0, "-50")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 3f80 0000",          number(1.0, "1")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 3dcc cccd",          number(0.1, "0.1")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 bdcc cccd",          number(-0.1, "-0.1")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 435c 199a",          number(220.1, "220.1")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 4e6e 6b28",          number(1e9, "1000000000")),
        row("0300000002", "float",   "1-4",   "0.1",   "01 03 04 435c 199a",          number(22.01, "22.01")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 8000 0000",          number(0.0, "0")),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 7fc0 0000",          missing()),
        row("0300000002", "float",   "1-4",   "1",     "01 03 04 7f80 0000",          missing()),
        row("0300000004", "float64", "1-8",   "1",     "01 03 08 405b 8333 3333 3333", number(110.05, "110.05")),
        row("0100000003", "bit2",    "1-1",   "1",     "01 01 01 05",                 number(1.0, "1")),
        row("0100000003", "bit2",    "2-1",   "1",     "01 01 01 05",                 number(0.0, "0")),
        row("0100000003", "bit2",    "3-1",   "",      "01 01 01 05",                 number(1.0, "1")),
        row("020000000a", "bit2",    "10-1",  "1",     "01 02 02 0002",               number(1.0, "1")),
        row("0100000003", "bit2",    "9-1",   "1",     "01 01 01 05",                 missing()),
        row("0300000003", "utf8",    "1-6",   "1",     "01 03 06 5550 5331 3000",     text("UPS10")),
        row("0300000001", "utf8",    "1-2",   "1",     "01 03 02 fffe",               missing()),
        row("0300000001", "utf8",    "1-4",   "1",     "01 03 02 4142",               missing()),
        row("0400000001", "hex",     "1-2",   "1",     "01 04 02 0001",               number(1.0, "1")),
    ]
}

/// Numbers whose bytes come in another order, and raw values that mean nothing.
#[test]
fn a_number_is_the_same_in_every_order_its_device_may_send_it() {
    let read = |result_type: &str, extra: serde_json::Value, reply: &str| {
        let count = (framed(reply).len() - 5) / 2;
        let mut field = json!({"name": "f", "regx": format!("1-{}", count * 2), "bl": "1"});
        field.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let instruct = json!({"name": format!("030000{count:04x}"), "resultType": result_type, "formResize": [field]});
        let protocol = compile(json!({"Type": 485, "Protocol": "p", "instruct": [instruct]})).unwrap();
        let reply = framed(reply);
        short(&protocol.read(1, &[Reply { content: &protocol.contents(1)[0], bytes: &reply }]).values)
    };
    for (order, int32, float) in [
        ("ABCD", "01 03 04 0001 e240", "01 03 04 435c 199a"),
        ("CDAB", "01 03 04 e240 0001", "01 03 04 199a 435c"),
        ("BADC", "01 03 04 0100 40e2", "01 03 04 5c43 9a19"),
        ("DCBA", "01 03 04 40e2 0100", "01 03 04 9a19 5c43"),
    ] {
        assert_eq!(read("int32", json!({ "order": order }), int32), [number(123_456.0, "123456")], "{order}");
        assert_eq!(read("float", json!({ "order": order }), float), [number(220.1, "220.1")], "{order}");
    }
    let swapped = read("uint64", json!({"order": "CDAB"}), "01 03 08 0000 0000 0001 0000");
    assert_eq!(swapped, [number(4_294_967_296.0, "4294967296")]);
    assert_eq!(read("int16", json!({"order": "DCBA"}), "01 03 02 f401"), [number(500.0, "500")]);
    assert_eq!(read("bcd", json!({}), "01 03 04 0123 4567"), [number(1_234_567.0, "1234567")]);
    assert_eq!(read("bcd", json!({"order": "CDAB"}), "01 03 04 4567 0123"), [number(1_234_567.0, "1234567")]);
    assert_eq!(read("bcd", json!({}), "01 03 02 12a4"), [missing()]);
    for no_value in [json!(["0x7fff", "0x8000"]), json!([-32768])] {
        assert_eq!(read("int16", json!({ "noValue": no_value }), "01 03 02 8000"), [missing()]);
        assert_eq!(read("int16", json!({ "noValue": no_value }), "01 03 02 8001"), [number(-32_767.0, "-32767")]);
    }
}

fn read(row: &Row, unit: &str, is_state: bool) -> Vec<Value> {
    let field = json!({"name": "f", "regx": row.regx, "bl": row.bl, "unit": unit, "isState": is_state});
    let instruct = json!({"name": row.ask, "resultType": row.result_type, "formResize": [field]});
    let protocol = compile(json!({"Type": 485, "Protocol": "p", "instruct": [instruct]})).unwrap();
    let reply = Reply { content: &protocol.contents(1)[0], bytes: &framed(row.reply) };
    let parsed = protocol.read(1, &[reply]);
    assert_eq!(parsed.rejected, [], "{} {}", row.reply, row.result_type);
    parsed.values
}

#[test]
fn every_reply_means_what_a_physicist_would_stand_for() {
    for row in rows() {
        let values = short(&read(&row, "V", false));
        assert_eq!(values, [row.means], "{} as {} at {} × {}", row.reply, row.result_type, row.regx, row.bl);
    }
}

#[test]
fn a_state_is_shown_as_its_word() {
    let state = |raw, quality, display: &str| {
        let row = row("0300000001", "hex", "1-2", "1", raw, missing());
        let values = read(&row, "{0:离线,1:在线}", true);
        assert_eq!((values[0].quality, values[0].display.as_str(), values[0].unit.as_str()), (quality, display, ""));
        values[0].value.clone()
    };
    assert_eq!(state("01 03 02 0001", Quality::Good, "在线"), Datum::Number(1.0));
    assert_eq!(state("01 03 02 0000", Quality::Good, "离线"), Datum::Number(0.0));
    assert_eq!(state("01 03 02 0007", Quality::Uncertain, "7"), Datum::Number(7.0));
}

#[test]
fn shift_and_pop_count_from_the_ends_of_the_whole_frame() {
    let field = json!({"name": "f", "regx": "1-2", "bl": "1"});
    let read = |shift: usize, pop: usize| {
        let instruct = json!({"name": "0300000002", "resultType": "hex", "shift": true, "shiftNum": shift,
            "pop": true, "popNum": pop, "formResize": [field]});
        let protocol = compile(json!({"Type": 485, "Protocol": "p", "instruct": [instruct]})).unwrap();
        let reply = Reply { content: &protocol.contents(1)[0], bytes: &framed("01 03 04 01f4 00c8") };
        short(&protocol.read(1, &[reply]).values)
    };
    assert_eq!(read(3, 2), [number(500.0, "500")]);
    assert_eq!(read(5, 2), [number(200.0, "200")]);
    assert_eq!(read(5, 4), [missing()]);
    assert_eq!(read(100, 100), [missing()]);
}

/// A protocol with a field of every type.
pub(super) fn every_type() -> Protocol {
    let instructs: Vec<_> = (rows().iter().enumerate())
        .map(|(index, row)| {
            // Each starts at a register of its own, so that no instruction stands twice.
            let ask = format!("{}{index:04x}{}", &row.ask[..2], &row.ask[6..]);
            let field = json!({"name": "f", "regx": row.regx, "bl": row.bl});
            json!({"name": ask, "resultType": row.result_type, "formResize": [field]})
        })
        .collect();
    compile(json!({"Type": 485, "Protocol": "p", "instruct": instructs})).unwrap()
}
