//! Replies of 232 devices.

use super::*;

fn read(instruct: &serde_json::Value, reply: &[u8]) -> Result<Vec<Short>, &'static str> {
    let protocol = compile(json!({"Type": 232, "Protocol": "p", "instruct": [instruct]})).unwrap();
    let mut parsed = protocol.read(0, &[Reply { content: "QGS", bytes: reply }]);
    match parsed.rejected.pop() {
        Some((_, why)) => Err(why.kind()),
        None => Ok(short(&parsed.values)),
    }
}

fn words(places: &[&str]) -> serde_json::Value {
    let fields: Vec<_> = places.iter().map(|place| json!({"name": "f", "regx": place, "bl": "(a,a[0])"})).collect();
    json!({"name": "QGS", "resultType": "utf8", "shift": true, "shiftNum": 2, "pop": true, "formResize": fields})
}

#[test]
fn a_ups_is_asked_and_read() {
    let ups = ups();
    assert_eq!((ups.line().code(), ups.contents(0)), (232, vec!["QGS".to_owned()]));
    let reply = b"(220.1 50.0 219.8 50.0 002.3 012 378.6 380.2 109.1 ---.- 026.0 0000000100\r";
    let parsed = ups.read(0, &[Reply { content: "QGS", bytes: reply }]);
    assert_eq!(parsed.rejected, []);
    let expected = [
        number(220.1, "220.1"),
        number(50.0, "50"),
        number(219.8, "219.8"),
        number(50.0, "50"),
        number(2.3, "2.3"),
        number(12.0, "12"),
        number(378.6, "378.6"),
        number(380.2, "380.2"),
        number(109.1, "109.1"),
        missing(),
        number(26.0, "26"),
        text("0000000100"),
    ];
    assert_eq!(short(&parsed.values), expected);
    assert_eq!((parsed.values[0].name.as_str(), parsed.values[0].unit.as_str()), ("输入电压", "V"));
}

#[test]
fn words_are_split_where_the_document_says() {
    let spaces = words(&["1-1", "2-1"]);
    assert_eq!(read(&spaces, b"##25.5 60\r"), Ok(vec![number(25.5, "25.5"), number(60.0, "60")]));
    let mut commas = words(&["1-1", "2-1", "3-1"]);
    commas["splitStr"] = json!(",");
    let expected = vec![number(25.5, "25.5"), number(60.0, "60"), number(101.3, "101.3")];
    assert_eq!(read(&commas, b"##25.5,60,101.3\r"), Ok(expected));
}

#[test]
fn the_terminator_is_never_part_of_a_value() {
    let mut whole = words(&["2-1"]);
    whole["pop"] = json!(false);
    assert_eq!(read(&whole, b"##25.5 60\r"), Ok(vec![number(60.0, "60")]));
}

#[test]
fn hashes_are_dropped_and_characters_can_be_read_one_by_one() {
    let mut characters = words(&["1-1", "2-3", "9-1"]);
    characters["isSplit"] = json!(false);
    assert_eq!(read(&characters, b"##L#12.5\r"), Ok(vec![text("L"), number(12.0, "12"), missing()]));
}

#[test]
fn a_word_is_a_number_only_when_it_is_written_as_one() {
    for (word, means) in [
        ("025.0", number(25.0, "25")),
        ("-3", number(-3.0, "-3")),
        ("+.5", number(0.5, "0.5")),
        ("00000001", text("00000001")),
        ("0000001", number(1.0, "1")),
        ("nan", text("nan")),
        ("inf", text("inf")),
        ("1e5", text("1e5")),
        ("1.2.3", text("1.2.3")),
        ("OK", text("OK")),
        ("--", missing()),
        ("", missing()),
    ] {
        let reply = format!("##{word}\r");
        assert_eq!(read(&words(&["1-1"]), reply.as_bytes()), Ok(vec![means]), "{word}");
    }
}

#[test]
fn a_state_may_be_a_letter_or_a_row_of_flags() {
    let field = json!({"name": "f", "regx": "1-1", "unit": "{L:市电,B:电池,00000001:故障,01:一}", "isState": true});
    let instruct = json!({"name": "QGS", "shift": true, "formResize": [field]});
    let state = |reply: &[u8]| read(&instruct, reply).unwrap().remove(0);
    assert_eq!(state(b"(B\r"), (Datum::Text("B".into()), "电池".into(), Quality::Good));
    assert_eq!(state(b"(00000001\r"), (Datum::Text("00000001".into()), "故障".into(), Quality::Good));
    assert_eq!(state(b"(01\r"), (Datum::Number(1.0), "一".into(), Quality::Good));
    assert_eq!(state(b"(X\r"), (Datum::Text("X".into()), "X".into(), Quality::Uncertain));
}

#[test]
fn a_text_that_is_not_whole_or_lost_words_is_rejected() {
    for (reply, why) in [
        (&b""[..], "empty"),
        (b"##25.5 60", "no_terminator"),
        (b"##25.5\r60\r", "no_terminator"),
        (b"##25.5 \xff\r", "not_text"),
        (b"(NAK\r", "words"),
        (b"##25.560\r", "words"),
    ] {
        assert_eq!(read(&words(&["1-1", "2-1"]), reply), Err(why), "{reply:?}");
    }
}
