//! Whatever JSON somebody may send.

use proptest::prelude::*;
use serde_json::Value;

/// Any JSON, some of it near to what we understand: macs, placeholders, buffers.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        "[a-zA-Z_]{0,6}",
        prop_oneof![
            Just("mac"),
            Just("type"),
            Just("data"),
            Just("ok"),
            Just("upserted"),
            Just("_placeholder"),
            Just("num")
        ]
        .prop_map(str::to_owned),
    ];
    let text = prop_oneof![".{0,20}", "[0-9A-Fa-f]{12}", Just("Buffer".to_owned()), "[0-9],.{0,10}\r\n"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (0..300_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
