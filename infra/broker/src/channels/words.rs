//! What a client asks of `/live`, and what it is answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    hub::{Beginning, NotHeard},
    window::Place,
};

/// `subscribe` and `unsubscribe`.
#[derive(Deserialize)]
pub(super) struct Request {
    pub channels: Vec<Wanted>,
}

/// A channel, and the last envelope that the client has of it.
#[derive(Deserialize)]
pub(super) struct Wanted {
    pub channel: String,
    seq: Option<u64>,
    epoch: Option<String>,
}

impl Request {
    /// None when it is none.
    pub(super) fn read(argument: Option<&Value>) -> Option<Self> {
        Self::deserialize(argument?).ok()
    }
}

impl Wanted {
    /// Where the client was, if it was there before. Half a place is one that is not known.
    pub(super) fn from(&self) -> Option<Place<'_>> {
        let was_there = self.seq.is_some() || self.epoch.is_some();
        let place = Place { seq: self.seq.unwrap_or_default(), epoch: self.epoch.as_deref().unwrap_or_default() };
        was_there.then_some(place)
    }
}

/// What became of the channels of a request, in its order.
#[derive(Serialize, Default)]
pub(super) struct Acknowledgement {
    pub channels: Vec<Answer>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

/// What became of one.
#[derive(Serialize)]
pub(super) struct Answer {
    channel: String,
    ok: bool,
    #[serde(flatten)]
    begins: Option<Beginning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl Acknowledgement {
    /// Of what could not be understood.
    pub(super) fn of_nonsense() -> Self {
        Self { channels: Vec::new(), code: Some("bad_request") }
    }
}

impl Answer {
    /// The channel is heard, or is not any more.
    pub(super) fn yes(channel: String, begins: Option<Beginning>) -> Self {
        Self { channel, ok: true, begins, code: None }
    }

    pub(super) fn no(channel: String, why: NotHeard) -> Self {
        Self { channel, ok: false, begins: None, code: Some(why.code()) }
    }
}
