//! Adapters of the queue's ports, and the workers that run what they give out.
//!
//! [`MemoryQueue`] is for tests, [`EmbeddedQueue`] lies on the embedded store; what enqueueing, claiming and settling
//! mean is written once for both, in `ledger`. With the feature `sqs` there is one that enqueues
//! on SQS, with the feature `redis` one on Redis, with `apalis-redis` one through that crate. [`SpooledQueue`] stands before one that may be away. [`Workers`] runs jobs from any [`Source`].
//!
//! To add a queue: a file here that implements the ports, and a line in `tests/contract/queue.rs` that gives it to the
//! suite every adapter passes.

#[cfg(feature = "apalis-redis")]
mod apalis_redis;
mod bells;
mod embedded;
mod ledger;
mod memory;
mod packed;
#[cfg(feature = "redis")]
mod redis;
mod spool;
#[cfg(feature = "sqs")]
mod sqs;
mod workers;

#[cfg(feature = "apalis-redis")]
pub use apalis_redis::{ApalisRedisQueue, GAPS, Gap, MOST_WAITING};
pub use embedded::EmbeddedQueue;
pub use memory::MemoryQueue;
#[cfg(feature = "redis")]
pub use redis::RedisQueue;
pub use spool::SpooledQueue;
#[cfg(feature = "sqs")]
pub use sqs::{DeadMessage, SqsInspect, SqsQueue};
pub use workers::{Source, Workers, backoff};
