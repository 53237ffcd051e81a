//! A query and what it brought, as they go over the wire.

use std::time::Duration;

use domain::protocol::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    clock,
    hex::hex_of_bytes,
    line::Reply,
    socket_io::buffer,
    truth::{Acknowledged, AcknowledgedReply},
};

/// What the gateway writes into a query when it sends it back.
const WRITTEN_BY_GATEWAY: [&str; 6] = ["useTime", "DevMac", "eventType", "useBytes", "contents", "time"];

/// A query from the server. What it says beyond what a node needs goes back with the result, untouched.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Query {
    pub(crate) mac: String,
    pub(crate) pid: u8,
    #[serde(rename = "type")]
    pub(crate) line: Line,
    pub(crate) time_stamp: i64,
    pub(crate) content: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Query {
    /// Reads the argument of a `query` event, or says why the real program would not survive it.
    pub(crate) fn read(argument: Value) -> Result<Self, String> {
        let mut query: Self = serde_json::from_value(argument).map_err(|error| error.to_string())?;
        if query.content.is_empty() {
            return Err("its content is empty".to_owned());
        }
        query.rest.retain(|field, _| !WRITTEN_BY_GATEWAY.contains(&field.as_str()));
        Ok(query)
    }

    /// Leaves only the last instruction, as a gateway does for a device that did not answer lately.
    pub(crate) fn keep_last_instruction(&mut self) {
        self.content.drain(..self.content.len().saturating_sub(1));
    }
}

/// A query that was carried out.
pub(crate) struct Asked {
    pub(crate) query: Query,
    pub(crate) unanswered: Vec<String>,
    answered: Vec<Answered>,
    spent: Duration,
}

struct Answered {
    content: String,
    reply: Reply,
    bytes: usize,
}

#[derive(Serialize)]
struct Body<'a> {
    data: QueryResult<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryResult<'a> {
    #[serde(flatten)]
    query: &'a Query,
    use_time: u128,
    #[serde(rename = "DevMac")]
    dev_mac: &'a str,
    event_type: &'a str,
    use_bytes: usize,
    contents: Vec<Exchanged<'a>>,
    time: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exchanged<'a> {
    content: &'a str,
    buffer: Value,
    use_time: u128,
    use_byte: usize,
}

impl Asked {
    pub(crate) fn new(query: Query) -> Self {
        Self { query, unanswered: Vec::new(), answered: Vec::new(), spent: Duration::ZERO }
    }

    /// An instruction was answered; `written` bytes asked for it.
    pub(crate) fn answered(&mut self, content: String, written: usize, reply: Reply) {
        self.spent += reply.took;
        self.answered.push(Answered { content, bytes: written + reply.bytes.len(), reply });
    }

    /// An instruction brought nothing in the time that a gateway waits.
    pub(crate) fn unanswered(&mut self, content: String, waited: Duration) {
        self.spent += waited;
        self.unanswered.push(content);
    }

    /// Whether nothing came at all.
    pub(crate) fn brought_nothing(&self) -> bool {
        self.answered.is_empty()
    }

    /// The body of the `queryData` post.
    pub(crate) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let contents = self.answered.iter().map(|answered| Exchanged {
            content: &answered.content,
            buffer: buffer(&answered.reply.bytes),
            use_time: answered.reply.took.as_millis(),
            use_byte: answered.bytes,
        });
        serde_json::to_vec(&Body {
            data: QueryResult {
                query: &self.query,
                use_time: self.spent.as_millis(),
                dev_mac: &self.query.mac,
                event_type: "QueryInstruct",
                use_bytes: self.bytes(),
                contents: contents.collect(),
                time: clock::javascript_now(),
            },
        })
    }

    /// What is recorded when the server has acknowledged it.
    pub(crate) fn record(&self) -> Acknowledged {
        let replies = self.answered.iter().map(|answered| AcknowledgedReply {
            content: answered.content.clone(),
            bytes: hex_of_bytes(&answered.reply.bytes),
            fault: answered.reply.fault,
        });
        Acknowledged {
            mac: self.query.mac.clone(),
            pid: self.query.pid,
            time_stamp: self.query.time_stamp,
            use_bytes: self.bytes(),
            replies: replies.collect(),
        }
    }

    fn bytes(&self) -> usize {
        self.answered.iter().map(|answered| answered.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query() -> Value {
        json!({
            "mac": "98D863CC870D", "type": 485, "mountDev": "温湿度", "protocol": "modbusP", "pid": 1,
            "timeStamp": 1_795_424_465_907_i64, "content": ["010300000002c40b", "01030001000295cb"], "Interval": 20000,
            "useTime": 0,
        })
    }

    #[test]
    fn a_result_is_the_query_with_what_it_brought() {
        let mut asked = Asked::new(Query::read(query()).unwrap());
        let reply =
            Reply { bytes: vec![1, 3, 4, 1, 244, 0, 200, 187, 171], took: Duration::from_millis(66), fault: None };
        asked.answered("010300000002c40b".to_owned(), 8, reply);
        asked.unanswered("01030001000295cb".to_owned(), Duration::from_secs(10));
        let text = String::from_utf8(asked.body().unwrap()).unwrap();
        assert_eq!(text.matches("\"useTime\"").count(), 2, "no field twice: {text}");
        let mut body: Value = serde_json::from_str(&text).unwrap();
        let mut expected = query();
        for (field, value) in [
            ("useTime", json!(10_066)),
            ("DevMac", json!("98D863CC870D")),
            ("eventType", json!("QueryInstruct")),
            ("useBytes", json!(17)),
            ("time", body["data"]["time"].take()),
            (
                "contents",
                json!([{
                    "content": "010300000002c40b", "useTime": 66, "useByte": 17,
                    "buffer": { "type": "Buffer", "data": [1, 3, 4, 1, 244, 0, 200, 187, 171] },
                }]),
            ),
        ] {
            expected[field] = value;
        }
        body["data"]["time"] = expected["time"].clone();
        assert_eq!(body, json!({ "data": expected }));
        assert_eq!(asked.unanswered, ["01030001000295cb"]);
        assert_eq!(asked.record().replies[0].bytes, "01030401f400c8bbab");
    }

    #[test]
    fn a_query_that_would_kill_a_gateway_is_told_apart() {
        let with = |content: Value| {
            let mut query = query();
            query["content"] = content;
            Query::read(query).map(|query| query.content)
        };
        assert_eq!(with(json!([])).unwrap_err(), "its content is empty");
        assert!(with(json!("010300000002c40b")).is_err());
        assert!(with(json!(["01"])).is_ok());
    }
}
