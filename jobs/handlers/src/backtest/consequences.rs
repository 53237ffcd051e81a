//! Who would have been told how often.

use std::collections::BTreeMap;

use domain::{
    DeviceId,
    alarm::{Change, ChangeKind, Rule, owner},
};
use records::{
    Table, TableError,
    channels::Channels,
    users::{self, Role, User},
};

use crate::deliver_notice::RAISED;

/// How often one person would have been told on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The user.
    pub user: String,
    /// The channel.
    pub channel: String,
    /// Of alarms that began, or came to matter more or less.
    pub alarms: usize,
    /// Of their ends.
    pub recoveries: usize,
}

/// Counts them.
pub(super) struct Consequences {
    /// Those who may be told at all.
    users: Vec<User>,
    told: BTreeMap<(String, String), (usize, usize)>,
    is_silent: bool,
}

impl Consequences {
    pub(super) async fn of(table: &dyn Table, rule: &Rule) -> Result<Self, TableError> {
        let owner = owner(&rule.id);
        let users = users::list(table).await?.into_iter();
        let users = users.filter(|user| owner.as_ref().is_none_or(|owner| *owner == user.user)).collect();
        Ok(Self { users, told: BTreeMap::new(), is_silent: rule.shadow })
    }

    /// Counts what a device's changes would have told.
    pub(super) async fn add(
        &mut self,
        table: &dyn Table,
        device: &DeviceId,
        changes: &[Change],
    ) -> Result<(), TableError> {
        let changes: Vec<&Change> = changes.iter().filter(|change| change.is_told()).collect();
        if changes.is_empty() || self.is_silent {
            return Ok(());
        }
        let bound = users::of_terminal(table, &device.mac).await?;
        let recoveries = changes.iter().filter(|change| change.kind == ChangeKind::Cleared).count();
        let alarms = changes.len() - recoveries;
        for user in self.users.iter().filter(|user| user.role == Role::Admin || bound.contains(&user.user)) {
            for channel in Channels::of(table, user).await?.told_first(RAISED) {
                let told = self.told.entry((user.user.clone(), channel)).or_default();
                told.0 += alarms;
                told.1 += recoveries;
            }
        }
        Ok(())
    }

    /// What was counted, by user and channel.
    pub(super) fn told(self) -> Vec<Told> {
        let told = |((user, channel), (alarms, recoveries))| Told { user, channel, alarms, recoveries };
        self.told.into_iter().map(told).collect()
    }
}
