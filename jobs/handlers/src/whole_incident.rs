//! All alarms of an incident, of which a notice names a few.

use std::collections::BTreeSet;

use domain::alarm::RuleId;
use records::{
    Table, TableError,
    alarms::{self, Alarm},
    facts::Facts,
    incidents::{self, Audience, Incident, Named},
    notices::Notice,
    routing::{self, Policy},
};

use crate::fan_out::policies::audience_of_rule;

/// So many alarms are read at a time.
const PAGE: usize = 500;

/// The alarms that stand of the incident that a notice tells of, as far as they had begun when it was told; none where it is of no
/// incident, or of one that is no more.
pub async fn alarms_of(table: &dyn Table, notice: &Notice) -> Result<Vec<Alarm>, TableError> {
    let Some(incident) = incident_of(table, notice).await? else { return Ok(Vec::new()) };
    let mut ids: Vec<String> = incident.state.open.keys().cloned().collect();
    if incident.state.apart > 0 {
        ids.extend(incidents::all_apart(table, &incident.named()).await?);
    }
    // One may have come back between the two.
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for ids in ids.chunks(PAGE) {
        found.extend(alarms::get_many(table, ids).await?);
    }
    found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let stood = |alarm: &Alarm| alarm.cleared_at.is_none() && alarm.raised_at <= notice.at;
    Ok(found.into_iter().filter(stood).collect())
}

/// The incident that a notice tells of: of its reader's own, of a policy, or of a rule's recipients.
pub(crate) async fn incident_of(table: &dyn Table, notice: &Notice) -> Result<Option<Incident>, TableError> {
    if notice.incident.is_empty() {
        return Ok(None);
    }
    let policies = routing::all::<Policy>(table).await?.into_iter().map(|policy| Audience::Policy(policy.id));
    let changes = notice.facts.iter().flat_map(Facts::changes);
    let rules: BTreeSet<&RuleId> = changes.map(|change| &change.rule).collect();
    let recipients = rules.into_iter().map(|rule| audience_of_rule(rule));
    let own = Audience::User(notice.user.clone());
    let audiences: Vec<Audience> = [own].into_iter().chain(policies).chain(recipients).collect();
    for audience in audiences {
        let named = Named { audience, id: notice.incident.clone() };
        if let Some(found) = incidents::get(table, &named).await? {
            return Ok(Some(found.value));
        }
    }
    Ok(None)
}
