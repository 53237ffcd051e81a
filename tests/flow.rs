//! The jobs together, in one process, with a clock that is turned by hand.

mod alarms;
mod notices;
mod operations;
mod polling;
mod readings;
