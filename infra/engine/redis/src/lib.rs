//! Redis (7 or newer): the connection that its adapters share, the check that it keeps what it is given, and its clock.
//!
//! To add an adapter: take a [`Redis`] in its constructor, name its keys with [`Redis::key`], and change them in scripts
//! ([`Redis::run`]), so that what belongs together happens at once.

mod bell;
mod check;
mod clock;
mod connection;
mod settings;
mod turn;

pub use redis;

pub use bell::{Heard, listen};
pub use check::{AppendOnlyFile, Demand, unmet};
pub use clock::{ServerClock, clock_ahead};
pub use connection::{Redis, RedisError};
pub use settings::{QueueKind, RedisSettings};
pub use turn::Turn;
