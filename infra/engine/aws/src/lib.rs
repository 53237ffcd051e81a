//! AWS, or an engine that speaks like it: the configuration that every SDK client shares, and how to wait and complain.
//!
//! The SDK reads its own environment: `AWS_REGION`, credentials, and `AWS_ENDPOINT_URL` (or `AWS_ENDPOINT_URL_DYNAMODB`,
//! `AWS_ENDPOINT_URL_SQS`) for an engine that stands in for AWS.
//!
//! To add an adapter: take an [`SdkConfig`] in its constructor and make the service's client from it; only that adapter
//! names the service's SDK.

mod backoff;
mod config;
mod explain;
#[cfg(feature = "secrets")]
mod secret;
mod text;

pub use aws_config::SdkConfig;
pub use backoff::{Backoff, GaveUp};
pub use config::{emulated, load};
pub use explain::explain;
#[cfg(feature = "secrets")]
pub use secret::{SecretError, secret};
pub use text::{json_text, plain_text};
