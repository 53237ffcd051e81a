//! The pure heart: frames, protocols, schedules and the alarm machine.
//!
//! Nothing here waits, reads a clock, rolls dice or touches the world; everything is a function of its arguments.

pub mod alarm;
pub mod calendar;
pub mod frame;
pub mod identity;
pub mod phone;
pub mod protocol;
pub mod reading;
pub mod routing;
pub mod schedule;
pub mod script;
pub mod time;

pub use identity::{DeviceId, Mac, Need, NodeName, Pid, Source, is_name};
pub use time::Timestamp;
