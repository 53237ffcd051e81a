//! The functions' real programs, as Lambda runs them, wired as `template.yaml` wires them.

mod cloud;
mod path;
mod ticks;
mod whole;
