//! Starting a process: its configuration, its log, its clock and dice, its signals. The one place that reads the
//! environment.

mod ambient;
mod config;
mod files;
mod log;
mod machine;
mod signal;

pub use ambient::{SystemClock, SystemDice};
pub use config::{ConfigError, load};
pub use files::most_connections;
pub use log::init_log;
pub use machine::host_name;
pub use signal::stop_signal;
