//! `queryData`: a device's replies.

use std::fmt;

use domain::{Mac, Pid, Timestamp};
use jobs::report::{Answer, RawReply};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

/// The body.
#[derive(Debug, Deserialize)]
pub(super) struct QueryData {
    data: Told,
}

/// A query as it comes back, with its replies. What it asked (`content`) only tells what was not answered: programs cut
/// the list down to what they asked, and one kind sends a text instead; each reply says what it replies to. Of numbers
/// that only describe the line, what is no number counts as none: a reading is not lost for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    mac: Mac,
    pid: Pid,
    protocol: String,
    time_stamp: Timestamp,
    #[serde(default)]
    content: Value,
    #[serde(rename = "Interval", default)]
    interval: Value,
    #[serde(default)]
    use_time: Value,
    #[serde(default)]
    use_bytes: Value,
    #[serde(default)]
    time: Value,
    contents: Vec<Reply>,
}

#[derive(Debug, Deserialize)]
struct Reply {
    content: String,
    buffer: Buffer,
}

impl QueryData {
    /// The answer in it. None when it holds no replies.
    pub(super) fn into_answer(self) -> Option<Answer> {
        let told = self.data;
        if told.contents.is_empty() {
            return None;
        }
        let unanswered = unanswered(&told.content, &told.contents);
        let replies = told.contents.into_iter();
        Some(Answer {
            mac: told.mac,
            pid: told.pid,
            protocol: told.protocol,
            asked: told.time_stamp,
            told: time(&told.time),
            interval: whole(&told.interval),
            line_ms: whole(&told.use_time),
            line_bytes: whole(&told.use_bytes),
            replies: replies.map(|reply| RawReply { content: reply.content, bytes: reply.buffer.0 }).collect(),
            unanswered,
            overtaken: false,
        })
    }

    /// What the body is about: terminal, device, and when it was asked.
    pub(super) fn identity(&self) -> (Mac, Pid, Timestamp) {
        (self.data.mac.clone(), self.data.pid, self.data.time_stamp)
    }
}

/// How many of the instructions asked have no reply.
fn unanswered(asked: &Value, replies: &[Reply]) -> u32 {
    let asked = asked.as_array().into_iter().flatten().filter_map(Value::as_str);
    let silent = asked.filter(|asked| replies.iter().all(|reply| reply.content != *asked));
    u32::try_from(silent.count()).unwrap_or(u32::MAX)
}

/// A number of milliseconds or bytes, without its fraction; 0 for what is none.
fn whole(told: &Value) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
    told.as_u64().or_else(|| told.as_f64().map(|number| number as u64)).unwrap_or(0)
}

fn time(told: &Value) -> Option<Timestamp> {
    match told {
        Value::String(text) => Timestamp::parse_js_date(text),
        Value::Number(number) => number.as_i64().map(Timestamp),
        _ => None,
    }
}

/// The bytes of a reply: a Node.js `Buffer` as JSON, or a text that stands for itself.
#[derive(Debug)]
struct Buffer(Vec<u8>);

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Buffer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a reply's bytes as {"type":"Buffer","data":[0..255, ..]}, or a text"#)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Buffer, E> {
                Ok(Buffer(text.as_bytes().to_vec()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Buffer, A::Error> {
                #[derive(Deserialize)]
                struct NodeBuffer {
                    data: Vec<u8>,
                }
                Ok(Buffer(NodeBuffer::deserialize(MapAccessDeserializer::new(map))?.data))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Buffer, A::Error> {
                Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self))
            }
        }

        deserializer.deserialize_any(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn observed() -> Value {
        json!({"data":{"mac":"98D863CC870D","type":485,"mountDev":"dev","protocol":"modbusP","pid":1,
            "timeStamp":1_795_424_465_907_i64,"content":["010300000002c40b","01030001000295cb"],"Interval":20000,"useTime":133,
            "DevMac":"98D863CC870D","eventType":"QueryInstruct","useBytes":34,
            "contents":[
                {"content":"010300000002c40b","buffer":{"type":"Buffer","data":[1,3,4,1,244,0,200,187,171]},"useTime":66,"useByte":17},
                {"content":"01030001000295cb","buffer":{"type":"Buffer","data":[1,3,4,0,200,0,0,122,13]},"useTime":67,"useByte":17}],
            "time":"Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)"}})
    }

    fn read(body: Value) -> Result<Option<Answer>, serde_json::Error> {
        serde_json::from_value::<QueryData>(body).map(QueryData::into_answer)
    }

    #[test]
    fn what_a_gateway_posts_is_read() {
        let answer = read(observed()).unwrap().unwrap();
        assert_eq!(
            answer,
            Answer {
                mac: "98D863CC870D".parse().unwrap(),
                pid: 1,
                protocol: "modbusP".to_owned(),
                asked: Timestamp(1_795_424_465_907),
                told: Some(Timestamp(1_795_424_466_000)),
                interval: 20_000,
                line_ms: 133,
                line_bytes: 34,
                replies: vec![
                    RawReply { content: "010300000002c40b".to_owned(), bytes: vec![1, 3, 4, 1, 244, 0, 200, 187, 171] },
                    RawReply { content: "01030001000295cb".to_owned(), bytes: vec![1, 3, 4, 0, 200, 0, 0, 122, 13] },
                ],
                unanswered: 0,
                overtaken: false,
            }
        );
    }

    #[test]
    fn the_list_of_what_was_asked_may_be_shorter_than_the_replies_or_no_list() {
        for content in [json!(["01030001000295cb"]), json!("pesiv"), json!([]), Value::Null] {
            let mut body = observed();
            body["data"]["content"] = content;
            assert_eq!(read(body).unwrap().unwrap().replies.len(), 2);
        }
    }

    #[test]
    fn what_was_asked_and_has_no_reply_is_counted() {
        let mut body = observed();
        body["data"]["contents"].as_array_mut().unwrap().remove(0);
        assert_eq!(read(body.clone()).unwrap().unwrap().unanswered, 1);
        body["data"]["content"] = json!(["01030001000295cb"]);
        assert_eq!(read(body).unwrap().unwrap().unanswered, 0);
    }

    #[test]
    fn a_reading_is_not_lost_for_a_number_that_only_describes_the_line() {
        for (wrong, read_as) in
            [(Value::Null, 0), (json!(-5), 0), (json!(12.7), 12), (json!("fast"), 0), (json!(1e300), u64::MAX)]
        {
            for field in ["Interval", "useTime", "useBytes"] {
                let mut body = observed();
                body["data"][field] = wrong.clone();
                let answer = read(body).unwrap().unwrap();
                let told =
                    json!({ "Interval": answer.interval, "useTime": answer.line_ms, "useBytes": answer.line_bytes });
                assert_eq!(told[field], json!(read_as), "{field}: {wrong}");
            }
        }
    }

    #[test]
    fn the_udp_gateways_answer_is_read() {
        let body = json!({"data":{"mac":"0123456789AB","type":232,"protocol":"Pesiv卡","pid":0,"mountDev":"peisv","content":"pesiv",
            "timeStamp":1,"Interval":600_000,"useTime":600_000,"useBytes":0,"time":"Invalid Date",
            "contents":[{"content":"QWS","buffer":{"type":"Buffer","data":[40,50]}},{"content":"QMOD","buffer":"B \r"}]}});
        let answer = read(body).unwrap().unwrap();
        assert_eq!((answer.pid, answer.told, answer.protocol.as_str()), (0, None, "Pesiv卡"));
        assert_eq!(answer.replies[1].bytes, b"B \r");
    }

    #[test]
    fn a_body_without_replies_holds_no_answer() {
        let mut body = observed();
        body["data"]["contents"] = json!([]);
        assert_eq!(read(body).unwrap(), None);
    }

    #[test]
    fn what_is_malformed_is_an_error_that_says_what() {
        for (field, wrong) in [
            ("mac", json!("not a mac")),
            ("pid", json!(256)),
            ("timeStamp", json!("soon")),
            ("contents", json!("010300")),
            ("contents", json!([{ "content": "0103", "buffer": { "type": "Buffer", "data": [256] } }])),
            ("contents", json!([{ "content": "0103", "buffer": [1, 2] }])),
        ] {
            let mut body = observed();
            body["data"][field] = wrong.clone();
            assert!(read(body).is_err(), "{field}: {wrong}");
        }
        assert!(read(json!({})).is_err());
    }
}
