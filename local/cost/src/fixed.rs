//! What is there whether anything is read or not.

use crate::{DAYS, Installation, Line, prices};

/// A broker's processors and gigabytes, as the template has them.
const PROCESSOR: f64 = 0.25;
const MEMORY: f64 = 0.5;

/// The load balancer has an address in each zone.
const ZONES: f64 = 2.0;

/// Alarms of the template, metrics of the functions, and secrets.
const ALARMS: f64 = 37.0;
const METRICS: f64 = 35.0;
const SECRETS: f64 = 1.0;

/// The lines.
pub(crate) fn lines(installation: &Installation) -> Vec<Line> {
    let hours = DAYS * 24.0;
    let brokers = installation.brokers * hours;
    vec![
        Line::new("Fargate processors", brokers * PROCESSOR, "hours", prices::PROCESSOR_HOUR),
        Line::new("Fargate memory", brokers * MEMORY, "GB-hours", prices::MEMORY_HOUR),
        Line::new("Public addresses", brokers + ZONES * hours, "hours", prices::ADDRESS_HOUR),
        Line::new("Load balancer", hours, "hours", prices::BALANCER_HOUR),
        Line::new("Load balancer's capacity", hours, "unit-hours", prices::BALANCER_UNIT_HOUR),
        Line::new("Alarms of CloudWatch", ALARMS, "alarms", prices::ALARM),
        Line::new("Metrics of ours", METRICS, "metrics", prices::METRIC),
        Line::new("Dashboard", 1.0, "dashboard", prices::DASHBOARD),
        Line::new("Secrets", SECRETS, "secrets", prices::SECRET),
    ]
}
