//! AWS's list prices in US dollars, us-east-1, as of November 2026. Other regions differ by up to a half.

/// A million write units, on demand.
pub const WRITES: f64 = 0.625;
/// A million read units, on demand.
pub const READS: f64 = 0.125;
/// A gigabyte in the table for a month, and in its point-in-time recovery.
pub const STORED: f64 = 0.25 + 0.20;
/// A million requests to standard queues.
pub const QUEUE_REQUESTS: f64 = 0.40;
/// A million messages published to topics.
pub const PUBLISHED: f64 = 0.50;
/// A million invocations.
pub const INVOCATIONS: f64 = 0.20;
/// A gigabyte-second of a function on arm64.
pub const GB_SECOND: f64 = 0.000_013_333_4;
/// A gigabyte of logs taken in.
pub const LOGS: f64 = 0.50;
/// A thousand e-mails by SES.
pub const EMAILS: f64 = 0.10;
/// A processor for an hour, and a gigabyte of memory for an hour, on Fargate (arm64).
pub const PROCESSOR_HOUR: f64 = 0.032_38;
/// See [`PROCESSOR_HOUR`].
pub const MEMORY_HOUR: f64 = 0.003_56;
/// A network load balancer for an hour, and a unit of its capacity for an hour.
pub const BALANCER_HOUR: f64 = 0.0225;
/// See [`BALANCER_HOUR`].
pub const BALANCER_UNIT_HOUR: f64 = 0.006;
/// A public IPv4 address for an hour.
pub const ADDRESS_HOUR: f64 = 0.005;
/// An alarm of CloudWatch for a month.
pub const ALARM: f64 = 0.10;
/// A metric of ours for a month.
pub const METRIC: f64 = 0.30;
/// A dashboard for a month.
pub const DASHBOARD: f64 = 3.0;
/// A secret for a month.
pub const SECRET: f64 = 0.40;
