//! All alarms of an incident, of which a notice names a few.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Mac,
    alarm::{RuleId, owner},
    routing::incident::MOST_OPEN,
};
use records::{
    Table, TableError,
    alarms::{self, Alarm, Which},
    facts::Facts,
    incidents::{self, Audience, Incident, Named},
    notices::Notice,
    routing::{self, GroupBy, Policy, Written},
    sites, terminals,
};

use crate::fan_out::{
    place::{At, group},
    policies::{OF_A_RULE, audience_of_rule, narrowest},
};

/// So many alarms are read at a time.
const PAGE: usize = 500;

/// The alarms that stand of the incident that a notice tells of, as far as they had begun when it was told; none where it is of no
/// incident, or of one that is no more. An incident remembers [`MOST_OPEN`] alarms: of a greater one, what stands and belongs to it by
/// the policies of now is of it.
pub async fn alarms_of(table: &dyn Table, notice: &Notice) -> Result<Vec<Alarm>, TableError> {
    let Some(incident) = incident_of(table, notice).await? else { return Ok(Vec::new()) };
    let mut found: BTreeMap<String, Alarm> = BTreeMap::new();
    let remembered: Vec<String> = incident.state.open.keys().cloned().collect();
    for ids in remembered.chunks(PAGE) {
        found.extend(alarms::get_many(table, ids).await?.into_iter().map(|alarm| (alarm.id.clone(), alarm)));
    }
    if remembered.len() >= MOST_OPEN {
        found.extend(belonging(table, &incident).await?.into_iter().map(|alarm| (alarm.id.clone(), alarm)));
    }
    let stood = |alarm: &Alarm| alarm.cleared_at.is_none() && alarm.raised_at <= notice.at;
    Ok(found.into_values().filter(stood).collect())
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

/// The active alarms that began in an incident and belong together with it.
async fn belonging(table: &dyn Table, incident: &Incident) -> Result<Vec<Alarm>, TableError> {
    let policies = routing::all::<Policy>(table).await?;
    let is_by_site = policies.iter().any(|policy| policy.value.group_by == GroupBy::Site);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = alarms::list(table, Which::Active, PAGE, after).await?;
        let begun = |alarm: &Alarm| {
            !alarm.shadow && alarm.raised_at >= incident.state.began && hears_of(&incident.audience, &alarm.rule)
        };
        let alarms: Vec<Alarm> = page.items.into_iter().filter(begun).collect();
        let macs: BTreeSet<Mac> = alarms.iter().filter_map(|alarm| alarm.source.mac().cloned()).collect();
        let macs: Vec<Mac> = macs.into_iter().collect();
        let terminals = if macs.is_empty() { BTreeMap::new() } else { terminals::get_many(table, &macs).await? };
        let sites = if is_by_site { sites::of_many(table, &macs).await? } else { BTreeMap::new() };
        let belongs = |alarm: &Alarm| {
            let terminal = alarm.source.mac().and_then(|mac| terminals.get(mac));
            let site = alarm.source.mac().and_then(|mac| sites.get(mac)).map(String::as_str);
            let by = grouped(narrowest(&policies, &alarm.source, terminal));
            group(by, (&alarm.source, &alarm.rule), At { terminal, site }).0 == incident.group
        };
        found.extend(alarms.into_iter().filter(belongs));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

fn grouped(policy: Option<&Written<Policy>>) -> GroupBy {
    policy.map(|policy| policy.value.group_by).unwrap_or_default()
}

/// Whether an audience hears of what a rule raises, as far as the rule says: what concerns one person alone is told to nobody else.
fn hears_of(audience: &Audience, rule: &str) -> bool {
    match audience {
        Audience::User(user) => owner(rule).is_none_or(|owner| owner == *user),
        Audience::Topics => owner(rule).is_none(),
        Audience::Policy(id) => {
            owner(rule).is_none() && id.strip_prefix(OF_A_RULE).is_none_or(|recipients_of| recipients_of == rule)
        }
    }
}
