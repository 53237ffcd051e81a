//! Adapters of the queue's ports, and the workers that run what they give out.
//!
//! [`MemoryQueue`] is for tests, [`EmbeddedQueue`] lies on the embedded store; what enqueueing, claiming and settling
//! mean is written once for both, in `ledger`. With the feature `sqs` there is one that enqueues
//! on SQS, with the feature `redis` one on Redis. [`SpooledQueue`] stands before one that may be away. [`Workers`] runs jobs from any [`jobs::ports::Consume`].
//!
//! To add a queue: a file here that implements the ports, and a line in `tests/contract/queue.rs` that gives it to the
//! suite every adapter passes.

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

pub use embedded::EmbeddedQueue;
pub use memory::MemoryQueue;
#[cfg(feature = "redis")]
pub use redis::RedisQueue;
pub use spool::SpooledQueue;
#[cfg(feature = "sqs")]
pub use sqs::{DeadMessage, SqsInspect, SqsQueue};
pub use workers::{Workers, backoff};
