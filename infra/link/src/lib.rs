//! The link's adapters: the way of jobs and the API to the brokers.
//!
//! [`in_process`] is for the one broker of a process. With the feature `aws`, `AwsLink` reaches any number of them: each
//! reads an `AwsInbox` of its own; with the feature `redis`, `RedisLink` and `RedisInbox` do. To add one: a file here that implements the port, and a line in `tests/contract/link.rs`.

#[cfg(feature = "aws")]
mod aws;
mod in_process;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "aws")]
pub use aws::{AwsInbox, AwsInboxes, AwsLink, AwsLinkSettings};
pub use in_process::{InProcess, in_process};
#[cfg(feature = "redis")]
pub use redis::{RedisInbox, RedisInboxes, RedisLink};
