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

use crate::{comes_and_goes, fan_out::policies::audience_of_rule};

/// So many alarms are read at a time.
const PAGE: usize = 500;

/// The alarms that stand of the incident that a notice tells of, as far as they had begun when it was told; none where it is of no
/// incident, or of one that is no more.
pub async fn alarms_of(table: &dyn Table, notice: &Notice) -> Result<Vec<Alarm>, TableError> {
    let Some(incident) = incident_of(table, notice).await? else { return Ok(Vec::new()) };
    let mut open = incident.state.open.clone();
    if incident.state.apart > 0 {
        open.extend(incidents::all_apart(table, &incident.named()).await?);
    }
    let begun = open.iter().filter(|(_, open)| open.since <= notice.at);
    let latest = comes_and_goes::latest(table, begun).await?;
    let ids: BTreeSet<&String> = open.keys().map(|name| latest.get(name).unwrap_or(name)).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let mut found = Vec::new();
    for ids in ids.chunks(PAGE) {
        found.extend(alarms::get_many(table, ids).await?);
    }
    found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let comes_again: BTreeSet<&String> = latest.values().collect();
    let had_begun = |alarm: &Alarm| alarm.raised_at <= notice.at || comes_again.contains(&alarm.id);
    Ok(found.into_iter().filter(|alarm| alarm.cleared_at.is_none() && had_begun(alarm)).collect())
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
    let own = Audience::User(notice.way.in_place_of.as_ref().unwrap_or(&notice.user).clone());
    let audiences: Vec<Audience> = [own].into_iter().chain(policies).chain(recipients).collect();
    for audience in audiences {
        let named = Named { audience, id: notice.incident.clone() };
        if let Some(found) = incidents::get(table, &named).await? {
            return Ok(Some(found.value));
        }
    }
    Ok(None)
}
