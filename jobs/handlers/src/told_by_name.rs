//! Alarms that somebody was told of because a policy names them, or the alarm's rule: who is on call acts on them, whatever else
//! they see.

use std::collections::BTreeSet;

use records::{
    Table, TableError,
    alarms::Alarm,
    incidents::{self, Audience},
    routing::{self, Policy},
};

use crate::fan_out::policies::audience_of_rule;

/// So many incidents of an audience are looked at, newest first.
const LOOKED_AT: usize = 100;

/// The ids of those alarms that somebody was told of by name. They are theirs as well while the incident is open.
pub async fn among(table: &dyn Table, user: &str, alarms: &[&Alarm]) -> Result<BTreeSet<String>, TableError> {
    let mut told = BTreeSet::new();
    if alarms.is_empty() {
        return Ok(told);
    }
    let policies = routing::all::<Policy>(table).await?.into_iter().map(|policy| Audience::Policy(policy.id));
    let rules: BTreeSet<&str> = alarms.iter().map(|alarm| alarm.rule.as_str()).collect();
    for audience in policies.chain(rules.into_iter().map(audience_of_rule)) {
        let incidents = incidents::list(table, &audience, LOOKED_AT, None).await?.items;
        for incident in incidents.iter().filter(|incident| !incident.state.closed && incident.people.contains(user)) {
            let open = alarms.iter().filter(|alarm| incident.state.open.contains_key(&alarm.id));
            told.extend(open.map(|alarm| alarm.id.clone()));
        }
    }
    Ok(told)
}
