//! The jobs together, in one process, with a clock that is turned by hand.

mod alarm_setups;
mod alarms;
mod channels;
mod notices;
mod operations;
mod polling;
mod readings;
mod removals;
