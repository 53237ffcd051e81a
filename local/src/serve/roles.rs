//! What a process does.

use anyhow::ensure;

use crate::config::Config;

/// Which parts a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of them, and the store is its own.
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

    /// Whether the store is its own.
    pub(super) fn owns(self) -> bool {
        self == Self::Everything
    }

    /// Refuses what cannot work.
    pub(super) fn check(self, config: &Config) -> anyhow::Result<()> {
        let owns = self.owns();
        ensure!(
            owns || config.redis.is_some(),
            "telltale {} works beside other processes, and meets them over Redis: give it --redis redis://host:6379 \
             (or redis.url in the configuration). One process that does everything is `telltale serve`",
            self.name()
        );
        ensure!(
            owns || config.import.is_none(),
            "telltale {} has no store to import into: leave `import` to the process that owns it",
            self.name()
        );
        Ok(())
    }
}
