//! The serial-to-IP box itself: what it says to the AT commands of its gateway.

use serde_json::{Value, json};

use crate::chance;

const MODEL: &str = "USR-LTE-7S4";
const PREFIX: &str = "+++AT+";

/// What is particular about one DTU.
pub(crate) struct Dtu {
    iccid: String,
    position: String,
}

impl Dtu {
    pub(crate) fn new(seed: u64, mac: &str) -> Self {
        let number = chance::number(seed, &format!("{mac} dtu"));
        Self {
            iccid: format!("898600{:014}", number % 100_000_000_000_000),
            position: format!("114.{:06},30.{:06}", 200_000 + number % 200_000, 500_000 + number / 7 % 100_000),
        }
    }

    /// The raw answer to a command such as `+++AT+VER`.
    pub(crate) fn answer(&self, command: &str) -> String {
        let said = match command.strip_prefix(PREFIX).unwrap_or(command) {
            "PID" => MODEL,
            "VER" => "V1.0.18",
            "GVER" => "V3.0",
            "IOTEN" => "on",
            "ICCID" => &self.iccid,
            "LOCATE=1" => return format!("+ok=1,{}\r\n", self.position),
            "UART=1" => "1,9600,8,1,NONE,NFC",
            "GSLQ" => "25",
            "Z" | "IOTEN=off" => return "+ok\r\n".to_owned(),
            _ => return "+ERR=1\r\n".to_owned(),
        };
        format!("+ok={said}\r\n")
    }

    /// What its gateway finds out about it and posts as `dtuinfo`.
    pub(crate) fn info(&self, mac: &str) -> Value {
        let said = |command: &str| {
            let answer = self.answer(command);
            answer.trim().strip_prefix("+ok=").unwrap_or_default().to_owned()
        };
        json!({ "info": {
            "mac": mac, "DevMac": mac, "ip": "127.0.0.1", "port": 52_042, "connecting": true, "lock": false, "AT": true,
            "PID": said("PID"), "ver": said("VER"), "Gver": said("GVER"), "iotStat": said("IOTEN"),
            "jw": said("LOCATE=1"), "uart": said("UART=1"), "ICCID": said("ICCID"), "signal": said("GSLQ"),
        } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_says_what_the_commands_are_answered_with() {
        let dtu = Dtu::new(1, "98D863CC870D");
        let info = &dtu.info("98D863CC870D")["info"];
        assert_eq!(dtu.answer("+++AT+PID"), "+ok=USR-LTE-7S4\r\n");
        assert_eq!(info["PID"], "USR-LTE-7S4");
        assert_eq!(info["ICCID"].as_str().unwrap().len(), 20);
        let position = info["jw"].as_str().unwrap();
        assert!(position.starts_with("1,114.") && position.len() == "1,114.301234,30.591234".len(), "{position}");
        assert_eq!(dtu.answer("+++AT+RELD"), "+ERR=1\r\n");
    }
}
