//! What a template message says.

use domain::{Timestamp, alarm::Sight};
use jiff::tz::TimeZone;
use jobs::ports::Letter;
use serde_json::{Value, json};

use crate::facts::{Facts, Kind, OVER, Place, State, UNWATCHED, told_time};

/// Something is wrong.
const RED: &str = "#F56C6C";
/// Something is well again.
const GREEN: &str = "#67C23A";
/// Neither.
const GREY: &str = "#173177";

/// The page of the mini program that shows alarms.
const PAGE: &str = "/pages/index/alarm/alarm";

/// The fields, and the colour of those that say how it stands.
pub(super) struct Filled {
    first: String,
    device: String,
    time: String,
    remark: String,
    colour: &'static str,
}

pub(super) fn fill(letter: &Letter, zone: &TimeZone, now: Timestamp) -> Filled {
    let Some(facts) = Facts::of(letter) else {
        let (first, remark) = (letter.subject.clone(), letter.text.trim().to_owned());
        return Filled { first, device: "-".to_owned(), time: told_time(now, zone), remark, colour: GREY };
    };
    let name = facts.called();
    let (pid, model) = facts.device();
    let first = first(&facts, &name, &model);
    let device = if facts.pid.is_some() { format!("{name} / {pid} {model}") } else { name.clone() };
    let remark = remark(&facts);
    let colour = match facts.state {
        State::Cleared if facts.unwatched => GREY,
        State::Cleared => GREEN,
        State::Raised => RED,
    };
    Filled { first, device, time: told_time(facts.at, zone), remark, colour }
}

/// How it begins, as people know it.
fn first(facts: &Facts, name: &str, model: &str) -> String {
    let (mac, is_over) = (&facts.mac, facts.state == State::Cleared);
    if facts.unwatched {
        return format!("[ {name} ] {UNWATCHED}");
    }
    if facts.is_of_several() {
        let how = match (facts.kind, is_over) {
            (Kind::Timeout, false) => "连接超时",
            (Kind::Timeout, true) => "连接恢复",
            (Kind::Offline, false) => "已离线",
            (Kind::Offline, true) => "已上线",
            (Kind::Argument, false) => "运行异常",
            (Kind::Argument, true) => "运行恢复",
        };
        return format!("[ {name} ] {how}");
    }
    match (facts.kind, is_over) {
        (Kind::Timeout, false) => format!("设备[{mac}/{model}]连接超时,请检查设备 {model} 连接状态"),
        (Kind::Timeout, true) => format!("设备[{mac}/{model}]连接恢复"),
        (Kind::Offline, false) => format!("[ {mac} ] 已离线"),
        (Kind::Offline, true) => format!("[ {mac} ] 已上线"),
        (Kind::Argument, false) => format!("[ {mac}-{model} ] 运行异常"),
        (Kind::Argument, true) => format!("[ {mac}-{model} ] 运行恢复"),
    }
}

/// What was seen, a line each; of several places with their names.
fn remark(facts: &Facts) -> String {
    let lines: Vec<String> = if facts.is_of_several() {
        // Where all of it is over, the head says so.
        let over = |place: &Place| if place.over && facts.state == State::Raised { OVER } else { "" };
        let named = |place: &Place| {
            let parts = [over(place).to_owned(), said(&place.details, &place.words, "; ")];
            let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            format!("{}: {}", place.name, parts.join(", "))
        };
        let more = facts.count.saturating_sub(facts.places.len());
        facts.places.iter().map(named).chain((more > 0).then(|| format!("… +{more}"))).collect()
    } else {
        vec![said(&facts.details, &facts.words, "\n")]
    };
    lines.join("\n")
}

fn said(details: &[String], words: &[String], between: &str) -> String {
    let said = details.iter().enumerate().map(|(at, detail)| reference(detail, words.get(at)));
    said.collect::<Vec<_>>().join(between)
}

/// `temperature 35.2 ℃ ,参考值: [ 10~30]`, of `temperature 35.2 ℃, limits 10 ~ 30`; anything else in its words.
fn reference(detail: &str, words: Option<&String>) -> String {
    let is_of_one = matches!(Sight::read(detail).as_slice(), [Sight::Value { .. }]);
    match detail.split_once(", limits ").filter(|_| is_of_one) {
        Some((seen, limits)) => format!("{seen} ,参考值: [ {}]", limits.replace(" ~ ", "~")),
        None => words.cloned().unwrap_or_else(|| detail.to_owned()),
    }
}

impl Filled {
    /// The message as WeChat takes it.
    pub(super) fn message(self, to: &str, template: &str, mini_program: Option<&str>) -> Value {
        let Self { first, device, time, remark, colour } = self;
        let field = |value: String, colour: &str| json!({ "value": value, "color": colour });
        let mut message = json!({
            "touser": to,
            "template_id": template,
            "data": {
                "first": field(first, colour),
                "device": field(device, GREY),
                "time": field(time, GREY),
                "remark": field(remark, colour),
            },
        });
        if let Some(app) = mini_program {
            message["miniprogram"] = json!({ "appid": app, "pagepath": PAGE });
        }
        message
    }
}
