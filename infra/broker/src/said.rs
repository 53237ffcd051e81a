//! An event as a socket said it.

use std::convert::Infallible;

use bytes::Bytes;
use serde_json::Value;
use socketioxide::{
    adapter::Adapter,
    handler::{FromMessageParts, Value as Packet},
    socket::Socket,
};
use std::sync::Arc;

/// An event's name and arguments. Where bytes belong stands a placeholder, `{"_placeholder":true,"num":0}`.
#[derive(Debug)]
pub(crate) struct Said {
    pub name: String,
    pub arguments: Vec<Value>,
    /// The bytes, as the placeholders number them.
    pub attachments: Vec<Bytes>,
}

impl<A: Adapter> FromMessageParts<A> for Said {
    type Error = Infallible;

    fn from_message_parts(_: &Arc<Socket<A>>, packet: &mut Packet, _: &Option<i64>) -> Result<Self, Infallible> {
        Ok(match packet {
            Packet::Str(text, attached) => {
                Self { attachments: attached.take().unwrap_or_default().into(), ..Self::read(text) }
            }
            Packet::Bytes(_) => Self::read(""),
        })
    }
}

impl Said {
    /// What is no event has no name.
    fn read(text: &str) -> Self {
        let mut parts: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        if !parts.first().is_some_and(Value::is_string) {
            return Self { name: String::new(), arguments: Vec::new(), attachments: Vec::new() };
        }
        let arguments = parts.split_off(1);
        let name = parts.pop().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        Self { name, arguments, attachments: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_name_comes_first_and_all_arguments_follow() {
        let said = Said::read(r#"["terminalOn",["98D863CC870D"],false]"#);
        assert_eq!((said.name.as_str(), said.arguments), ("terminalOn", vec![json!(["98D863CC870D"]), json!(false)]));
        assert!(Said::read(r#"["ready"]"#).arguments.is_empty());
    }

    #[test]
    fn what_is_no_event_has_no_name() {
        for text in ["", "{}", "[]", "[7,8]", "[\"open"] {
            assert_eq!(Said::read(text).name, "", "{text}");
        }
    }
}
