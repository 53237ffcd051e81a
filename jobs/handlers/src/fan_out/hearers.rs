//! Who hears of a transition, and of which of its changes.

use domain::{
    Source,
    alarm::{Change, owner},
};
use records::{
    Table, TableError,
    alarms::Transition,
    locale::Locale,
    notices::{EVERYBODY, channel},
    users::{self, Role, User},
};

use crate::catalog::{Setup, concerns};

/// Somebody who hears of a transition.
#[derive(Debug, PartialEq)]
pub(super) struct Hearer {
    /// A user's name, or [`EVERYBODY`].
    pub name: String,
    /// On which channels.
    pub channels: Vec<&'static str>,
    /// How they are spoken to.
    pub locale: Locale,
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
    let hearers = hearers.map(|user| {
        let transition = part(transition, |change| concerns(change, &user.user, setups));
        Hearer { channels: channels(&user), name: user.user, locale: user.locale, transition }
    });
    Ok(hearers.filter(|hearer| !hearer.transition.changes.is_empty()).collect())
}

/// Whoever subscribed to the topic of the transition's severity. What concerns one person alone is not told there.
pub(super) fn subscribers(transition: &Transition) -> Option<Hearer> {
    let transition = part(transition, |change| owner(&change.rule).is_none());
    let severity = transition.changes.iter().map(|change| change.severity).max()?;
    let (name, channels) = (EVERYBODY.to_owned(), vec![channel::topic(severity)]);
    Some(Hearer { name, channels, locale: Locale::default(), transition })
}

fn part(transition: &Transition, is_wanted: impl Fn(&Change) -> bool) -> Transition {
    let changes = transition.changes.iter().filter(|change| is_wanted(change)).cloned().collect();
    Transition { changes, ..transition.clone() }
}

fn channels(user: &User) -> Vec<&'static str> {
    let email = user.mail.as_ref().map(|_| channel::EMAIL);
    let sms = user.phone.as_ref().map(|_| channel::SMS);
    let webhook = user.webhook.as_ref().map(|_| channel::WEBHOOK);
    email.into_iter().chain(sms).chain(webhook).collect()
}
