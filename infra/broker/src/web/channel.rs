//! What browsers can subscribe to.

use domain::Mac;

/// An event that a browser may subscribe to, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Channel {
    /// About one terminal: `<mac><pid>`, `MacUpdate<mac>`, `MacIntervalUpdate<mac><pid>`, `<mac>_live`.
    Terminal(Mac),
    /// About any terminal: `MacUpdate`, `mac_log`.
    AnyTerminal,
    /// A person's own: `alarm`, `info`, `message`, `notification`.
    Own,
}

/// The most bytes of an event's name: each name is a room of its own.
const LONGEST: usize = 40;

impl Channel {
    /// What an event's name stands for; none when it stands for nothing.
    pub(super) fn of(event: &str) -> Option<Self> {
        if event.len() > LONGEST {
            return None;
        }
        match event {
            "alarm" | "info" | "message" | "notification" => return Some(Self::Own),
            "MacUpdate" | "mac_log" => return Some(Self::AnyTerminal),
            _ => {}
        }
        let mac = if let Some(rest) = event.strip_prefix("MacIntervalUpdate") {
            mac_and_pid(rest)
        } else if let Some(rest) = event.strip_prefix("MacUpdate") {
            rest.parse().ok()
        } else if let Some(mac) = event.strip_suffix("_live") {
            mac.parse().ok()
        } else {
            mac_and_pid(event)
        };
        mac.map(Self::Terminal)
    }

    /// The room of the browsers that hear this event: a person's own events have one for each person.
    pub(super) fn room(&self, event: &str, user: &str) -> String {
        match self {
            Self::Terminal(_) | Self::AnyTerminal => event.to_owned(),
            Self::Own => format!("{event}@{user}"),
        }
    }
}

fn mac_and_pid(text: &str) -> Option<Mac> {
    let (mac, pid) = text.split_at_checked(12)?;
    // Spelled as we spell it: each other spelling would be a room of its own.
    pid.parse::<u8>().ok().filter(|number| number.to_string() == pid)?;
    mac.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_about_a_terminal_names_it() {
        let terminal = Some(Channel::Terminal("98D863CC870D".parse().unwrap()));
        for event in [
            "98D863CC870D1",
            "98D863CC870D0",
            "98D863CC870D247",
            "MacUpdate98D863CC870D",
            "MacIntervalUpdate98D863CC870D12",
            "98D863CC870D_live",
        ] {
            assert_eq!(Channel::of(event), terminal, "{event}");
        }
    }

    #[test]
    fn the_others_are_a_persons_own_or_about_any_terminal() {
        for event in ["alarm", "info", "message", "notification"] {
            assert_eq!(Channel::of(event), Some(Channel::Own));
        }
        for event in ["MacUpdate", "mac_log"] {
            assert_eq!(Channel::of(event), Some(Channel::AnyTerminal));
        }
    }

    #[test]
    fn anything_else_is_nothing() {
        for event in [
            "",
            "98D863CC870D",
            "98D863CC870D256",
            "98D863CC870Dx",
            "98D863CC870D01",
            "98D863CC870D+1",
            "                                98D863CC870D_live",
            "MacUpdate98D863CC870D1",
            "_live",
            "设备设备设备1",
            "alarm@root",
        ] {
            assert_eq!(Channel::of(event), None, "{event}");
        }
    }
}
