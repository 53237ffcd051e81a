//! A configuration: a TOML file, and the environment over it.

use std::path::Path;

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::de::DeserializeOwned;

/// What is wrong with a configuration, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("there is no configuration file {0}")]
    NoFile(String),
    /// A key or a value makes no sense.
    #[error("the configuration is wrong: {0}")]
    Wrong(Box<figment::Error>),
}

/// Reads `file`, if one is named, and lets `TELLTALE_…` variables stand over it: `TELLTALE_LISTEN` for `listen`,
/// `TELLTALE_SCHEDULE__WINDOW_MS` for `schedule.window_ms`.
pub fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    let environment = Env::prefixed("TELLTALE_").filter(|key| !is_of_others(key.as_str())).split("__");
    figment.merge(environment).extract().map_err(|error| ConfigError::Wrong(Box::new(error)))
}

/// What is no key of a configuration: how the log is told, and what Kubernetes tells every container of a service that is called
/// `telltale` (`TELLTALE_SERVICE_HOST`, `TELLTALE_PORT_80_TCP_ADDR`). Anything else is: a slip of the pen must not run on defaults.
fn is_of_others(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "log" || key == "port" || key.starts_with("port_") || key.starts_with("service_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_tells_of_a_service_of_our_name_is_no_key() {
        for key in ["LOG", "PORT", "PORT_80_TCP_ADDR", "SERVICE_HOST", "SERVICE_PORT_HTTP"] {
            assert!(is_of_others(key), "{key}");
        }
        for key in ["LISTEN", "SCHEDULE__WINDOW_MS", "REDIS_URL", "BIN"] {
            assert!(!is_of_others(key), "{key}");
        }
    }
}
