//! What a process does.

use anyhow::ensure;

use crate::config::Config;

/// Which parts a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of them, and the embedded store is its own.
    Everything,
    /// It holds sockets of gateway programs and browsers.
    Broker,
    /// It answers the API.
    Api,
    /// It runs jobs, and has a schedule.
    Worker,
}

impl Role {
    /// The command's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Everything => "serve",
            Self::Broker => "broker",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    /// Whether it does what a process of this role does.
    pub(super) fn does(self, role: Self) -> bool {
        self == role || self == Self::Everything
    }

    pub(super) fn listens(self) -> bool {
        self.does(Self::Broker) || self.does(Self::Api)
    }

    /// Whether the store is its own: a table on DynamoDB is nobody's.
    pub(super) fn owns(self, config: &Config) -> bool {
        self == Self::Everything && config.table.is_none()
    }

    /// Refuses what cannot work.
    pub(super) fn check(self, config: &Config) -> anyhow::Result<()> {
        ensure!(
            config.table.is_none() || config.redis.is_some(),
            "a table on DynamoDB has no queue beside it: telltale {} needs --redis redis://host:6379 (or redis.url in the \
             configuration) with it",
            self.name()
        );
        ensure!(
            self.owns(config) || config.redis.is_some(),
            "telltale {} works beside other processes, and meets them over Redis: give it --redis redis://host:6379 \
             (or redis.url in the configuration). One process that does everything is `telltale serve`",
            self.name()
        );
        ensure!(
            self == Self::Everything || config.import.is_none(),
            "telltale {} imports nothing: leave `import` to `telltale serve` or `telltale store`, or run `telltale import` once",
            self.name()
        );
        Ok(())
    }
}
