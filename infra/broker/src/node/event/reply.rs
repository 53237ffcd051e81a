//! Replies to operations.

use bytes::Bytes;
use serde_json::Value;

use super::Strange;

/// The most characters of a text in a reply that count.
const MOST_CHARS: usize = 500;
/// The most bytes of a reply that count: more than any frame has.
const MOST_BYTES: usize = 1024;

/// What a node says of an operation. Whether that is success is not the node's to say: it says `ok` of refusals, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperationReply {
    /// Whether anything was answered to the node.
    pub ok: bool,
    /// Its words.
    pub message: String,
    /// What was answered to it.
    pub brought: Brought,
}

/// What a device or a DTU answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Brought {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A text, which may stand for bytes or say why there are none (`timeOut`).
    Text(String),
    /// Nothing is told.
    Nothing,
}

/// Reads `(events, result)`, or both as one list: the operation's name and its reply.
pub(super) fn read(arguments: &[Value], attachments: &[Bytes]) -> Result<(String, OperationReply), Strange> {
    let both = match arguments {
        [Value::Array(both), ..] => both,
        arguments => arguments,
    };
    let name = both.first().and_then(Value::as_str).ok_or(Strange::Arguments)?;
    Ok((clipped(name), reply(both.get(1).unwrap_or(&Value::Null), attachments)))
}

fn reply(result: &Value, attachments: &[Bytes]) -> OperationReply {
    // The answer to a restart is its text alone.
    if let Some(text) = result.as_str() {
        return OperationReply { ok: true, message: clipped(text), brought: Brought::Nothing };
    }
    let ok = match &result["ok"] {
        Value::Bool(ok) => *ok,
        number => number.as_i64() == Some(1),
    };
    let message = result["msg"].as_str().map(clipped).unwrap_or_default();
    OperationReply { ok, message, brought: brought(&result["upserted"], attachments) }
}

/// Bytes as an attachment or as the JSON of a `Buffer`, or a text.
fn brought(upserted: &Value, attachments: &[Bytes]) -> Brought {
    if let Some(text) = upserted.as_str() {
        return Brought::Text(clipped(text));
    }
    if upserted["_placeholder"] == true {
        let number = upserted["num"].as_u64().and_then(|number| usize::try_from(number).ok());
        return number.and_then(|number| attachments.get(number)).map_or(Brought::Nothing, |bytes| of_bytes(bytes));
    }
    let data = upserted["data"].as_array().filter(|_| upserted["type"] == "Buffer");
    let bytes: Option<Vec<u8>> =
        data.and_then(|data| data.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect());
    bytes.map_or(Brought::Nothing, |bytes| of_bytes(&bytes))
}

fn of_bytes(bytes: &[u8]) -> Brought {
    Brought::Bytes(bytes.iter().copied().take(MOST_BYTES).collect())
}

fn clipped(text: &str) -> String {
    text.chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &Value, attachments: &[Bytes]) -> Result<(String, OperationReply), Strange> {
        super::read(arguments.as_array().unwrap(), attachments)
    }

    fn of(upserted: &Value, attachments: &[Bytes]) -> Brought {
        let result = json!(["oprate1", { "ok": 1, "msg": "", "upserted": upserted }]);
        read(&result, attachments).unwrap().1.brought
    }

    #[test]
    fn a_reply_is_the_same_as_two_arguments_and_as_one_list() {
        let result = json!({ "ok": 1, "msg": "done", "upserted": "text" });
        let reply = OperationReply { ok: true, message: "done".to_owned(), brought: Brought::Text("text".to_owned()) };
        for arguments in [json!(["oprate1", result]), json!([["oprate1", result]]), json!(["oprate1", result, "more"])]
        {
            assert_eq!(read(&arguments, &[]), Ok(("oprate1".to_owned(), reply.clone())));
        }
        assert_eq!(read(&json!([result]), &[]), Err(Strange::Arguments));
        assert_eq!(read(&json!([[], result]), &[]), Err(Strange::Arguments));
    }

    #[test]
    fn bytes_come_as_an_attachment_or_as_json() {
        let attached = [Bytes::from_static(&[1, 6])];
        let bytes = Brought::Bytes(vec![1, 6]);
        assert_eq!(of(&json!({ "_placeholder": true, "num": 0 }), &attached), bytes);
        assert_eq!(of(&json!({ "type": "Buffer", "data": [1, 6] }), &[]), bytes);
    }

    #[test]
    fn what_is_no_bytes_brings_nothing() {
        for upserted in [
            json!({ "_placeholder": true, "num": 1 }),
            json!({ "_placeholder": true, "num": -1 }),
            json!({ "type": "Buffer", "data": [256] }),
            json!({ "type": "Buffer" }),
            json!(7),
            json!(null),
        ] {
            assert_eq!(of(&upserted, &[Bytes::from_static(&[1])]), Brought::Nothing, "{upserted}");
        }
    }

    #[test]
    fn the_answer_to_a_restart_is_a_text() {
        let (name, reply) = read(&json!(["restart1", "restart ok"]), &[]).unwrap();
        assert_eq!((name.as_str(), reply.ok, reply.message.as_str()), ("restart1", true, "restart ok"));
        assert!(!read(&json!(["restart1"]), &[]).unwrap().1.ok);
    }
}
