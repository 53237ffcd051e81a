//! What readings cost on DynamoDB, by the adapter's own count of units, on a fixed seeded signal.

mod alarm;
mod budget;
mod gateways;
mod gathering;
mod meter;
mod plans;
mod sizes;
mod writes;
