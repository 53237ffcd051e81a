//! Who hears of a transition, and of which of its changes.

use domain::{
    Source,
    alarm::{Change, owner},
};
use records::{
    Table, TableError,
    alarms::Transition,
    channels::Channels,
    notices::{EVERYBODY, channel},
    users::{self, Role},
};

use crate::{
    catalog::{Setup, concerns},
    deliver_notice::event_of,
};

/// Somebody who hears of a transition.
#[derive(Debug, PartialEq)]
pub(super) struct Hearer {
    /// A user's name, or [`EVERYBODY`].
    pub name: String,
    /// On which channels.
    pub channels: Vec<String>,
    /// What they hear of: the transition with those of its changes that concern them, one at least.
    pub transition: Transition,
}

/// The users whom something of a transition concerns: of those its terminal is bound to, and of every admin.
pub(super) async fn users(
    table: &dyn Table,
    source: &Source,
    transition: &Transition,
    setups: &[Setup],
) -> Result<Vec<Hearer>, TableError> {
    let bound = match source.mac() {
        Some(mac) => users::of_terminal(table, mac).await?,
        None => Vec::new(),
    };
    let all = users::list(table).await?.into_iter();
    let hearers = all.filter(|user| user.role == Role::Admin || bound.contains(&user.user));
    let parts = hearers.map(|user| (part(transition, |change| concerns(change, &user.user, setups)), user));
    let mut told = Vec::new();
    for (transition, user) in parts.filter(|(transition, _)| !transition.changes.is_empty()) {
        let channels = Channels::of(table, &user).await?.told_first(event_of(&transition.changes));
        told.push(Hearer { name: user.user, channels, transition });
    }
    Ok(told)
}

/// Whoever subscribed to the topic of the transition's severity. What concerns one person alone is not told there.
pub(super) fn subscribers(transition: &Transition) -> Option<Hearer> {
    let transition = part(transition, |change| owner(&change.rule).is_none());
    let severity = transition.changes.iter().map(|change| change.severity).max()?;
    Some(Hearer { name: EVERYBODY.to_owned(), channels: vec![channel::topic(severity).to_owned()], transition })
}

fn part(transition: &Transition, is_wanted: impl Fn(&Change) -> bool) -> Transition {
    let changes = transition.changes.iter().filter(|change| is_wanted(change)).cloned().collect();
    Transition { changes, ..transition.clone() }
}
