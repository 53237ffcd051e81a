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
    let environment = Env::prefixed("TELLTALE_").ignore(&["log"]).split("__");
    figment.merge(environment).extract().map_err(|error| ConfigError::Wrong(Box::new(error)))
}
