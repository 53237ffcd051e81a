//! What the Lambda mains share: the ports on AWS, the events that invoke them, and what a job's end means to Lambda.
//!
//! To add a job's function: a main in `src/bin` called like the job, and its resource in `template.yaml`.

mod config;
mod context;
mod perform;
mod tick;
mod unwired;

pub use context::context;
pub use perform::perform;
pub use tick::Tick;
