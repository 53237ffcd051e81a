//! What grows with what happens.

use serde::Serialize;

use crate::{
    DAYS, Installation, Line,
    figures::{ANSWER_BYTES, MS_PER_READING, MS_PER_RUN, READS_OF_A_NODES_PLAN, READS_OF_A_TERMINALS_PLAN, alarm},
    prices,
};

const MILLION: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
/// A function's memory, in gigabytes.
const MEMORY: f64 = 0.25;
/// What one request to a queue pays at most, in bytes.
const REQUEST_BYTES: f64 = 65_536.0;
/// A message is sent, received and forgotten: alone, where it has not to wait for its function.
const REQUESTS_PER_MESSAGE: f64 = 3.0;
/// The jobs' queues, and how often a minute Lambda looks into one that is empty.
const QUEUES: f64 = 5.0;
const LOOKS_PER_MINUTE: f64 = 15.0;
/// What a run writes into its log, in bytes.
const LOG_BYTES_PER_RUN: f64 = 900.0;

/// What a number of readings, or an alarm with its end, consumes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Consumption {
    /// Write units of the table.
    pub writes: f64,
    /// Read units of the table.
    pub reads: f64,
    /// Requests to queues.
    pub queue_requests: f64,
    /// Gigabyte-seconds of functions.
    pub gigabyte_seconds: f64,
    /// Messages published to topics.
    pub published: f64,
}

/// What a thousand readings consume: what there is without any is left out.
pub(crate) fn of_a_thousand(installation: &Installation) -> Consumption {
    let batches = 1000.0 / installation.batch().readings;
    Consumption {
        writes: 1000.0 * installation.writes_per_reading(),
        reads: 1000.0 * installation.reads_per_reading(),
        queue_requests: batches * requests_of_a_batch(installation),
        gigabyte_seconds: gigabyte_seconds(2.0 * batches / installation.messages_per_run, 1000.0),
        published: batches,
    }
}

/// What an alarm consumes with its end.
pub(crate) fn of_an_alarm() -> Consumption {
    Consumption {
        writes: alarm::WRITES,
        reads: alarm::READS,
        queue_requests: alarm::MESSAGES * REQUESTS_PER_MESSAGE,
        gigabyte_seconds: gigabyte_seconds(alarm::MESSAGES, 0.0),
        // To the topic of its severity, and to browsers.
        published: 4.0,
    }
}

fn gigabyte_seconds(runs: f64, readings: f64) -> f64 {
    MEMORY * (runs * MS_PER_RUN + 2.0 * readings * MS_PER_READING) / 1000.0
}

/// The lines of readings.
pub(crate) fn lines(installation: &Installation) -> Vec<Line> {
    let readings = installation.readings();
    let messages = 2.0 * installation.batches() + windows(installation);
    let runs = messages / installation.messages_per_run + ticks();
    let writes = readings * installation.writes_per_reading();
    let reads = readings * installation.reads_per_reading();
    let plan = installation.nodes * READS_OF_A_NODES_PLAN + installation.terminals * READS_OF_A_TERMINALS_PLAN;
    let planning = minutes() * plan + ticks();
    let kept = readings * installation.bytes_per_reading();
    let stored = kept * installation.kept_days / DAYS / GIGABYTE;
    vec![
        Line::new("DynamoDB writes", writes / MILLION, "M units", prices::WRITES),
        Line::new("DynamoDB reads", reads / MILLION, "M units", prices::READS),
        Line::new("DynamoDB reads, for plans", planning / MILLION, "M units", prices::READS),
        Line::new("DynamoDB storage with recovery", stored, "GB", prices::STORED),
        Line::new("SQS requests", requests(installation) / MILLION, "M requests", prices::QUEUE_REQUESTS),
        Line::new("SNS, to browsers", installation.batches() / MILLION, "M messages", prices::PUBLISHED),
        Line::new("Lambda invocations", runs / MILLION, "M", prices::INVOCATIONS),
        Line::new("Lambda time", gigabyte_seconds(runs, readings), "GB-s", prices::GB_SECOND),
        Line::new("Logs", runs * LOG_BYTES_PER_RUN / GIGABYTE, "GB", prices::LOGS),
    ]
}

/// The lines of alarms and of those who hear of them.
pub(crate) fn of_alarms(installation: &Installation) -> Vec<Line> {
    let alarms = installation.alarms * installation.devices();
    let Consumption { writes, reads, queue_requests, gigabyte_seconds, published } = of_an_alarm();
    vec![
        Line::new("DynamoDB writes", alarms * writes / MILLION, "M units", prices::WRITES),
        Line::new("DynamoDB reads", alarms * reads / MILLION, "M units", prices::READS),
        Line::new("SQS requests", alarms * queue_requests / MILLION, "M requests", prices::QUEUE_REQUESTS),
        Line::new("SNS", alarms * published / MILLION, "M messages", prices::PUBLISHED),
        Line::new("Lambda invocations", alarms * alarm::MESSAGES / MILLION, "M", prices::INVOCATIONS),
        Line::new("Lambda time", alarms * gigabyte_seconds, "GB-s", prices::GB_SECOND),
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

/// Runs of `plan_window` and `sweep`, each of which reads once.
fn ticks() -> f64 {
    2.0 * minutes()
}

/// Requests to queues: of each batch those below, of each minute a plan for each node, and the looks into queues that hold
/// nothing.
fn requests(installation: &Installation) -> f64 {
    // To the job, and to the broker.
    let plans = windows(installation) * (1.0 + taken(installation) + REQUESTS_PER_MESSAGE);
    let looks = minutes() * (QUEUES * LOOKS_PER_MINUTE + 3.0 * installation.brokers);
    installation.batches() * requests_of_a_batch(installation) + plans + looks
}

/// The brokers' message, which is larger than most, and the evidence; and what each broker's inbox gives it of the topic.
fn requests_of_a_batch(installation: &Installation) -> f64 {
    let sent = (installation.batch().readings * ANSWER_BYTES / REQUEST_BYTES).ceil().max(1.0);
    sent + taken(installation) + 1.0 + taken(installation) + 2.0 * installation.brokers
}

/// For each message of a job: it is received and forgotten, alone or with others.
fn taken(installation: &Installation) -> f64 {
    (REQUESTS_PER_MESSAGE - 1.0) / installation.messages_per_run
}
