//! The configuration of `telltale serve`: a TOML file, and `TELLTALE_…` variables over it.

mod explain;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use api::ApiSettings;
use broker::BrokerSettings;
use jobs::{AdoptionSettings, AlarmSettings, ScheduleSettings, Settings};
use notify::NotifySettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::ConfigArguments;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The folder of the embedded store. Made when it is not there.
    pub data: PathBuf,
    /// Where the API and the sockets listen, on one port.
    pub listen: SocketAddr,
    /// A site file that is imported at the start, unless it is the one that was imported last.
    pub import: Option<PathBuf>,
    /// How often devices are asked.
    pub schedule: ScheduleSettings,
    /// When an alarm is one.
    pub alarms: AlarmSettings,
    /// Terminals that are registered by their coming.
    pub adoption: AdoptionSettings,
    /// The channels to people.
    pub notify: NotifySettings,
    /// The sockets.
    pub broker: BrokerSettings,
    /// Signing in.
    pub auth: AuthSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("telltale-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            import: None,
            schedule: ScheduleSettings::default(),
            alarms: AlarmSettings::default(),
            adoption: AdoptionSettings::default(),
            notify: NotifySettings::default(),
            broker: BrokerSettings::default(),
            auth: AuthSettings::default(),
        }
    }
}

impl Config {
    /// What the jobs need of it.
    pub(crate) fn for_jobs(&self) -> Settings {
        Settings { schedule: self.schedule.clone(), alarms: self.alarms.clone(), adoption: self.adoption.clone() }
    }
}

/// Signing in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSettings {
    /// How long a sign-in lasts, in minutes.
    pub session_minutes: u64,
    /// Whether the cookie is sent over TLS only: set it when TLS ends before us.
    pub secure_cookie: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { session_minutes: 12 * 60, secure_cookie: false }
    }
}

impl AuthSettings {
    /// What the API needs of it.
    pub(crate) fn for_api(&self) -> ApiSettings {
        ApiSettings { session: Duration::from_secs(self.session_minutes * 60), secure_cookie: self.secure_cookie }
    }
}

/// `telltale config`.
pub(crate) fn command(arguments: &ConfigArguments) -> anyhow::Result<()> {
    if arguments.explain {
        print!("{}", explain::text());
        return Ok(());
    }
    let config: Config = boot::load(arguments.config.as_deref())?;
    println!("the configuration is right: data in {}, listening on {}", config.data.display(), config.listen);
    Ok(())
}
