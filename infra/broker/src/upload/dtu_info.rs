//! `dtuinfo`: what a node found out about a terminal. One kind of program keeps the line ends of the DTU's answers, the
//! other the number in front of them; here both are taken off before a field is looked at.

use std::net::Ipv4Addr;

use domain::Mac;
use jobs::report::TerminalInfo;
use serde::Deserialize;
use serde_json::Value;

/// The body.
#[derive(Debug, Deserialize)]
pub(super) struct DtuInfo {
    info: Info,
}

#[derive(Debug, Deserialize)]
struct Info {
    mac: Mac,
    #[serde(default)]
    ip: Value,
    #[serde(default)]
    port: Value,
    #[serde(rename = "AT", default)]
    at: Value,
    #[serde(rename = "PID", default)]
    model: Value,
    #[serde(default)]
    ver: Value,
    #[serde(rename = "Gver", default)]
    gver: Value,
    #[serde(rename = "iotStat", default)]
    iot_stat: Value,
    #[serde(default)]
    jw: Value,
    #[serde(default)]
    uart: Value,
    #[serde(rename = "ICCID", default)]
    iccid: Value,
    #[serde(default)]
    signal: Value,
}

impl DtuInfo {
    pub(super) fn mac(&self) -> &Mac {
        &self.info.mac
    }

    /// What makes sense of it. Most is only known of a DTU that answers AT commands.
    pub(super) fn into_terminal_info(self) -> TerminalInfo {
        let info = self.info;
        let at = info.at.as_bool().unwrap_or(false);
        let if_at = |value: &Value| if at { text(value) } else { None };
        TerminalInfo {
            mac: info.mac.to_string(),
            ip: text(&info.ip).filter(|ip| ip.parse::<Ipv4Addr>().is_ok()),
            port: info.port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0),
            at,
            model: text(&info.model),
            ver: if_at(&info.ver),
            gver: if_at(&info.gver),
            iot_stat: if_at(&info.iot_stat),
            location: if_at(&info.jw).filter(|location| is_location(location)),
            uart: if_at(&info.uart).filter(|uart| is_uart(uart)),
            iccid: if_at(&info.iccid).filter(|iccid| is_digits(iccid, 18, 22)),
            signal: if_at(&info.signal).map(|signal| signal.parse().unwrap_or(0)),
        }
    }
}

/// The text without line ends, blanks and the `1,` in front; none when nothing is left.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let mut characters = text.chars();
    let numbered = characters.next().is_some_and(|first| first.is_ascii_digit()) && characters.next() == Some(',');
    let text = if numbered { &text[2..] } else { text };
    (!text.is_empty()).then(|| text.to_owned())
}

/// `longitude,latitude`, each with six or seven decimals, as a DTU that has a fix says it.
fn is_location(text: &str) -> bool {
    let within = |coordinate: &str, most: f64| {
        let decimals = coordinate.split_once('.').map_or("", |(_, decimals)| decimals);
        is_digits(decimals, 6, 7) && coordinate.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= most)
    };
    text.split_once(',').is_some_and(|(longitude, latitude)| within(longitude, 180.0) && within(latitude, 90.0))
}

/// `9600,8,1,NONE,NFC`: speed, data bits, stop bits and what follows.
fn is_uart(text: &str) -> bool {
    let mut parts = text.splitn(4, ',');
    let mut next = |least, most| parts.next().is_some_and(|part| is_digits(part, least, most));
    next(4, 6) && next(1, 1) && next(1, 1) && parts.next().is_some()
}

fn is_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> TerminalInfo {
        serde_json::from_value::<DtuInfo>(body).unwrap().into_terminal_info()
    }

    fn with_line_ends() -> Value {
        json!({"info":{"mac":"98D863CC870D","ip":"127.0.0.1","port":52042,"connecting":true,"lock":false,"AT":true,
            "PID":"USR-LTE-7S4\r\n","ver":"V1.0.18\r\n","Gver":"V3.0\r\n","iotStat":"on\r\n","jw":"114.301234,30.591234\r\n",
            "uart":"9600,8,1,NONE,NFC\r\n","ICCID":"89860117851014783481\r\n","signal":"25\r\n","DevMac":"98D863CC870D"}})
    }

    #[test]
    fn both_programs_tell_the_same() {
        let with_numbers = json!({"info":{"mac":"98D863CC870D","ip":"127.0.0.1","port":52042,"connecting":true,"lock":false,"AT":true,
            "PID":"USR-LTE-7S4","ver":"V1.0.18","Gver":"V3.0","iotStat":"on","jw":"1,114.301234,30.591234",
            "uart":"1,9600,8,1,NONE,NFC","ICCID":"89860117851014783481","signal":"25","DevMac":"98D863CC870D"}});
        let info = read(with_line_ends());
        assert_eq!(info, read(with_numbers));
        assert_eq!(
            info,
            TerminalInfo {
                mac: "98D863CC870D".to_owned(),
                ip: Some("127.0.0.1".to_owned()),
                port: Some(52042),
                at: true,
                model: Some("USR-LTE-7S4".to_owned()),
                ver: Some("V1.0.18".to_owned()),
                gver: Some("V3.0".to_owned()),
                iot_stat: Some("on".to_owned()),
                location: Some("114.301234,30.591234".to_owned()),
                uart: Some("9600,8,1,NONE,NFC".to_owned()),
                iccid: Some("89860117851014783481".to_owned()),
                signal: Some(25),
            }
        );
    }

    #[test]
    fn a_dtu_that_answers_no_at_commands_tells_its_model_alone() {
        let mut body = with_line_ends();
        body["info"]["AT"] = json!(false);
        body["info"]["signal"] = json!("");
        let info = read(body);
        assert_eq!((info.at, info.model.as_deref(), info.port), (false, Some("USR-LTE-7S4"), Some(52042)));
        assert_eq!((info.ver, info.uart, info.iccid, info.signal), (None, None, None, None));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for (field, nonsense) in [
            ("ip", json!("localhost")),
            ("port", json!(0)),
            ("jw", json!("1111,3333")),
            ("jw", json!("214.301234,30.591234")),
            ("uart", json!("fast")),
            ("ICCID", json!("8986")),
            ("ver", json!(7)),
        ] {
            let mut body = with_line_ends();
            body["info"][field] = nonsense;
            let told = serde_json::to_value(read(body)).unwrap();
            assert_eq!(told.as_object().unwrap().len(), 11, "{field}: {told}");
        }
    }

    #[test]
    fn a_signal_that_is_no_number_is_none_at_all() {
        let mut body = with_line_ends();
        body["info"]["signal"] = json!("strong\r\n");
        assert_eq!(read(body).signal, Some(0));
    }
}
