//! A query as nodes are sent it.

use domain::Timestamp;
use jobs::ports::PlannedQuery;
use serde::Serialize;

/// The `query` event's argument. `content` is never empty: an empty list kills the gateway program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Query {
    mac: String,
    #[serde(rename = "type")]
    line: u16,
    mount_dev: String,
    protocol: String,
    pid: u8,
    /// When it was sent. Comes back with the answer, and names it.
    time_stamp: Timestamp,
    content: Vec<String>,
    #[serde(rename = "Interval")]
    interval: u64,
    use_time: u64,
}

impl Query {
    /// The planned query, sent at `asked`.
    pub(super) fn new(planned: PlannedQuery, asked: Timestamp) -> Self {
        Self {
            mac: planned.mac.to_string(),
            line: planned.line,
            mount_dev: planned.model,
            protocol: planned.protocol,
            pid: planned.pid,
            time_stamp: asked,
            content: planned.contents,
            interval: planned.interval,
            use_time: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_as_the_contract_has_it() {
        let planned = PlannedQuery {
            at: Timestamp(1),
            mac: "98D863CC870D".parse().unwrap(),
            pid: 1,
            line: 485,
            protocol: "modbusP".to_owned(),
            model: "温湿度".to_owned(),
            contents: vec!["010300000002c40b".to_owned(), "01030001000295cb".to_owned()],
            interval: 20_000,
        };
        assert_eq!(
            serde_json::to_string(&Query::new(planned, Timestamp(1_795_424_465_907))).unwrap(),
            r#"{"mac":"98D863CC870D","type":485,"mountDev":"温湿度","protocol":"modbusP","pid":1,"timeStamp":1795424465907,"content":["010300000002c40b","01030001000295cb"],"Interval":20000,"useTime":0}"#
        );
    }
}
