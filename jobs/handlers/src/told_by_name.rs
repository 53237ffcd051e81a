//! Alarms that somebody was told of because a policy names them, or the alarm's rule: who is on call acts on them, whatever else
//! they see.

use std::collections::BTreeSet;

use records::{
    Table, TableError,
    alarms::Alarm,
    incidents::{self, Begun},
};

/// The ids of those alarms that somebody was told of by name. They are theirs as well while the incident is open.
pub async fn among(table: &dyn Table, user: &str, alarms: &[&Alarm]) -> Result<BTreeSet<String>, TableError> {
    let mut told: BTreeSet<String> = BTreeSet::new();
    for alarm in alarms {
        // Mostly they are of one incident.
        if told.contains(&alarm.id) {
            continue;
        }
        for Begun { audience, group, .. } in incidents::begun(table, &alarm.id).await? {
            let Some(incident) = incidents::current(table, &audience, &group).await? else { continue };
            if incident.value.people.contains(user) {
                let (named, state) = (incident.value.named(), incident.value.state);
                if state.apart > 0 {
                    let asked = alarms.iter().map(|alarm| alarm.id.as_str());
                    told.extend(incidents::apart_among(table, &named, asked).await?.into_keys());
                }
                told.extend(state.open.into_keys());
            }
        }
    }
    let asked: BTreeSet<&str> = alarms.iter().map(|alarm| alarm.id.as_str()).collect();
    told.retain(|id| asked.contains(id.as_str()));
    Ok(told)
}

/// The ids of all alarms that somebody was told of by name, and that are theirs by now.
pub async fn all(table: &dyn Table, user: &str) -> Result<BTreeSet<String>, TableError> {
    let mut all = BTreeSet::new();
    for incident in incidents::told_open(table, user).await? {
        if incident.state.apart > 0 {
            all.extend(incidents::all_apart(table, &incident.named()).await?);
        }
        all.extend(incident.state.open.into_keys());
    }
    Ok(all)
}
