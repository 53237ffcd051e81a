//! What is said on `/live`: one event, whose argument is an envelope.

use domain::Timestamp;
use jobs::ports::Push;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{channel::Channel, window::Place};

/// The one event.
pub(super) const LIVE: &str = "live";

#[derive(Serialize)]
struct Envelope<'a, T> {
    event: &'a str,
    channel: &'a str,
    data: &'a T,
    timestamp: Timestamp,
    seq: u64,
    epoch: &'a str,
}

/// Says that something of a channel is not kept any more, and where to look instead.
#[derive(Serialize)]
struct Gap<'a> {
    event: &'a str,
    channel: &'a str,
    seq: u64,
    epoch: &'a str,
    snapshot: String,
}

/// Says that a channel may not be heard any more.
#[derive(Serialize)]
struct Ended<'a> {
    event: &'a str,
    channel: &'a str,
    code: &'a str,
}

/// A push at its place, as it is sent and kept. None when it cannot be written.
pub(super) fn of_push(channel: &Channel, push: &Push, timestamp: Timestamp, place: Place<'_>) -> Option<Box<RawValue>> {
    let Place { seq, epoch } = place;
    let (event, channel, data) = (&*push.event, channel.name(), &push.data);
    to_raw_value(&Envelope { event, channel, data, timestamp, seq, epoch }).ok()
}

/// From this place on all of the channel follows; what was before is not known.
pub(super) fn gap(channel: &Channel, place: Place<'_>) -> Option<Box<RawValue>> {
    let Place { seq, epoch } = place;
    to_raw_value(&Gap { event: "gap", channel: channel.name(), seq, epoch, snapshot: channel.snapshot() }).ok()
}

/// The channel's last envelope, and why.
pub(super) fn ended(channel: &Channel, code: &str) -> Option<Box<RawValue>> {
    to_raw_value(&Ended { event: "ended", channel: channel.name(), code }).ok()
}
