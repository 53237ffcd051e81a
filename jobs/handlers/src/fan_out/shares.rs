//! What of a telling each of its people hears: not what they hear as members of a narrower audience.
//!
//! Somebody may see a device, be named by its policy, and be a recipient of its rule. Their own incident goes first, then the
//! policy's, then that of the rule's recipients, and they hear of each happening in the first of these that has it. Which that is
//! stands in the records: what an incident heard of, and what is open in it. A later step of an escalation is told to whom it
//! names all the same: that is what it is for.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Source, Timestamp,
    alarm::RuleId,
    routing::incident::{News, Pace, Telling, TellingKind},
};
use records::{
    TableError,
    incidents::{self, Audience, Begun, Incident},
    users::{self, Role, User},
};

use super::policies::{OF_A_RULE, Steps, audience_of_rule, bound};
use crate::Context;

/// Two notices so near to each other would say the same.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(5);

/// A notice names a few of those who were told before: so many are asked for.
const MOST_ASKED: usize = 20;

/// What is asked of a telling.
pub(super) struct Shares<'a> {
    pub(super) cx: &'a Context,
    pub(super) incident: &'a Incident,
    pub(super) steps: &'a Steps,
    /// How fast people's own incidents are told.
    pub(super) pace: &'a Pace,
    /// The alarms that are told again.
    pub(super) standing: &'a BTreeSet<String>,
}

impl Shares<'_> {
    /// The parts of a telling, each with whom it is for.
    pub(super) async fn of(
        &self,
        telling: &Telling,
        people: BTreeSet<String>,
    ) -> Result<Vec<(Telling, Vec<String>)>, TableError> {
        let mut parts: Vec<(Telling, Vec<String>)> = Vec::new();
        for person in people {
            let Some(part) = self.part(telling, &person).await? else { continue };
            match parts.iter_mut().find(|(known, _)| *known == part) {
                Some((_, people)) => people.push(person),
                None => parts.push((part, vec![person])),
            }
        }
        Ok(parts)
    }

    /// What somebody hears of it; nothing where they hear all of it elsewhere.
    async fn part(&self, telling: &Telling, person: &str) -> Result<Option<Telling>, TableError> {
        let Some(user) = users::get(self.cx.table.as_ref(), person).await? else { return Ok(None) };
        if telling.kind == TellingKind::Escalation && self.steps.waits(telling.level) {
            let is_told = self.is_told_just_now(&user, telling.at).await?;
            return Ok((!is_told).then(|| telling.clone()));
        }
        let narrower = self.narrower(&user, telling).await?;
        if telling.news.is_empty() {
            let open: BTreeSet<String> = self.told_again(&user, &narrower).await?;
            let rest: BTreeSet<&String> = self.standing.difference(&open).collect();
            if rest.is_empty() {
                return Ok(None);
            }
            // The gravest are named, as far as they hear of them here.
            let named = telling.alarms.iter().filter(|alarm| rest.contains(alarm));
            let others = rest.iter().copied().filter(|alarm| !telling.alarms.contains(alarm));
            let most = telling.alarms.len().max(1);
            let alarms: Vec<String> = named.chain(others).take(most).cloned().collect();
            let more = rest.len().saturating_sub(alarms.len()).min(telling.more);
            return Ok(Some(Telling { alarms, more, ..telling.clone() }));
        }
        let heard = self.heard(&user, &narrower, telling).await?;
        let news: Vec<News> = telling.news.iter().filter(|news| !heard.contains(&news.transition)).cloned().collect();
        Ok((!news.is_empty()).then(|| Telling { news, ..telling.clone() }))
    }

    /// The audiences narrower than this one that somebody is in, with the groups in which they hear.
    async fn narrower(&self, user: &User, telling: &Telling) -> Result<Vec<(Audience, String)>, TableError> {
        let group = &self.incident.group;
        let mut narrower = vec![(Audience::User(user.user.clone()), group.clone())];
        let is_of_rule = matches!(&self.incident.audience, Audience::Policy(id) if id.starts_with(OF_A_RULE));
        if !is_of_rule {
            return Ok(narrower);
        }
        let table = self.cx.table.as_ref();
        let mut alarms: BTreeSet<&str> = telling.news.iter().map(|news| news.change.told_as()).collect();
        alarms.extend(self.standing.iter().map(String::as_str));
        let mut policies: BTreeSet<(Audience, String)> = BTreeSet::new();
        for alarm in alarms {
            for Begun { audience, group, .. } in incidents::begun(table, alarm).await? {
                if matches!(&audience, Audience::Policy(id) if !id.starts_with(OF_A_RULE)) {
                    policies.insert((audience, group));
                }
            }
        }
        for (audience, group) in policies {
            let incident = self.incident_of(&audience, &group, telling).await?;
            if incident.is_some_and(|incident| incident.people.contains(&user.user)) {
                narrower.push((audience, group));
            }
        }
        Ok(narrower)
    }

    /// The incident of another audience in which the same is told: it may be closed by the end that is told now.
    async fn incident_of(
        &self,
        audience: &Audience,
        group: &str,
        telling: &Telling,
    ) -> Result<Option<Incident>, TableError> {
        let table = self.cx.table.as_ref();
        if let Some(incident) = incidents::current(table, audience, group).await? {
            return Ok(Some(incident.value));
        }
        let Some(last) = telling.news.last() else { return Ok(None) };
        let Some(named) = incidents::heard(table, &last.transition, audience, group).await? else { return Ok(None) };
        Ok(incidents::get(table, &named).await?.map(|incident| incident.value))
    }

    /// The transitions of a telling that somebody hears of elsewhere.
    async fn heard(
        &self,
        user: &User,
        narrower: &[(Audience, String)],
        telling: &Telling,
    ) -> Result<BTreeSet<String>, TableError> {
        let transitions: BTreeSet<&str> = telling.news.iter().map(|news| news.transition.as_str()).collect();
        let mut heard = BTreeSet::new();
        for (audience, group) in narrower {
            heard.extend(incidents::heard_of(self.cx.table.as_ref(), &transitions, (audience, group)).await?);
        }
        let behind = self.incident.behind.iter().filter(|(_, people)| people.contains(&user.user));
        heard.extend(behind.map(|(transition, _)| transition.clone()));
        Ok(heard)
    }

    /// The alarms of which somebody is told again elsewhere, while they stand.
    async fn told_again(&self, user: &User, narrower: &[(Audience, String)]) -> Result<BTreeSet<String>, TableError> {
        let table = self.cx.table.as_ref();
        let mut told = BTreeSet::new();
        for (audience, group) in narrower {
            let Some(incident) = incidents::current(table, audience, group).await? else { continue };
            let open = incident.value.state.open;
            // Their own incident forgets what they may not see any more when it is looked at next.
            let is_own = matches!(audience, Audience::User(_));
            let sources: Vec<&Source> = open.values().filter(|_| is_own).map(|open| &open.source).collect();
            let seen = users::seen_among(table, user, sources).await?;
            told.extend(
                open.iter().filter(|(_, open)| !is_own || seen.contains(&open.source)).map(|(id, _)| id.clone()),
            );
        }
        Ok(told)
    }

    /// Whether somebody's own incident says the same again at the same time.
    async fn is_told_just_now(&self, user: &User, at: Timestamp) -> Result<bool, TableError> {
        let own = Audience::User(user.user.clone());
        let Some(own) = incidents::current(self.cx.table.as_ref(), &own, &self.incident.group).await? else {
            return Ok(false);
        };
        let state = own.value.state;
        if !state.open.keys().any(|alarm| self.standing.contains(alarm)) {
            return Ok(false);
        }
        let is_told = state.told_at.is_some_and(|told| at.since(told) < AT_ONCE);
        Ok(is_told || state.repeat_at(self.pace).is_some_and(|due| due < at.plus(AT_ONCE)))
    }
}

/// Who was told of what is open in an incident by other audiences, as far as they are few.
pub(super) async fn told_elsewhere(cx: &Context, incident: &Incident) -> Result<BTreeSet<String>, TableError> {
    let table = cx.table.as_ref();
    let bound = bound(cx, incident, []).await?;
    let all = users::list(table).await?;
    let seers = all.into_iter().filter(|user| user.role == Role::Admin || bound.contains(&user.user));
    let own = seers.take(MOST_ASKED).map(|user| Audience::User(user.user));
    let rules: BTreeSet<&str> = incident.state.open.values().map(|open| open.rule.as_str()).collect();
    let rules = rules.into_iter().take(MOST_ASKED).map(audience_of_rule);
    let audiences: Vec<Audience> = own.chain(rules).filter(|audience| *audience != incident.audience).collect();
    let conditions: BTreeSet<(&Source, &RuleId)> =
        incident.state.open.values().map(|open| (&open.source, &open.rule)).collect();
    let mut told = BTreeSet::new();
    for audience in audiences {
        let Some(other) = incidents::current(table, &audience, &incident.group).await? else { continue };
        let other = other.value;
        let is_of_it = other.state.open.values().any(|open| conditions.contains(&(&open.source, &open.rule)));
        if other.state.sequence == 0 || !is_of_it {
            continue;
        }
        match audience {
            Audience::User(user) => told.extend([user]),
            Audience::Topics | Audience::Policy(_) => told.extend(other.people),
        }
    }
    Ok(told)
}
