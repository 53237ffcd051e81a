//! What scenarios are made of, and what the usual one leads to.

use std::time::Duration;

use domain::Timestamp;
use jobs::{
    Job, ProcessResults,
    ports::Message,
    report::{Event, Report},
};
use telltale_tests::flow::climate;

use super::outcome::Outcome;

/// How long before the base the sensor is asked: when it is hot, and when it is cool, one after the other.
const HOT: Duration = Duration::from_secs(65);
const COOL: Duration = Duration::from_mins(1);

/// What the keys of copies go on with.
pub(super) const COPY: &str = ", copy ";

/// What the broker reports, as a batch.
pub(super) fn batch(name: &str, at: Timestamp, event: Event) -> Message {
    let report = Report { node: "n1".to_owned(), at, event };
    ProcessResults { batch: name.to_owned(), reports: vec![report] }.message()
}

/// The sensor's answer, too hot.
pub(super) fn hot(base: Timestamp) -> Message {
    let at = base.minus(HOT);
    batch("hot", at, climate(40.0, at))
}

/// The sensor's next answer, cool enough.
pub(super) fn cool(base: Timestamp) -> Message {
    let at = base.minus(COOL);
    batch("cool", at, climate(20.0, at))
}

/// A message that asks for the same work under other names, so that every queue takes them all.
pub(super) fn copies(message: &Message, count: usize) -> Vec<Message> {
    let copy = |copy| Message { key: format!("{}{COPY}{copy}", message.key), ..message.clone() };
    (1..=count).map(copy).collect()
}

/// What comes of a hot reading and a cool one, each heard once.
pub(super) fn hot_then_cool() -> Outcome {
    Outcome {
        alarms: texts(["device threshold:temperature: raised at -65 s, cleared at -60 s"]),
        transitions: texts([
            "device: Cleared threshold:temperature at -60 s",
            "device: Raised threshold:temperature at -65 s",
        ]),
        notices: texts([
            "tech, webhook, Alarm: Cold store / 1 TH-10: Sent at attempt 1",
            "tech, webhook, Recovered: Cold store / 1 TH-10: Sent at attempt 1",
        ]),
        webhooks: texts(["Alarm: Cold store / 1 TH-10: 1", "Recovered: Cold store / 1 TH-10: 1"]),
        done: texts([
            "deliver_notice: Alarm: Cold store / 1 TH-10",
            "deliver_notice: Recovered: Cold store / 1 TH-10",
            "evaluate_alarms: cool/0",
            "evaluate_alarms: hot/0",
            "fan_out: device: Cleared threshold:temperature at -60 s",
            "fan_out: device: Raised threshold:temperature at -65 s",
            "process_results: cool",
            "process_results: hot",
        ]),
        ..heard()
    }
}

/// What is kept of both readings, whatever they lead to.
pub(super) fn heard() -> Outcome {
    let cool = "asked at -60 s: temperature 20, humidity 60";
    Outcome {
        history: texts([cool, "asked at -65 s: temperature 40, humidity 60"]),
        latest: texts([cool]),
        ..Outcome::default()
    }
}

pub(super) fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

/// With more work done.
pub(super) fn and_done(mut outcome: Outcome, more: impl IntoIterator<Item = String>) -> Outcome {
    outcome.done.extend(more);
    outcome.done.sort();
    outcome
}
