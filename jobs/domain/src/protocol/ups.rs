//! The fault of a UPS on a text line.
//!
//! Its status, the answer to `QGS`, has twelve words; the last is a row of bits, b9 first. While b4 is set the UPS has a fault,
//! and says which when it is asked `QFS`: `OK`, or a word that begins with the two hex digits of a code.

use super::{Line, Protocol, Reply};
use crate::{
    Pid,
    alarm::{Condition, Rule, Severity, metric},
    frame::VerifiedFrame,
    reading::{Datum, Quality, Value},
};

/// What is asked of a UPS that has a fault.
pub const QFS: &str = "QFS";
const QGS: &str = "QGS";

/// Which word of a status is the row of bits, and which of them, from the left, says that there is a fault.
const BITS: usize = 11;
const FAULT: usize = 5;

/// What a UPS says that has none.
const NONE: &str = "OK";
/// What it is while it does not say which it has.
const NOT_SAID: &str = "?";

/// The codes, and what they mean. Codes that are not among these are shown as they are.
const FAULTS: &[(u8, &str)] = &[
    (0x01, "规定时间内bus电压未达到设定值"),
    (0x02, "母线电压过高"),
    (0x03, "母线电压过低"),
    (0x04, "正负母线电压不平衡"),
    (0x05, "母线电压骤降"),
    (0x06, "PFC电感过流"),
    (0x11, "逆变器软启动超时"),
    (0x12, "逆变电压过高"),
    (0x13, "逆变电压过低"),
    (0x14, "逆变L1相短路"),
    (0x15, "逆变L2相短路"),
    (0x16, "逆变L3相短路"),
    (0x17, "逆变L1-L2线间短路"),
    (0x18, "逆变L2-L3线间短路"),
    (0x19, "逆变L3-L1线间短路"),
    (0x1A, "逆变L1相负功率超限"),
    (0x1B, "逆变L2相负功率超限"),
    (0x1C, "逆变L3相负功率超限"),
    (0x21, "电池侧可控硅短路"),
    (0x22, "市电侧可控硅短路"),
    (0x23, "逆变继电器断路"),
    (0x24, "逆变继电器短路"),
    (0x25, "输入与输出接线颠倒"),
    (0x26, "电池极性接反"),
    (0x27, "电池电压远高于过充点"),
    (0x28, "电池电压远低于关机点"),
    (0x29, "电池熔断器断开"),
    (0x31, "CAN通信异常"),
    (0x32, "并机主机信号异常"),
    (0x33, "并机同步信号异常"),
    (0x34, "并机同步触发异常"),
    (0x35, "并机通信中断"),
    (0x36, "并机输出电流严重不均"),
    (0x41, "机内过热"),
    (0x42, "控制板处理器间通信异常"),
    (0x43, "输出过载"),
    (0x44, "风扇异常"),
    (0x45, "充电器异常"),
    (0x46, "机型设置错误"),
    (0x47, "控制板与通信板之间通信异常"),
    (0x48, "控制板韧体版本不兼容"),
];

/// What the replies to one query say of a UPS's fault.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultWord {
    /// It has none.
    None,
    /// It says which it has; or that it has none, though it said before that it has one.
    Said(Value),
    /// It has one, and has not said which.
    NotSaid,
}

impl Protocol {
    /// Whether its devices say whether they have a fault.
    pub fn tells_faults(&self) -> bool {
        self.line() == Line::Rs232 && self.contents(0).iter().any(|content| content.contains(QGS))
    }

    /// Whether a device that has a fault is to be asked which beside what it is asked anyway.
    pub fn asks_for_faults(&self, pid: Pid) -> bool {
        self.tells_faults() && !self.contents(pid).iter().any(|content| content.eq_ignore_ascii_case(QFS))
    }

    /// What replies say of a fault; none when they do not say whether there is one.
    pub fn fault_word(&self, replies: &[Reply<'_>]) -> Option<FaultWord> {
        if !self.tells_faults() {
            return None;
        }
        let status = replies.iter().find(|reply| reply.content.contains(QGS))?;
        let status = words(*status)?;
        let bit = status.get(BITS)?.chars().nth(FAULT)?;
        if bit != '1' {
            return (bit == '0').then_some(FaultWord::None);
        }
        let answer = replies.iter().find(|reply| reply.content.eq_ignore_ascii_case(QFS));
        let word = answer.and_then(|answer| words(*answer)?.into_iter().next());
        Some(word.and_then(|word| said(&word)).map_or(FaultWord::NotSaid, FaultWord::Said))
    }

    /// The rule that watches it: of no protocol whose devices do not tell.
    pub fn fault_rule(&self) -> Option<Rule> {
        let condition = Condition::NotIn { name: metric::UPS_FAULT.name.to_owned(), normal: vec![NONE.to_owned()] };
        self.tells_faults().then(|| Rule::new("ups_fault", condition, Severity::Critical))
    }
}

/// That there is a fault of which the device does not say which it is.
pub fn unnamed_fault() -> Value {
    value(NOT_SAID, "故障, 代码未知".to_owned())
}

/// That there is no fault.
pub fn no_fault() -> Value {
    value(NONE, NONE.to_owned())
}

fn value(raw: &str, display: String) -> Value {
    let name = metric::UPS_FAULT.name.to_owned();
    Value { name, value: Datum::Text(raw.to_owned()), display, unit: String::new(), quality: Quality::Good }
}

/// What the first word of an answer to `QFS` says; none for one that is neither `OK` nor a code.
fn said(word: &str) -> Option<Value> {
    if word.eq_ignore_ascii_case(NONE) {
        return Some(no_fault());
    }
    let code = u8::from_str_radix(word.get(..2)?, 16).ok()?;
    let meaning = FAULTS.iter().find(|(known, _)| *known == code).map_or("故障", |(_, meaning)| meaning);
    Some(value(&format!("{code:02X}"), format!("0x{code:02X} {meaning}")))
}

/// The words of a line that is whole, without its bracket.
fn words(reply: Reply<'_>) -> Option<Vec<String>> {
    let line = VerifiedFrame::text(reply.bytes).ok()?;
    let text = String::from_utf8_lossy(line.payload()).replace(['(', '#'], "");
    Some(text.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::NoScripts;

    const STATUS: &str = "(220.0 50.0 220.0 50.0 001.0 030 370.0 370.0 054.6 000.0 029.0 ";

    fn ups(line: u16, command: &str) -> Protocol {
        let instruct = serde_json::json!([{ "name": command, "isUse": true, "resultType": "utf8", "formResize": [] }]);
        let document = serde_json::json!({ "Type": line, "Protocol": "u", "instruct": instruct });
        Protocol::compile(&serde_json::from_value(document).unwrap(), &NoScripts).unwrap()
    }

    fn told(bits: &str, answer: Option<&str>) -> Option<(String, String)> {
        let status = format!("{STATUS}{bits}\r");
        let answer = answer.map(|answer| format!("({answer}\r"));
        let mut replies = vec![Reply { content: "QGS", bytes: status.as_bytes() }];
        replies.extend(answer.as_ref().map(|answer| Reply { content: "QFS", bytes: answer.as_bytes() }));
        match ups(232, "QGS").fault_word(&replies)? {
            FaultWord::None => Some(("none".to_owned(), String::new())),
            FaultWord::Said(value) => Some((value.value.text(), value.display)),
            FaultWord::NotSaid => Some(("not said".to_owned(), String::new())),
        }
    }

    fn pair(raw: &str, display: &str) -> (String, String) {
        (raw.to_owned(), display.to_owned())
    }

    #[test]
    fn the_fifth_bit_from_the_right_says_that_there_is_a_fault_and_the_answer_which() {
        assert_eq!(told("1111101111", Some("01")), Some(pair("none", "")), "no other bit does");
        assert_eq!(told("0000010000", None), Some(pair("not said", "")));
        assert_eq!(told("0000010000", Some("01 2 3")), Some(pair("01", "0x01 规定时间内bus电压未达到设定值")));
        assert_eq!(told("0000010000", Some("1a")), Some(pair("1A", "0x1A 逆变L1相负功率超限")));
        assert_eq!(told("0000010000", Some("48")), Some(pair("48", "0x48 控制板韧体版本不兼容")));
        assert_eq!(
            told("0000010000", Some("7F")),
            Some(pair("7F", "0x7F 故障")),
            "codes that are not listed are shown"
        );
        assert_eq!(told("0000010000", Some("OK")), Some(pair("OK", "OK")));
        assert_eq!(told("0000010000", Some("NAK")), Some(pair("not said", "")));
        assert_eq!(told("0000010000", Some("")), Some(pair("not said", "")));
    }

    #[test]
    fn what_does_not_say_whether_there_is_a_fault_says_nothing() {
        assert_eq!((told("", None), told("00000", None), told("00000x0000", None)), (None, None, None));
        let cut = Reply { content: "QGS", bytes: b"(220.0 50.0" };
        assert_eq!(ups(232, "QGS").fault_word(&[cut]), None);
    }

    #[test]
    fn only_those_that_answer_qgs_on_a_text_line_are_asked() {
        assert!(ups(232, "QGS").tells_faults() && ups(232, "QGS").asks_for_faults(0));
        assert!(!ups(232, "Q1").tells_faults() && ups(232, "Q1").fault_rule().is_none());
        assert_eq!(ups(232, "QGS").fault_rule().unwrap().check(), Ok(()));
    }

    #[test]
    fn each_code_stands_once() {
        assert!(FAULTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
