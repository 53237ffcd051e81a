use domain::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DtuInfo, NodeInfo, QueryData, read};
use crate::fakes::any_json;

fn answered(bytes: &[u8]) -> Value {
    json!({ "data": {
        "mac": "98D863CC870D", "type": 485, "mountDev": "dev", "protocol": "p", "pid": 1, "timeStamp": 5, "content": ["0103"],
        "Interval": 20000, "useTime": 1, "useBytes": 2, "time": "Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)",
        "contents": [{ "content": "0103", "buffer": { "type": "Buffer", "data": bytes }, "useTime": 1, "useByte": 2 }],
    } })
}

fn read_all(body: &[u8]) {
    let _ = read::<QueryData>(body).map(QueryData::into_answer);
    let _ = read::<DtuInfo>(body).map(DtuInfo::into_terminal_info);
    let _ = read::<NodeInfo>(body);
}

proptest! {
    #[test]
    fn no_body_brings_a_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200), json in any_json()) {
        read_all(&bytes);
        read_all(json.to_string().as_bytes());
        read_all(json!({ "data": json, "info": json, "node": json }).to_string().as_bytes());
    }

    #[test]
    fn a_good_body_with_one_field_of_any_kind_is_read_or_refused(
        field in prop::sample::select(vec!["mac", "pid", "protocol", "timeStamp", "content", "Interval", "useTime", "useBytes", "contents", "time"]),
        wrong in any_json(),
    ) {
        let mut body = answered(&[1, 3]);
        body["data"][field] = wrong;
        read_all(body.to_string().as_bytes());
    }

    #[test]
    fn a_body_that_is_cut_off_is_refused(at in any::<prop::sample::Index>()) {
        let body = answered(&[1, 3]).to_string();
        let cut = &body.as_bytes()[..at.index(body.len())];
        prop_assert!(read::<QueryData>(cut).is_err());
    }

    #[test]
    fn the_bytes_of_an_answer_arrive_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let answer = read::<QueryData>(answered(&bytes).to_string().as_bytes()).unwrap().into_answer().unwrap();
        prop_assert_eq!(&answer.replies[0].bytes, &bytes);
        prop_assert_eq!(answer.asked, Timestamp(5));
    }

    #[test]
    fn what_a_dtu_tells_keeps_no_line_end_and_no_number_in_front(model in "[ -~]{0,20}", ver in "[a-z0-9.]{1,10}") {
        let info = json!({ "info": { "mac": "98D863CC870D", "AT": true, "PID": format!("{model}\r\n"), "ver": format!("1,{ver}\r\n") } });
        let told = read::<DtuInfo>(info.to_string().as_bytes()).unwrap().into_terminal_info();
        prop_assert_eq!(told.ver, Some(ver));
        if let Some(model) = told.model {
            prop_assert_eq!(model.trim(), model.as_str());
        }
    }
}
