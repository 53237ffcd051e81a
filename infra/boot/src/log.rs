//! The log: pretty on a terminal, JSON lines elsewhere, always on standard error.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// The storage engine tells of every journal and table it turns over; its warnings are enough unless asked for more.
const QUIET: [&str; 2] = ["fjall=warn", "lsm_tree=warn"];

/// Starts the log. `TELLTALE_LOG` chooses what is told (`info`, `broker=debug,info`); `usual` when it says nothing.
pub fn init_log(usual: &str) {
    let usual = format!("{usual},{}", QUIET.join(","));
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, in boot")]
    let chosen = std::env::var("TELLTALE_LOG").unwrap_or_else(|_| usual.clone());
    let filter = EnvFilter::try_new(&chosen).unwrap_or_else(|_| EnvFilter::new(&usual));
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first one's log.
    let _ = if std::io::stderr().is_terminal() { log.try_init() } else { log.json().flatten_event(true).try_init() };
}
