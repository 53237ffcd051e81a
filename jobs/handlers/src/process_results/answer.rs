//! From the replies to one query to a reading, or to the proof that there is none.

use std::time::Duration;

use domain::{
    protocol::Reply,
    reading::Reading,
    time::{device_time, is_late},
};
use records::terminals::Terminal;

use crate::{
    Context, JobError,
    report::{Answer, Report},
};

/// What an answer amounts to.
#[derive(Debug)]
pub(super) enum Verified {
    /// Values that are proven, and the kinds of what was not.
    Reading(Reading, Vec<&'static str>),
    /// Nothing in it is proven, for these reasons.
    Nothing(Vec<&'static str>),
    /// The device or its protocol is not registered.
    Unknown,
}

/// Verifies and reads an answer.
pub(super) async fn verify(
    cx: &Context,
    terminal: &Terminal,
    report: &Report,
    answer: &Answer,
) -> Result<Verified, JobError> {
    let Some(device) = terminal.device(answer.pid) else {
        return Ok(Verified::Unknown);
    };
    let Some(model) = cx.model(&device.protocol).await? else {
        return Ok(Verified::Unknown);
    };
    let replies: Vec<Reply<'_>> =
        answer.replies.iter().map(|reply| Reply { content: &reply.content, bytes: &reply.bytes }).collect();
    let parsed = model.protocol.read(answer.pid, &replies);
    let rejected: Vec<&'static str> = parsed.rejected.iter().map(|(_, why)| why.kind()).collect();
    if parsed.values.is_empty() {
        return Ok(Verified::Nothing(rejected));
    }
    let at = device_time(answer.told, report.at);
    let interval = Duration::from_millis(answer.interval);
    let reading = Reading {
        device: terminal.device_id(answer.pid),
        asked: answer.asked,
        at,
        arrived: report.at,
        late: is_late(at.min(answer.asked), report.at, interval),
        values: parsed.values,
    };
    Ok(Verified::Reading(reading, rejected))
}
