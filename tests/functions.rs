//! The functions' real programs, as Lambda runs them, wired as `template.yaml` wires them.

mod path;
mod ticks;
