//! Documents that cannot be used, and what their users are told.

use super::*;

fn refusal(document: serde_json::Value) -> String {
    compile(document).unwrap_err().to_string()
}

/// A good 485 protocol with one thing changed by its JSON pointer.
fn changed(pointer: &str, value: serde_json::Value) -> serde_json::Value {
    let mut document = json!({
        "Type": 485, "Protocol": "p",
        "instruct": [
            {"name": "0300000001", "isUse": false},
            {"name": "0300010001", "resultType": "hex", "noStandard": false, "isUse": true, "formResize": [
                {"name": "a", "regx": "1-2", "bl": "1", "unit": "V", "isState": false},
            ]},
        ],
    });
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn a_refusal_names_the_place_and_what_to_do() {
    for (pointer, value, message) in [
        ("/Protocol", json!(" "), "Protocol: a name is missing"),
        ("/instruct/1/isUse", json!(false), "instruct: no instruction is in use: a protocol needs at least one"),
        ("/instruct", json!([]), "instruct: no instruction is in use: a protocol needs at least one"),
        (
            "/instruct/1/name",
            json!("QGS"),
            "instruct[1].name: an instruction is pairs of hex digits such as 0300000002, this is not: \"QGS\"",
        ),
        (
            "/instruct/1/resultType",
            json!("octal"),
            "instruct[1].resultType: \"octal\" is no result type of this line: use one of hex, short, int, HX, int16, uint16, int32, uint32, int64, uint64, bcd, float, float64, bit2, utf8",
        ),
        ("/instruct/1/formResize/0/name", json!(""), "instruct[1].formResize[0].name: a name is missing"),
        (
            "/instruct/1/formResize/0/regx",
            json!("0-2"),
            "instruct[1].formResize[0].regx: a place is start-length with numbers from 1, as in 1-2; this is not: \"0-2\"",
        ),
        (
            "/instruct/1/formResize/0/regx",
            json!("1-9"),
            "instruct[1].formResize[0].regx: an integer is read from 1 to 8 bytes, not from 9",
        ),
        (
            "/instruct/1/formResize/0/bl",
            json!(""),
            "instruct[1].formResize[0].bl: the coefficient is missing: write 1 for the value as it is",
        ),
        (
            "/instruct/1/formResize/0/bl",
            json!("(a,a/2-20)"),
            "instruct[1].formResize[0].bl: the expression \"(a,a/2-20)\" cannot be used: there is nothing here that runs scripts",
        ),
        (
            "/instruct/1/formResize/0/isState",
            json!(true),
            "instruct[1].formResize[0].unit: a state needs its words in the unit, as in {0:off,1:on}; this is not that: \"V\"",
        ),
    ] {
        assert_eq!(refusal(changed(pointer, value)), message);
    }
}

#[test]
fn a_number_narrower_or_wider_than_its_type_is_refused() {
    for (result_type, regx) in
        [("float", "1-2"), ("float64", "1-4"), ("int16", "1-4"), ("uint32", "1-2"), ("int64", "1-4")]
    {
        let mut document = changed("/instruct/1/resultType", json!(result_type));
        document["instruct"][1]["formResize"][0]["regx"] = json!(regx);
        assert!(refusal(document).starts_with("instruct[1].formResize[0].regx: a"), "{result_type}");
    }
}

#[test]
fn an_instruction_that_stands_twice_is_refused() {
    let twice = changed("/instruct/0", json!({"name": "0300010001", "resultType": "float"}));
    assert_eq!(refusal(twice), "instruct: \"010300010001d5ca\" stands here twice: keep one of them");
}

#[test]
fn a_text_line_refuses_what_it_cannot_say() {
    let refusal = |instruct| refusal(json!({"Type": 232, "Protocol": "p", "instruct": [instruct]}));
    let hex = json!({"name": "QGS", "resultType": "hex"});
    assert_eq!(refusal(hex), "instruct[0].resultType: \"hex\" is no result type of this line: use one of utf8");
    for name in ["", "QGS\rQ1"] {
        assert!(refusal(json!({"name": name})).starts_with("instruct[0].name: a command is one line of text"));
    }
}

#[test]
fn an_order_and_raw_values_that_mean_nothing_are_for_numbers() {
    let field = |field: serde_json::Value, result_type: &str| {
        let instruct = json!({"name": "0300000002", "resultType": result_type, "formResize": [field]});
        refusal(json!({"Type": 485, "Protocol": "p", "instruct": [instruct]}))
    };
    let order = field(json!({"name": "a", "regx": "1-4", "order": "ACBD"}), "int32");
    assert_eq!(
        order,
        "instruct[0].formResize[0].order: \"ACBD\" is no order of bytes: use one of ABCD, CDAB, BADC, DCBA"
    );
    let odd = field(json!({"name": "a", "regx": "1-3", "order": "CDAB"}), "hex");
    let text = field(json!({"name": "a", "regx": "1-4", "order": "CDAB"}), "utf8");
    assert!(odd.contains("order: only ABCD and DCBA are orders of 3 bytes"), "{odd}");
    assert!(text.contains("order: this is for numbers read from bytes"), "{text}");
    let bit = field(json!({"name": "a", "regx": "1-1", "noValue": ["1"]}), "bit2");
    assert!(bit.contains("noValue: this is for numbers read from bytes"), "{bit}");
    let sentinel = field(json!({"name": "a", "regx": "1-4", "noValue": ["never"]}), "int32");
    assert!(sentinel.contains("noValue: a raw value that means nothing is a number or bits"), "{sentinel}");
}
