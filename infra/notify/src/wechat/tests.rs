use serde_json::json;

use super::*;
use crate::facts::Facts;
use jobs::ports::{Address, Forms};

fn filled(alarm: &Value) -> Value {
    let address = Address::WeChat { to: String::new() };
    let (subject, text) = ("Test".to_owned(), "This is a test.\n".to_owned());
    let letter = Letter {
        id: "n1".to_owned(),
        address,
        subject,
        text,
        data: json!({ "alarm": alarm }),
        forms: Forms::default(),
    };
    assert_eq!(Facts::of(&letter).is_some(), !letter.data["alarm"].is_null());
    template::fill(&letter, &TimeZone::UTC, Timestamp(0)).message("o1", "t1", Some("wx1"))
}

fn alarm(kind: &str, state: &str) -> Value {
    json!({ "kind": kind, "state": state, "at": 784_080_277_000_i64, "name": "Cold store", "mac": "98D863CC870D",
        "pid": 1, "model": "TH-10", "details": ["temperature 40 ℃, limits 10 ~ 30", "humidity 90 %"], "count": 1, "places": [] })
}

#[test]
fn of_several_places_each_is_named_with_what_was_seen_and_what_is_not_named_is_counted() {
    let mut alarm = alarm("argument", "raised");
    let places = json!([
        { "name": "Cold store", "details": ["temperature 40 ℃, limits 10 ~ 30"] },
        { "name": "Hall", "over": true, "details": ["link seen again"], "words": ["连接已恢复"] },
    ]);
    let group = json!({ "mac": "-", "pid": null, "model": null, "count": 5, "places": places });
    alarm.as_object_mut().unwrap().extend(group.as_object().unwrap().clone());
    let data = filled(&alarm)["data"].clone();
    assert_eq!(data["first"]["value"], "[ Cold store等5处 ] 运行异常");
    assert_eq!(data["device"]["value"], "Cold store等5处");
    assert_eq!(
        data["remark"]["value"],
        "Cold store: temperature 40 ℃ ,参考值: [ 10~30]\nHall: 已恢复, 连接已恢复\n… +3"
    );
}

#[test]
fn a_message_has_the_fields_of_the_template_in_their_colours() {
    assert_eq!(
        filled(&alarm("argument", "raised")),
        json!({
            "touser": "o1",
            "template_id": "t1",
            "miniprogram": { "appid": "wx1", "pagepath": "/pages/index/alarm/alarm" },
            "data": {
                "first": { "value": "[ 98D863CC870D-TH-10 ] 运行异常", "color": "#F56C6C" },
                "device": { "value": "Cold store / 1 TH-10", "color": "#173177" },
                "time": { "value": "11-6 0:4:37", "color": "#173177" },
                "remark": { "value": "temperature 40 ℃ ,参考值: [ 10~30]\nhumidity 90 %", "color": "#F56C6C" },
            },
        })
    );
}

#[test]
fn each_kind_of_alarm_and_recovery_begins_as_people_know_it() {
    for (kind, state, first, colour) in [
        ("timeout", "raised", "设备[98D863CC870D/TH-10]连接超时,请检查设备 TH-10 连接状态", "#F56C6C"),
        ("argument", "cleared", "[ 98D863CC870D-TH-10 ] 运行恢复", "#67C23A"),
        ("offline", "cleared", "[ 98D863CC870D ] 已上线", "#67C23A"),
    ] {
        let told = filled(&alarm(kind, state))["data"]["first"].clone();
        assert_eq!(told, json!({ "value": first, "color": colour }));
    }
    assert_eq!(filled(&Value::Null)["data"]["first"]["value"], "Test");
}

#[test]
fn what_nothing_watches_for_any_more_is_not_told_as_well() {
    let mut alarm = alarm("argument", "cleared");
    alarm["unwatched"] = json!(true);
    let told = filled(&alarm)["data"]["first"].clone();
    assert_eq!(told, json!({ "value": "[ Cold store ] 不再监视", "color": "#173177" }));
    alarm["unwatched"] = json!(false);
    assert_eq!(filled(&alarm)["data"]["first"]["color"], "#67C23A");
}
