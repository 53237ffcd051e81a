//! What the Lambda mains share: the ports on AWS, the events that invoke them, and what a job's end means to Lambda.
//!
//! To add a job's function: a main in `src/bin` called like the job, and its resource in `template.yaml`.

mod batch;
mod config;
mod context;
mod perform;
mod serve;
mod tick;
mod unwired;

pub use batch::{Batch, Failures};
pub use context::Function;
pub use serve::{serve_queue, serve_ticks};
pub use tick::Tick;
