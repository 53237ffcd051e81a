//! What nodes say on their sockets.

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod properties;
mod reply;

use bytes::Bytes;
use domain::{Mac, Pid};
use serde_json::Value;

use crate::pacer::Load;

pub(crate) use reply::{Brought, OperationReply};

/// An event of a node that we understand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeEvent {
    Register {
        hostname: String,
    },
    Ready,
    TerminalsOn {
        macs: Vec<Mac>,
        strange: usize,
    },
    TerminalOff {
        mac: Mac,
    },
    Load {
        mac: Mac,
        load: Load,
    },
    Missed {
        mac: Mac,
        pid: Pid,
        count: Option<u32>,
    },
    PartlyMissed {
        mac: Mac,
        pid: Pid,
        contents: Vec<String>,
    },
    Operated {
        name: String,
        reply: OperationReply,
    },
    DtuState {
        mac: Mac,
        state: String,
        score: Option<u32>,
    },
    /// Of a terminal, or of the program itself.
    DtuAlert {
        mac: Option<Mac>,
        kind: String,
        message: String,
    },
    /// The program could not open its port.
    StartError,
    /// Known, and of no use to us.
    Ignored,
}

/// An event that is not as the contract has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Strange {
    #[error("no such event")]
    Unknown,
    #[error("an argument is missing or of the wrong kind")]
    Arguments,
    #[error("it names no terminal")]
    Mac,
}

/// The most characters of what a program says of a terminal that count.
const MOST_WORDS: usize = 200;

/// The most characters of a host name that count.
const MOST_HOSTNAME: usize = 255;

impl NodeEvent {
    /// Reads an event. Surplus arguments are ignored.
    pub(super) fn read(name: &str, arguments: &[Value], attachments: &[Bytes]) -> Result<Self, Strange> {
        let argument = |index: usize| arguments.get(index).unwrap_or(&Value::Null);
        Ok(match name {
            "register" => Self::Register { hostname: hostname(argument(0)) },
            "ready" => Self::Ready,
            "terminalOn" => terminals_on(argument(0))?,
            "terminalOff" => Self::TerminalOff { mac: mac(argument(0))? },
            "busy" => {
                let busy = argument(1).as_bool().ok_or(Strange::Arguments)?;
                Self::Load { mac: mac(argument(0))?, load: if busy { Load::Busy } else { Load::Free } }
            }
            "terminalMountDevTimeOut" => {
                Self::Missed { mac: mac(argument(0))?, pid: whole(argument(1))?, count: whole(argument(2)).ok() }
            }
            "instructTimeOut" => {
                Self::PartlyMissed { mac: mac(argument(0))?, pid: whole(argument(1))?, contents: texts(argument(2))? }
            }
            "deviceopratesuccess" | "dtuopratesuccess" | "result" => {
                let (name, reply) = reply::read(arguments, attachments)?;
                Self::Operated { name, reply }
            }
            "dtuState" => Self::DtuState {
                mac: mac(&argument(0)["mac"])?,
                state: clipped(&argument(0)["to"]).ok_or(Strange::Arguments)?,
                score: whole(&argument(0)["score"]).ok(),
            },
            "dtuAlert" => Self::DtuAlert {
                mac: mac(&argument(0)["mac"]).ok(),
                kind: clipped(&argument(0)["type"]).ok_or(Strange::Arguments)?,
                message: clipped(&argument(0)["message"]).unwrap_or_default(),
            },
            "startError" => Self::StartError,
            "dtuHealth" | "alarm" => Self::Ignored,
            _ => return Err(Strange::Unknown),
        })
    }
}

fn hostname(info: &Value) -> String {
    let hostname = info.get("hostname").and_then(Value::as_str).unwrap_or_default();
    hostname.chars().take(MOST_HOSTNAME).collect()
}

/// As much of a text as counts.
fn clipped(argument: &Value) -> Option<String> {
    Some(argument.as_str()?.chars().take(MOST_WORDS).collect())
}

/// One mac, or a list of them that may be empty.
fn terminals_on(argument: &Value) -> Result<NodeEvent, Strange> {
    let Some(list) = argument.as_array() else {
        return Ok(NodeEvent::TerminalsOn { macs: vec![mac(argument)?], strange: 0 });
    };
    let macs: Vec<Mac> = list.iter().filter_map(|entry| mac(entry).ok()).collect();
    let strange = list.len() - macs.len();
    Ok(NodeEvent::TerminalsOn { macs, strange })
}

fn mac(argument: &Value) -> Result<Mac, Strange> {
    argument.as_str().ok_or(Strange::Arguments)?.parse().map_err(|_| Strange::Mac)
}

fn whole<T: TryFrom<u64>>(argument: &Value) -> Result<T, Strange> {
    argument.as_u64().and_then(|number| T::try_from(number).ok()).ok_or(Strange::Arguments)
}

fn texts(argument: &Value) -> Result<Vec<String>, Strange> {
    let list = argument.as_array().ok_or(Strange::Arguments)?;
    list.iter().map(|text| text.as_str().map(str::to_owned).ok_or(Strange::Arguments)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MAC: &str = "98D863CC870D";

    fn read(name: &str, arguments: &Value) -> Result<NodeEvent, Strange> {
        NodeEvent::read(name, arguments.as_array().unwrap(), &[])
    }

    fn on(macs: &[&str], strange: usize) -> NodeEvent {
        NodeEvent::TerminalsOn { macs: macs.iter().map(|mac| mac.parse().unwrap()).collect(), strange }
    }

    #[test]
    fn terminals_come_on_one_by_one_or_as_a_list_that_may_be_empty() {
        assert_eq!(read("terminalOn", &json!([MAC, false])), Ok(on(&[MAC], 0)));
        assert_eq!(read("terminalOn", &json!([[MAC, "98d863cc870e"], false])), Ok(on(&[MAC, "98D863CC870E"], 0)));
        assert_eq!(read("terminalOn", &json!([[], false])), Ok(on(&[], 0)));
    }

    #[test]
    fn a_list_with_strange_macs_gives_the_others() {
        assert_eq!(read("terminalOn", &json!([["x", MAC, 7, null]])), Ok(on(&[MAC], 3)));
    }

    #[test]
    fn terminals_go_off_with_and_without_the_word_active() {
        let off = Ok(NodeEvent::TerminalOff { mac: MAC.parse().unwrap() });
        assert_eq!(read("terminalOff", &json!([MAC, true])), off);
        assert_eq!(read("terminalOff", &json!([MAC])), off);
    }

    #[test]
    fn misses_name_the_device_and_the_count_or_the_instructions() {
        let mac: Mac = MAC.parse().unwrap();
        assert_eq!(
            read("terminalMountDevTimeOut", &json!([MAC, 1, 3])),
            Ok(NodeEvent::Missed { mac: mac.clone(), pid: 1, count: Some(3) })
        );
        assert_eq!(
            read("instructTimeOut", &json!([MAC, 1, ["0103"]])),
            Ok(NodeEvent::PartlyMissed { mac, pid: 1, contents: vec!["0103".to_owned()] })
        );
    }

    #[test]
    fn register_and_ready_put_up_with_anything() {
        for arguments in [json!([]), json!([null]), json!(["text", 7]), json!([{ "hostname": 7 }])] {
            assert_eq!(read("register", &arguments), Ok(NodeEvent::Register { hostname: String::new() }));
            assert_eq!(read("ready", &arguments), Ok(NodeEvent::Ready));
        }
    }

    #[test]
    fn garbage_is_strange_and_nothing_worse() {
        for name in
            ["terminalOn", "terminalOff", "busy", "terminalMountDevTimeOut", "instructTimeOut", "dtuopratesuccess"]
        {
            for arguments in [json!([]), json!([null]), json!([7, 7, 7]), json!([{}, {}, {}]), json!([[[]], -1, 1e300])]
            {
                let _ = read(name, &arguments);
            }
        }
        assert_eq!(read("terminalOff", &json!(["x".repeat(1000)])), Err(Strange::Mac));
        assert_eq!(read("terminalMountDevTimeOut", &json!([MAC, 256, 1])), Err(Strange::Arguments));
        assert_eq!(read("terminalMountDevTimeOut", &json!([MAC])), Err(Strange::Arguments));
        assert_eq!(read("nonsense", &json!([])), Err(Strange::Unknown));
    }

    #[test]
    fn what_newer_programs_tell_besides_is_tolerated() {
        assert_eq!(read("dtuHealth", &json!([{ "mac": MAC }])), Ok(NodeEvent::Ignored));
        let mac: Mac = MAC.parse().unwrap();
        let told =
            json!([{ "mac": MAC, "from": "HANDSHAKING", "to": "ONLINE", "score": 80, "reason": "ok", "timestamp": 1 }]);
        let state = NodeEvent::DtuState { mac: mac.clone(), state: "ONLINE".to_owned(), score: Some(80) };
        assert_eq!(read("dtuState", &told), Ok(state));
        for (told, mac) in [(json!(MAC), Some(mac)), (Value::Null, None)] {
            let alert = NodeEvent::DtuAlert { mac, kind: "FATAL".to_owned(), message: "no port".to_owned() };
            assert_eq!(read("dtuAlert", &json!([{ "mac": told, "type": "FATAL", "message": "no port" }])), Ok(alert));
        }
    }
}
