//! The functions' real programs, as Lambda runs them, wired as `template.yaml` wires them.

pub(crate) mod asked;
mod away;
mod by_hand;
pub(crate) mod cloud;
mod events;
mod host;
mod metrics;
mod path;
mod services;
mod ticks;
pub(crate) mod whole;
