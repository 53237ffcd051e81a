//! From the replies to one query to a reading, or to the proof that there is none.

use std::{iter::repeat_n, time::Duration};

use domain::{
    Timestamp,
    alarm::{Frame, Frames},
    protocol::{FaultWord, QFS, Reply},
    reading::Reading,
    time::{CLOCKS_DIFFER, device_time, is_late},
};
use records::terminals::Terminal;

use crate::{
    Context, JobError,
    report::{Answer, Report},
};

/// What is counted where a coefficient's program failed.
const PROGRAM_FAILED: &str = "program_failed";

/// What an answer amounts to.
#[derive(Debug)]
pub(super) enum Verified {
    /// Values that are proven.
    Reading(Box<Read>),
    /// Nothing in it is proven, for these reasons.
    Nothing(Vec<&'static str>),
    /// The device or its protocol is not registered.
    Unknown,
}

/// What was read out of an answer.
#[derive(Debug)]
pub(super) struct Read {
    /// The values that are proven.
    pub reading: Reading,
    /// The kinds of what was not.
    pub rejected: Vec<&'static str>,
    /// What is said of a fault.
    pub fault: Option<FaultWord>,
    /// What came over the line.
    pub frames: Frames,
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
    let fault = model.protocol.fault_word(&replies);
    // What was asked since there is a fault is no part of the protocol.
    let is_asked_besides =
        |reply: &Reply<'_>| model.protocol.asks_for_faults(answer.pid) && reply.content.eq_ignore_ascii_case(QFS);
    let (_, replies): (Vec<_>, Vec<_>) = replies.into_iter().partition(is_asked_besides);
    let parsed = model.protocol.read(answer.pid, &replies);
    let kinds = parsed.rejected.iter().map(|(_, why)| why.kind());
    let rejected = kinds.chain(repeat_n(PROGRAM_FAILED, parsed.programs_failed)).collect();
    if parsed.values.is_empty() {
        return Ok(Verified::Nothing(rejected));
    }
    let frames = Frames::of(answer.replies.iter().map(|reply| {
        let why = parsed.rejected.iter().find(|(content, _)| *content == reply.content).map(|(_, why)| why.kind());
        Frame::new(&reply.content, &reply.bytes, why)
    }));
    let at = device_time(answer.told, report.at);
    let interval = Duration::from_millis(answer.interval);
    let reading = Reading {
        device: terminal.device_id(answer.pid),
        asked: asked(answer.asked, report.at),
        at,
        arrived: report.at,
        late: is_late(answer.asked, report.at, interval),
        values: parsed.values,
    };
    Ok(Verified::Reading(Box::new(Read { reading, rejected, fault, frames })))
}

/// When the query was sent, as the node gives it back. One that lies in the future was not sent by us: were it believed,
/// nothing after it would be newer.
fn asked(told: Timestamp, arrived: Timestamp) -> Timestamp {
    if told > arrived.plus(CLOCKS_DIFFER) { arrived } else { told }
}
