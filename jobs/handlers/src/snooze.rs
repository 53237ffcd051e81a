//! What somebody puts off comes again.

use domain::{
    Timestamp,
    alarm::{About, Change, ChangeKind},
    identity::derived_id,
    routing::{Matcher, Why},
};
use records::{
    Table, TableError,
    alarms::Alarm,
    channels::Channels,
    held::{self, Held},
    preferences, terminals,
    users::User,
};

use crate::{deliver_notice::RAISED, fan_out::place};

/// What a link puts off: the alarm's rule on its source, while it matters no more than when that was said. What came to matter more is
/// told, as it is of what somebody took on.
pub fn what(alarm: &Alarm) -> Matcher {
    let Alarm { source, rule, severity, .. } = alarm;
    let (source, rule) = (Some(source.clone()), Some(rule.clone()));
    Matcher { source, rule, severity_at_most: Some(*severity), ..Matcher::default() }
}

/// Has an alarm told to a user once more at the end of a snooze, if it stands then: `letter` is the notice whose link it was, and
/// what that told of. To ask again changes nothing.
pub async fn ring_again(
    table: &dyn Table,
    user: &User,
    letter: (&str, &str),
    alarm: &Alarm,
    times: (Timestamp, Timestamp),
) -> Result<(), TableError> {
    let transition = letter.1.to_owned();
    let again = Again { name: ["snooze", letter.0], transition, why: Why::Snooze, is_by_name: false };
    hold_again(table, user, &again, alarm, &[], times).await
}

/// Why an alarm that began before is told.
pub(crate) struct Again<'a> {
    /// What it is known by: it is held once under this name.
    pub name: [&'a str; 2],
    /// What it was told of with before, if it was.
    pub transition: String,
    /// What holds it.
    pub why: Why,
    /// Whether they hear of it whatever they see.
    pub is_by_name: bool,
}

/// Holds an alarm for a user until then, on the channels that they are told on and on these.
pub(crate) async fn hold_again(
    table: &dyn Table,
    user: &User,
    again: &Again<'_>,
    alarm: &Alarm,
    beside: &[&str],
    (now, until): (Timestamp, Timestamp),
) -> Result<(), TableError> {
    let Alarm { id, rule, severity, shadow, source, raised_at, detail, .. } = alarm;
    let terminal = match source.mac() {
        Some(mac) => terminals::get(table, mac).await?,
        None => None,
    };
    let about = About { alarm: id, rule, severity: *severity, since: *raised_at, shadow: *shadow };
    let raised = Change::of(ChangeKind::Raised, about, *raised_at, detail.clone());
    let chosen = preferences::get(table, &user.user).await?;
    let channels = Channels::of(table, user).await?.told_first(RAISED, &chosen, &[(source, &raised)]);
    for channel in channels.into_iter().chain(beside.iter().map(ToString::to_string)) {
        let [why, by] = again.name;
        let held = Held {
            id: derived_id(*raised_at, &[why, by, id, &channel]),
            user: user.user.clone(),
            channel,
            source: source.clone(),
            node: terminal.as_ref().map(|terminal| terminal.node.clone()),
            place: place::of(source, terminal.as_ref()),
            transition: again.transition.clone(),
            transitions: Vec::new(),
            changes: vec![raised.clone()],
            why: again.why,
            at: now,
            is_by_name: again.is_by_name,
        };
        held::hold(table, &held, until).await?;
    }
    Ok(())
}
