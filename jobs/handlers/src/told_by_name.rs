//! Alarms that somebody was told of because a policy names them, or the alarm's rule: who is on call acts on them, whatever else
//! they see.

use std::collections::{BTreeMap, BTreeSet};

use records::{
    Table, TableError,
    alarms::Alarm,
    incidents::{self, Begun},
};

use crate::comes_and_goes;

/// The ids of those alarms that somebody was told of by name. They are theirs as well while the incident is open.
pub async fn among(table: &dyn Table, user: &str, alarms: &[&Alarm]) -> Result<BTreeSet<String>, TableError> {
    let others = comes_and_goes::told_as(table, alarms).await?;
    // By which names each may be known, its own among them.
    let names = |alarm: &Alarm| BTreeSet::from([others.get(&alarm.id).unwrap_or(&alarm.id).clone(), alarm.id.clone()]);
    let mut told: BTreeSet<String> = BTreeSet::new();
    for name in alarms.iter().flat_map(|alarm| names(alarm)) {
        // Mostly they are of one incident.
        if told.contains(&name) {
            continue;
        }
        for Begun { audience, group, .. } in incidents::begun(table, &name).await? {
            let Some(incident) = incidents::current(table, &audience, &group).await? else { continue };
            if incident.value.people.contains(user) {
                let (incident, state) = (incident.value.named(), incident.value.state);
                if state.apart > 0 {
                    let asked: BTreeSet<String> = alarms.iter().flat_map(|alarm| names(alarm)).collect();
                    let asked = asked.iter().map(String::as_str);
                    told.extend(incidents::apart_among(table, &incident, asked).await?.into_keys());
                }
                told.extend(state.open.into_keys());
            }
        }
    }
    let is_told = |alarm: &&&Alarm| names(alarm).iter().any(|name| told.contains(name));
    Ok(alarms.iter().filter(is_told).map(|alarm| alarm.id.clone()).collect())
}

/// The ids of all alarms that somebody was told of by name, and that are theirs by now.
pub async fn all(table: &dyn Table, user: &str) -> Result<BTreeSet<String>, TableError> {
    let mut all = BTreeSet::new();
    for incident in incidents::told_open(table, user).await? {
        let mut open = if incident.state.apart > 0 {
            incidents::all_apart(table, &incident.named()).await?
        } else {
            BTreeMap::new()
        };
        open.extend(incident.state.open);
        all.extend(comes_and_goes::latest(table, &open).await?.into_values());
        all.extend(open.into_keys());
    }
    Ok(all)
}
