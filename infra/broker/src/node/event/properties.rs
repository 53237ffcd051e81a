use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Brought, NodeEvent, reply};
use crate::fakes::any_json;

const NAMES: [&str; 13] = [
    "register",
    "ready",
    "terminalOn",
    "terminalOff",
    "busy",
    "terminalMountDevTimeOut",
    "instructTimeOut",
    "deviceopratesuccess",
    "dtuopratesuccess",
    "result",
    "dtuState",
    "dtuHealth",
    "dtuAlert",
];

fn arguments() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(any_json(), 0..5)
}

fn attachments() -> impl Strategy<Value = Vec<Bytes>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from), 0..3)
}

proptest! {
    #[test]
    fn no_event_brings_a_reader_down(
        name in prop_oneof![prop::sample::select(&NAMES[..]).prop_map(str::to_owned), ".{0,20}"],
        arguments in arguments(),
        attachments in attachments(),
    ) {
        let _ = NodeEvent::read(&name, &arguments, &attachments);
    }

    #[test]
    fn surplus_arguments_change_nothing(mac in "[0-9A-Z]{12}", surplus in arguments()) {
        let bare = NodeEvent::read("terminalOff", &[json!(mac)], &[]);
        let more: Vec<Value> = [json!(mac)].into_iter().chain(surplus).collect();
        prop_assert!(bare.is_ok());
        prop_assert_eq!(NodeEvent::read("terminalOff", &more, &[]), bare);
    }

    #[test]
    fn every_good_mac_of_a_list_is_heard_whatever_stands_beside_it(macs in prop::collection::vec("[0-9A-Z]{12}", 0..9), junk in any::<i64>()) {
        let list: Vec<Value> = macs.iter().flat_map(|mac| [json!(mac), json!(junk)]).collect();
        let expected = macs.iter().map(|mac| mac.parse().unwrap()).collect();
        let heard = NodeEvent::read("terminalOn", &[Value::Array(list), json!(false)], &[]);
        prop_assert_eq!(heard, Ok(NodeEvent::TerminalsOn { macs: expected, strange: macs.len() }));
    }

    #[test]
    fn the_bytes_of_a_reply_arrive_as_they_are_in_every_form(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "[a-z0-9]{1,40}") {
        let attached = [Bytes::from(bytes.clone())];
        for upserted in [json!({ "_placeholder": true, "num": 0 }), json!({ "type": "Buffer", "data": bytes })] {
            let both = [json!(name), json!({ "ok": 1, "msg": "", "upserted": upserted })];
            let as_two = reply::read(&both, &attached).unwrap();
            let as_one = reply::read(&[Value::Array(both.to_vec())], &attached).unwrap();
            prop_assert_eq!(&as_two, &as_one);
            prop_assert_eq!(as_two.1.brought, Brought::Bytes(bytes.clone()));
            prop_assert_eq!(&as_two.0, &name);
        }
    }
}
