//! What stands of an incident, where notices name a part of what they tell of.

use std::{cmp::Reverse, collections::BTreeSet};

use domain::{Mac, Source};
use records::{
    facts::Part,
    notices::Notice,
    terminals,
    users::{self, User},
};

use crate::{
    Context, JobError,
    fan_out::{MOST_SOURCES, place, raised},
    whole_incident,
};

/// What stands of the incident and its reader sees, where the notices do not name all that they tell of.
pub(super) async fn standing(
    cx: &Context,
    notice: &Notice,
    earlier: &Notice,
    user: &User,
) -> Result<Vec<Part>, JobError> {
    let table = cx.table.as_ref();
    if [notice, earlier].iter().all(|notice| notice.facts.as_ref().is_none_or(|facts| facts.more == 0)) {
        return Ok(Vec::new());
    }
    let mut alarms = whole_incident::alarms_of(table, notice).await?;
    let sources: BTreeSet<Source> = alarms.iter().map(|alarm| alarm.source.clone()).collect();
    let seen = users::seen_among(table, user, &sources).await?;
    alarms.retain(|alarm| seen.contains(&alarm.source));
    alarms.sort_by_key(|alarm| Reverse(alarm.severity));
    alarms.truncate(MOST_SOURCES);
    let macs: Vec<Mac> = alarms.iter().filter_map(|alarm| alarm.source.mac().cloned()).collect();
    let terminals = terminals::get_many(table, &macs).await?;
    let mut parts: Vec<Part> = Vec::new();
    for alarm in alarms {
        let source = alarm.source.clone();
        let place = place::of(&source, source.mac().and_then(|mac| terminals.get(mac)));
        match parts.iter_mut().find(|part| part.source == source) {
            Some(part) => part.changes.push(raised(alarm)),
            None => parts.push(Part { source, place, changes: vec![raised(alarm)], became: None }),
        }
    }
    Ok(parts)
}
