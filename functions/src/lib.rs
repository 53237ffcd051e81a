//! What the Lambda mains share: the ports on AWS, the events that invoke them, and what a job's end means to Lambda.
//!
//! To add a job's function: a main in `src/bin` called like the job, and its resource in `template.yaml`.

mod api;
mod batch;
mod config;
mod context;
mod import;
mod metrics;
mod perform;
mod post;
mod request;
mod serve;
mod tick;
mod unwired;

pub use api::serve_api;
pub use batch::{Batch, Failures};
pub use context::Function;
pub use import::serve_imports;
pub use serve::{serve_queue, serve_ticks};
pub use tick::Tick;
