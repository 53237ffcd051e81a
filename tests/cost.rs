//! What readings cost on DynamoDB, by the adapter's own count of units, on a fixed seeded signal.

mod alarm;
mod budget;
mod docs;
mod examples;
mod gateways;
mod gathering;
mod lines;
mod meter;
mod plans;
mod posted;
mod signal;
mod sizes;

mod writes;
