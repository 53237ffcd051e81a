//! A `queryData` post, as a bare server reads it.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct QueryData {
    pub(crate) data: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    pub(crate) mac: String,
    pub(crate) pid: u8,
    pub(crate) time_stamp: i64,
    #[serde(rename = "protocol")]
    _protocol: String,
    #[serde(rename = "Interval")]
    _interval: u64,
    #[serde(rename = "useTime")]
    _use_time: u64,
    #[serde(rename = "useBytes")]
    _use_bytes: u64,
    #[serde(rename = "time")]
    _time: Value,
    pub(crate) contents: Vec<Reply>,
}

#[derive(Deserialize)]
pub(crate) struct Reply {
    pub(crate) content: String,
    pub(crate) buffer: Buffer,
}

#[derive(Deserialize)]
pub(crate) struct Buffer {
    pub(crate) data: Vec<u8>,
}
