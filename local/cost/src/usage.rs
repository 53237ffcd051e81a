//! What grows with what happens.

use crate::{
    DAYS, Installation, Line,
    figures::{ANSWER_BYTES, MS_PER_READING, MS_PER_RUN, alarm},
    prices,
};

const MILLION: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
/// A function's memory, in gigabytes.
const MEMORY: f64 = 0.25;
/// What one request to a queue pays at most, in bytes.
const REQUEST_BYTES: f64 = 65_536.0;
/// A message is sent, received and forgotten.
const REQUESTS_PER_MESSAGE: f64 = 3.0;
/// The jobs' queues, and how often a minute Lambda looks into one that is empty.
const QUEUES: f64 = 5.0;
const LOOKS_PER_MINUTE: f64 = 15.0;
/// What a run writes into its log, in bytes.
const LOG_BYTES_PER_RUN: f64 = 900.0;

/// The lines of readings.
pub(crate) fn lines(installation: &Installation) -> Vec<Line> {
    let readings = installation.readings();
    let runs = 2.0 * installation.batches() + windows(installation) + ticks();
    let seconds = (runs * MS_PER_RUN + 2.0 * readings * MS_PER_READING) / 1000.0;
    let writes = readings * installation.writes_per_reading();
    let reads = readings * installation.reads_per_reading();
    let kept = readings * (1.0 - installation.suppressed) * installation.bytes_per_reading();
    let stored = kept * installation.kept_days / DAYS / GIGABYTE;
    vec![
        Line::new("DynamoDB writes", writes / MILLION, "M units", prices::WRITES),
        Line::new("DynamoDB reads", reads / MILLION, "M units", prices::READS),
        Line::new("DynamoDB storage with recovery", stored, "GB", prices::STORED),
        Line::new("SQS requests", requests(installation) / MILLION, "M requests", prices::QUEUE_REQUESTS),
        Line::new("SNS, to browsers", installation.batches() / MILLION, "M messages", prices::PUBLISHED),
        Line::new("Lambda invocations", runs / MILLION, "M", prices::INVOCATIONS),
        Line::new("Lambda time", seconds * MEMORY, "GB-s", prices::GB_SECOND),
        Line::new("Logs", runs * LOG_BYTES_PER_RUN / GIGABYTE, "GB", prices::LOGS),
    ]
}

/// The lines of alarms and of those who hear of them.
pub(crate) fn of_alarms(installation: &Installation) -> Vec<Line> {
    let alarms = installation.alarms * installation.devices();
    let requests = alarms * alarm::MESSAGES * REQUESTS_PER_MESSAGE;
    vec![
        Line::new("DynamoDB writes", alarms * alarm::WRITES / MILLION, "M units", prices::WRITES),
        Line::new("DynamoDB reads", alarms * alarm::READS / MILLION, "M units", prices::READS),
        Line::new("SQS requests", requests / MILLION, "M requests", prices::QUEUE_REQUESTS),
        Line::new("SNS, to topics", 2.0 * alarms / MILLION, "M messages", prices::PUBLISHED),
        Line::new("Text messages", alarms * installation.sms, "messages", installation.sms_price),
        Line::new("E-mails", alarms * installation.emails / 1000.0, "thousand", prices::EMAILS),
    ]
}

fn minutes() -> f64 {
    DAYS * 24.0 * 60.0
}

/// Plans of a minute of one node.
fn windows(installation: &Installation) -> f64 {
    minutes() * installation.nodes
}

/// Runs of `plan_window` and `sweep`.
fn ticks() -> f64 {
    2.0 * minutes()
}

/// Requests to queues: of each batch the brokers' message and the evidence, and what each broker's inbox gives it of the
/// topic; of each minute a plan for each node; and the looks into queues that hold nothing.
fn requests(installation: &Installation) -> f64 {
    let batch_bytes = installation.in_a_batch() * ANSWER_BYTES;
    let larger = (batch_bytes / REQUEST_BYTES).ceil().max(1.0);
    let batches = installation.batches() * (larger + 2.0 + REQUESTS_PER_MESSAGE + 2.0 * installation.brokers);
    let plans = windows(installation) * 2.0 * REQUESTS_PER_MESSAGE;
    let looks = minutes() * (QUEUES * LOOKS_PER_MINUTE + 3.0 * installation.brokers);
    batches + plans + looks
}
