//! What an alarm is about, in parts, for channels that fill a template with them; and how Chinese templates say it.

use std::collections::BTreeSet;

use domain::{Timestamp, alarm::Sight};
use jiff::{Zoned, tz::TimeZone};
use jobs::ports::Letter;
use serde::Deserialize;

/// What is said of one of several that is over.
pub(crate) const OVER: &str = "已恢复";
/// What is said of an alarm that nothing watches for any more.
pub(crate) const UNWATCHED: &str = "不再监视";

/// The parts, as a letter's data has them under `alarm`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// Whether it ended since nothing watches for it any more: how it is, nobody knows.
    #[serde(default)]
    pub(crate) unwatched: bool,
    pub(crate) at: Timestamp,
    /// What people call the terminal.
    pub(crate) name: String,
    /// The DTU.
    pub(crate) mac: String,
    pub(crate) pid: Option<u8>,
    pub(crate) model: Option<String>,
    /// What was seen: `temperature 35.2 ℃, limits 10 ~ 30`.
    pub(crate) details: Vec<String>,
    /// The same in Chinese, one for each.
    #[serde(default)]
    pub(crate) words: Vec<String>,
    /// Of how many sources it tells.
    pub(crate) count: usize,
    /// Those that it names, where they are several.
    pub(crate) places: Vec<Place>,
}

/// One of several sources.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Place {
    /// What people call it.
    pub(crate) name: String,
    /// Whether it is over there.
    #[serde(default)]
    pub(crate) over: bool,
    /// What was seen there.
    pub(crate) details: Vec<String>,
    /// The same in Chinese, one for each.
    #[serde(default)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A device does not answer.
    Timeout,
    /// A terminal is away.
    Offline,
    /// A value is not as it should be.
    Argument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Raised,
    Cleared,
}

impl Facts {
    /// The parts, if the letter is about an alarm.
    pub(crate) fn of(letter: &Letter) -> Option<Self> {
        Self::deserialize(letter.data.get("alarm")?).ok()
    }

    /// What people call it, and how many there are in all: `Cold store等3处`.
    pub(crate) fn called(&self) -> String {
        if self.is_of_several() { format!("{}{}", self.name, self.how_many()) } else { self.name.clone() }
    }

    pub(crate) fn is_of_several(&self) -> bool {
        self.count > 1
    }

    pub(crate) fn how_many(&self) -> String {
        format!("等{}处", self.count)
    }

    /// The device: the pid and what model it is.
    pub(crate) fn device(&self) -> (String, String) {
        let pid = self.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let model = self.model.clone().unwrap_or_else(|| "-".to_owned());
        (pid, model)
    }

    /// What was seen, in Chinese where that is known.
    fn word(&self, at: usize) -> String {
        self.words.get(at).or_else(|| self.details.get(at)).cloned().unwrap_or_default()
    }

    /// What was seen, in short: `temperature[35.2 ℃]`, or of several their names.
    pub(crate) fn remind(&self) -> String {
        match self.details.as_slice() {
            [] => "-".to_owned(),
            [detail] => match named(detail) {
                Some((name, value)) => format!("{name}[{value}]"),
                None => self.word(0),
            },
            several => {
                let called =
                    |(at, detail): (usize, &String)| named(detail).map_or_else(|| self.word(at), |(name, _)| name);
                let mut names: Vec<String> = several.iter().enumerate().map(called).collect();
                let mut seen = BTreeSet::new();
                names.retain(|name| seen.insert(name.clone()));
                format!("{}等告警", names.join(","))
            }
        }
    }
}

/// A value's name and the value, where a value was seen.
fn named(detail: &str) -> Option<(String, String)> {
    let sights = Sight::read(detail);
    let [Sight::Value { what: seen, over: None, .. }] = sights.as_slice() else { return None };
    let is_value = |at: usize| seen[at + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let blank = seen.match_indices(' ').map(|(at, _)| at);
    // A name may hold a number as well: `Phase 1 voltage 231 V`.
    let split = blank.clone().rfind(|&at| is_value(at)).or_else(|| blank.clone().next());
    split.map(|at| (seen[..at].to_owned(), seen[at + 1..].trim().to_owned()))
}

/// `11-6 8:4:37`: month, day and time without leading zeros, by the clocks of the zone.
pub(crate) fn told_time(at: Timestamp, zone: &TimeZone) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else { return at.rfc3339() };
    let at: Zoned = at.to_zoned(zone.clone());
    format!("{}-{} {}:{}:{}", at.month(), at.day(), at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(details: &[&str]) -> Facts {
        Facts {
            kind: Kind::Argument,
            state: State::Raised,
            unwatched: false,
            at: Timestamp(0),
            name: String::new(),
            mac: String::new(),
            pid: None,
            model: None,
            details: details.iter().map(ToString::to_string).collect(),
            words: vec!["10 分钟无数据".to_owned()],
            count: 1,
            places: Vec::new(),
        }
    }

    #[test]
    fn one_value_is_told_with_it_and_several_by_name() {
        assert_eq!(facts(&["temperature 35.2 ℃, limits 10 ~ 30"]).remind(), "temperature[35.2 ℃]");
        assert_eq!(facts(&["battery voltage -2, limits 10 ~ 30"]).remind(), "battery voltage[-2]");
        let [hot, hotter, damp] = ["温度 40 ℃, limits 10 ~ 30", "温度 41 ℃, limits 10 ~ 30", "湿度 90 %, at most 70"];
        assert_eq!(facts(&[hot, damp]).remind(), "温度,湿度等告警");
        assert_eq!(facts(&[hot, hotter, damp]).remind(), "温度,湿度等告警");
        assert_eq!(facts(&["mode 市电, not 市电"]).remind(), "mode[市电]");
        let phases = ["Phase 1 voltage 231 V, limits 200 ~ 230", "Phase 2 voltage 190 V, limits 200 ~ 230"];
        assert_eq!(facts(&phases[..1]).remind(), "Phase 1 voltage[231 V]");
        assert_eq!(facts(&phases).remind(), "Phase 1 voltage,Phase 2 voltage等告警");
        let zone = "Supply air temperature, zone north 24.5 ℃, at most 20";
        assert_eq!(facts(&[zone]).remind(), "Supply air temperature, zone north[24.5 ℃]");
    }

    #[test]
    fn what_is_no_value_is_told_in_words() {
        let silent = "no data for 10 min";
        assert_eq!(facts(&[silent]).remind(), "10 分钟无数据");
        assert_eq!(facts(&[silent, "湿度 90 %, at most 70"]).remind(), "10 分钟无数据,湿度等告警");
    }

    #[test]
    fn the_time_is_that_of_the_zone_without_leading_zeros() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(told_time(Timestamp(784_080_277_000), &zone), "11-6 8:4:37");
    }
}
