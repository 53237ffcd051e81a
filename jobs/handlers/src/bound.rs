//! Who may see a terminal from now on is told what stands there: nobody told them when it began, and they will be told its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    Mac, Source, Timestamp,
    alarm::{Life, SourceState},
    routing::{INBOX, Why},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm, Transition, Watch},
    terminals::{self, Terminal},
    users::{self, Role, User},
};

use crate::snooze::{Again, hold_again};

/// It is told after the terminal is bound: what somebody may not see yet would be forgotten.
const SOON: Duration = Duration::from_secs(10);

/// So many transitions of a source are looked through for the one that raised an alarm.
const LOOKED_THROUGH: usize = 100;

/// Binds a terminal to a user, and has what stands there told to them, unless they see it already. To ask again changes nothing.
pub async fn bind(table: &dyn Table, user: &User, mac: &Mac, now: Timestamp) -> Result<(), TableError> {
    let known = users::terminals(table, &user.user).await?;
    if user.role != Role::Admin
        && !known.contains(mac)
        && let Some(terminal) = terminals::get(table, mac).await?
    {
        for alarm in standing(table, user, &terminal, &known).await? {
            let transition = raised_by(table, &alarm).await?;
            let again = Again { name: ["bound", &user.user], transition, why: Why::Bound, is_by_name: false };
            hold_again(table, user, &again, &alarm, &[INBOX], (now, now.plus(SOON))).await?;
        }
    }
    users::bind(table, &user.user, mac).await
}

/// The alarms that stand at a terminal, on its devices and its node, which who sees it hears of.
async fn standing(
    table: &dyn Table,
    user: &User,
    terminal: &Terminal,
    known: &[Mac],
) -> Result<Vec<Alarm>, TableError> {
    let devices = terminal.devices.iter().map(|device| Source::Device(terminal.device_id(device.pid)));
    let mut sources: BTreeSet<Source> = devices.chain([Source::Terminal(terminal.mac.clone())]).collect();
    let others: BTreeMap<Mac, Terminal> =
        if known.is_empty() { BTreeMap::new() } else { terminals::get_many(table, known).await? };
    if !others.values().any(|other| other.node == terminal.node) {
        sources.insert(Source::Node(terminal.node.clone()));
    }
    let watches = alarms::watches(table, &sources.iter().collect()).await?;
    let ids: BTreeSet<String> = watches.values().flat_map(told).collect();
    let mut standing = alarms::get_many(table, &ids).await?;
    standing.retain(|alarm| alarm.cleared_at.is_none() && alarm.owner().is_none_or(|owner| owner == user.user));
    Ok(standing)
}

/// The transition that raised an alarm; an empty name where it is not kept, or far behind others.
async fn raised_by(table: &dyn Table, alarm: &Alarm) -> Result<String, TableError> {
    let page = alarms::transitions(table, &alarm.source, alarm.raised_at, LOOKED_THROUGH, None).await?;
    let is_of_it = |transition: &Transition| transition.changes.iter().any(|change| change.alarm == alarm.id);
    Ok(page.items.into_iter().find(is_of_it).map(|transition| transition.id).unwrap_or_default())
}

/// Those of a source that people know of. While nothing is known of it its parent's alarm speaks.
fn told(watch: &Watch) -> impl Iterator<Item = String> {
    let SourceState { lives, unknown, .. } = &watch.state;
    let is_told = |life: &&Life| unknown.is_none() && life.stands && life.told.is_some();
    lives.values().filter(is_told).map(|life| life.alarm.clone())
}
