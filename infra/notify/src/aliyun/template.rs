//! Which template says a letter, and what it is filled with.

use domain::Timestamp;
use jiff::tz::TimeZone;
use jobs::ports::Letter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::facts::{Facts, Kind, State, UNWATCHED, told_time};

/// The most characters that a variable takes.
const MOST_CHARS: usize = 35;

/// That a value is as it should be again.
const OVER: &str = "恢复";

/// The codes of the approved templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SmsTemplates {
    /// Of a code to prove who one is: `code`.
    pub code: String,
    /// That a device answers no more, or again: `pid`, `devName`, `event`, `name`, `DTU`, `time`.
    pub device: String,
    /// That a terminal is away, or back: `name`, `DTU`, `time`, `remind`.
    pub terminal: String,
    /// That a value is not as it should be, or is again: `name`, `DTU`, `pid`, `devname`, `time`, `remind`.
    pub argument: String,
}

impl Default for SmsTemplates {
    fn default() -> Self {
        let [code, device, terminal, argument] =
            ["SMS_190275627", "SMS_200701321", "SMS_200691431", "SMS_200701342"].map(str::to_owned);
        Self { code, device, terminal, argument }
    }
}

/// The template's code and its variables.
pub(super) fn fill(letter: &Letter, templates: &SmsTemplates, zone: &TimeZone, now: Timestamp) -> (String, Value) {
    if let Some(code) = letter.data["code"].as_str() {
        return (templates.code.clone(), json!({ "code": code }));
    }
    let Some(facts) = Facts::of(letter) else {
        let said = letter.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("-");
        let parts =
            json!({ "name": cut(&letter.subject), "DTU": "-", "time": told_time(now, zone), "remind": cut(said) });
        return (templates.terminal.clone(), parts);
    };
    let (pid, model) = facts.device();
    let (name, dtu, model) = (name(&facts), cut(&facts.mac), cut(&model));
    let time = told_time(facts.at, zone);
    let is_over = facts.state == State::Cleared;
    let over = |well: &'static str| if facts.unwatched { UNWATCHED } else { well };
    match facts.kind {
        Kind::Timeout => {
            let event = if is_over { over(OVER) } else { "超时" };
            let parts = json!({ "pid": pid, "devName": model, "event": event, "name": name, "DTU": dtu, "time": time });
            (templates.device.clone(), parts)
        }
        Kind::Offline => {
            let remind = if is_over { over("恢复上线") } else { "离线" };
            (templates.terminal.clone(), json!({ "name": name, "DTU": dtu, "time": time, "remind": remind }))
        }
        Kind::Argument => {
            // That it is over stays, however much was seen: nothing else tells it from its beginning.
            let remind = match facts.remind() {
                _ if facts.unwatched => UNWATCHED.to_owned(),
                remind if is_over => format!("{}{OVER}", cut_to(&remind, MOST_CHARS - OVER.chars().count())),
                remind => remind,
            };
            let parts = json!({
                "name": name, "DTU": dtu, "pid": pid, "devname": model, "time": time, "remind": cut(&remind),
            });
            (templates.argument.clone(), parts)
        }
    }
}

/// What people call it. How many there are stays, however long the name is.
fn name(facts: &Facts) -> String {
    if !facts.is_of_several() {
        return cut(&facts.name);
    }
    let how_many = facts.how_many();
    format!("{}{how_many}", cut_to(&facts.name, MOST_CHARS - how_many.chars().count()))
}

/// As much as a variable takes, and never nothing.
fn cut(text: &str) -> String {
    cut_to(text, MOST_CHARS)
}

fn cut_to(text: &str, most: usize) -> String {
    match (text.trim(), text.char_indices().nth(most)) {
        ("", _) => "-".to_owned(),
        (text, None) => text.to_owned(),
        (text, Some(_)) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jobs::ports::{Address, Forms};

    use super::*;

    fn filled(data: Value) -> (String, Value) {
        let address = Address::Sms { to: String::new() };
        let (subject, text) = ("Test".to_owned(), "\nThis is a test.\n".to_owned());
        let letter = Letter { id: "n1".to_owned(), address, subject, text, data, forms: Forms::default() };
        fill(&letter, &SmsTemplates::default(), &TimeZone::UTC, Timestamp(0))
    }

    fn alarm(kind: &str, state: &str, details: &[&str]) -> Value {
        json!({ "alarm": { "kind": kind, "state": state, "at": 784_080_277_000_i64, "name": "Cold store",
            "mac": "98D863CC870D", "pid": 1, "model": "TH-10", "details": details, "count": 1, "places": [] } })
    }

    fn unwatched(kind: &str) -> Value {
        let mut data = alarm(kind, "cleared", &["the rule was removed"]);
        data["alarm"]["unwatched"] = json!(true);
        data
    }

    #[test]
    fn of_several_it_says_how_many_however_long_the_name_of_the_first_is() {
        for (name, expected) in
            [("Cold store", "Cold store等12处"), (&"长".repeat(40), &format!("{}…等12处", "长".repeat(30)))]
        {
            let mut data = alarm("offline", "raised", &["away", "away"]);
            let parts = json!({ "name": name, "mac": "-", "pid": null, "model": null, "count": 12 });
            data["alarm"].as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
            let (template, said) = filled(data);
            let expected = json!({ "name": expected, "DTU": "-", "time": "11-6 0:4:37", "remind": "离线" });
            assert_eq!((template.as_str(), said), ("SMS_200691431", expected));
        }
    }

    #[test]
    fn each_kind_of_alarm_has_its_template_and_its_variables() {
        let cases = [
            (json!({ "code": "123456" }), "SMS_190275627", json!({ "code": "123456" })),
            (
                alarm("timeout", "raised", &["11 queries missed"]),
                "SMS_200701321",
                json!({ "pid": "1", "devName": "TH-10", "event": "超时", "name": "Cold store", "DTU": "98D863CC870D",
                    "time": "11-6 0:4:37" }),
            ),
            (
                alarm("offline", "cleared", &["it is back"]),
                "SMS_200691431",
                json!({ "name": "Cold store", "DTU": "98D863CC870D", "time": "11-6 0:4:37", "remind": "恢复上线" }),
            ),
            (
                alarm("argument", "raised", &["temperature 40 ℃, limits 10 ~ 30"]),
                "SMS_200701342",
                json!({ "name": "Cold store", "DTU": "98D863CC870D", "pid": "1", "devname": "TH-10",
                    "time": "11-6 0:4:37", "remind": "temperature[40 ℃]" }),
            ),
            (
                unwatched("argument"),
                "SMS_200701342",
                json!({ "name": "Cold store", "DTU": "98D863CC870D", "pid": "1", "devname": "TH-10",
                    "time": "11-6 0:4:37", "remind": "不再监视" }),
            ),
            (
                unwatched("offline"),
                "SMS_200691431",
                json!({ "name": "Cold store", "DTU": "98D863CC870D", "time": "11-6 0:4:37", "remind": "不再监视" }),
            ),
            (
                Value::Null,
                "SMS_200691431",
                json!({ "name": "Test", "DTU": "-", "time": "1-1 0:0:0", "remind": "This is a test." }),
            ),
        ];
        for (data, template, variables) in cases {
            assert_eq!(filled(data), (template.to_owned(), variables));
        }
    }

    #[test]
    fn that_it_is_over_is_said_however_much_it_was() {
        let names = ["蓄电池电压", "市电输入", "旁路输出状态", "逆变器温度状态", "输出过载状态", "风扇状态"];
        for many in 2..=names.len() {
            let seen: Vec<String> = names[..many].iter().map(|name| format!("{name} 1, normal 0")).collect();
            let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
            let remind = |state| filled(alarm("argument", state, &seen)).1["remind"].as_str().unwrap().to_owned();
            let (raised, cleared) = (remind("raised"), remind("cleared"));
            assert!(cleared.ends_with("恢复") && cleared.chars().count() <= MOST_CHARS, "{cleared}");
            assert!(!raised.contains("恢复"), "{raised}");
        }
    }

    #[test]
    fn no_variable_is_longer_than_one_may_be() {
        let seen: Vec<String> = (0..40).map(|number| format!("x{number} 1, limits 0 ~ 1")).collect();
        let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
        let (_, variables) = filled(alarm("argument", "raised", &seen));
        assert_eq!(variables["remind"].as_str().map(|text| text.chars().count()), Some(MOST_CHARS));
    }
}
