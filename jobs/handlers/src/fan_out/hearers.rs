//! Who hears of a transition, and of which of its changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    Source,
    alarm::{Change, RuleId, owner},
};
use records::{
    Table, TableError,
    alarms::Transition,
    alert_rules,
    incidents::{self, Audience},
    routing::{Policy, Written},
    terminals::{self, Terminal},
    users::{self, Role},
};

use super::{place::Group, policies};
use crate::{
    Context, JobError,
    catalog::{AlertRules, Model, concerns},
};

/// Somebody who hears of a transition.
#[derive(Debug, PartialEq)]
pub(super) struct Hearer {
    /// Who.
    pub audience: Audience,
    /// What they hear of: the transition with those of its changes that concern them, one at least.
    pub transition: Transition,
    /// The group in which they heard of its beginning, and what people call it, where that is kept; else it is as its policy says.
    pub into: Option<Group>,
}

impl Hearer {
    /// The last rank.
    pub(super) const LAST: usize = 2;

    /// Who hears before whom: who hears of something in one audience is not told in those after it.
    pub(super) fn rank(&self) -> usize {
        match &self.audience {
            Audience::User(_) | Audience::Topics => 0,
            Audience::Policy(id) if !id.starts_with(policies::OF_A_RULE) => 1,
            Audience::Policy(_) => Self::LAST,
        }
    }
}

/// All who hear of a transition.
pub(super) async fn all(
    cx: &Context,
    transition: &Transition,
    policy: Option<Written<Policy>>,
    terminal: Option<&Terminal>,
) -> Result<Vec<Hearer>, JobError> {
    let mut hearers = users(cx, transition, terminal).await?;
    hearers.extend(cx.settings.notices.topics.then(|| subscribers(transition)));
    hearers.extend(named(cx, transition, policy).await?);
    hearers.retain(|hearer| !hearer.transition.changes.is_empty());
    Ok(hearers)
}

/// The users whom something of a transition concerns: of those its terminal is bound to, and of every admin.
async fn users(cx: &Context, transition: &Transition, terminal: Option<&Terminal>) -> Result<Vec<Hearer>, TableError> {
    let (table, source) = (cx.table.as_ref(), &transition.source);
    let model = model(cx, source, terminal).await?;
    let setups = model.as_ref().map_or(&[][..], |model| &model.setups);
    let rules = cx.alert_rules().await?;
    let replacing = rules.replacing(source, terminal, model.as_deref());
    let setups = &[setups, &replacing].concat();
    let stood_in_for =
        if setups.is_empty() { BTreeMap::new() } else { stood_in_for(table, transition, &rules).await? };
    let bound = match source {
        // One alarm speaks for all that hangs on it.
        Source::Node(node) => of_node(table, node).await?,
        source => match source.mac() {
            Some(mac) => users::of_terminal(table, mac).await?.into_iter().collect(),
            None => BTreeSet::new(),
        },
    };
    let all = users::list(table).await?.into_iter();
    let hearers = all.filter(|user| user.role == Role::Admin || bound.contains(&user.user));
    let hearers = hearers.map(|user| {
        let is_theirs = |change: &Change| concerns(change, &user.user, setups, stood_in_for.get(&change.rule));
        let transition = part(transition, is_theirs);
        Hearer { audience: Audience::User(user.user), transition, into: None }
    });
    Ok(hearers.collect())
}

/// The common rules in whose place everybody's stood when the alarms began that change now, whatever has become of those rules since.
async fn stood_in_for(
    table: &dyn Table,
    transition: &Transition,
    rules: &AlertRules,
) -> Result<BTreeMap<RuleId, RuleId>, TableError> {
    let mut stood = BTreeMap::new();
    for change in transition.changes.iter().filter(|change| alert_rules::is_everybodys(&change.rule)) {
        let common = match rules.stands_in_for(&change.rule, change.since) {
            Some(common) => Some(common.clone()),
            None if change.is_first() => None,
            None => incidents::stood_in_for(table, change.told_as()).await?,
        };
        stood.extend(common.map(|common| (change.rule.clone(), common)));
    }
    Ok(stood)
}

/// The users to whom anything is bound that hangs on a node.
async fn of_node(table: &dyn Table, node: &str) -> Result<BTreeSet<String>, TableError> {
    let macs = terminals::of_node(table, node).await?.into_iter().collect();
    policies::bound_to(table, &macs).await
}

/// Those whom a policy names, or a rule of everybody's: they hear in steps. Who heard of an alarm's beginning hears of the rest,
/// whatever has become of the policy or of the rule since.
async fn named(
    cx: &Context,
    transition: &Transition,
    policy: Option<Written<Policy>>,
) -> Result<Vec<Hearer>, JobError> {
    let common: Vec<&Change> = transition.changes.iter().filter(|change| owner(&change.rule).is_none()).collect();
    let policy = policy.filter(|policy| !policy.value.steps.is_empty()).map(|policy| Audience::Policy(policy.id));
    let rules = cx.alert_rules().await?;
    let mut heard: BTreeMap<(Audience, Option<Group>), Vec<Change>> = BTreeMap::new();
    for change in common {
        let begun =
            if change.is_first() { Vec::new() } else { incidents::begun(cx.table.as_ref(), change.told_as()).await? };
        let kept = begun.into_iter().map(|begun| (begun.audience, Some((begun.group, begun.place))));
        let mut audiences: Vec<_> = kept.collect();
        if audiences.is_empty() {
            let recipients = rules.recipients(&change.rule).map(|_| policies::audience_of_rule(&change.rule));
            audiences.extend(policy.iter().cloned().chain(recipients).map(|audience| (audience, None)));
        }
        for audience in audiences {
            heard.entry(audience).or_default().push(change.clone());
        }
    }
    let hearers = heard.into_iter().map(|((audience, into), changes)| {
        let transition = Transition { changes, ..part(transition, |_| false) };
        Hearer { audience, transition, into }
    });
    Ok(hearers.collect())
}

/// What is known of the devices like this one.
async fn model(cx: &Context, source: &Source, terminal: Option<&Terminal>) -> Result<Option<Arc<Model>>, TableError> {
    let (Source::Device(device), Some(terminal)) = (source, terminal) else { return Ok(None) };
    match terminal.device(device.pid) {
        Some(mounted) => cx.model(&mounted.protocol).await,
        None => Ok(None),
    }
}

/// Whoever subscribed to the topics. What concerns one person alone is not told there.
fn subscribers(transition: &Transition) -> Hearer {
    let transition = part(transition, |change| owner(&change.rule).is_none());
    Hearer { audience: Audience::Topics, transition, into: None }
}

fn part(transition: &Transition, is_wanted: impl Fn(&Change) -> bool) -> Transition {
    let changes = transition.changes.iter().filter(|change| is_wanted(change)).cloned().collect();
    let (id, source, at) = (transition.id.clone(), transition.source.clone(), transition.at);
    // Why it came about may be long, and nobody is told of it.
    let unknown = transition.unknown.clone();
    Transition { id, source, at, changes, unknown, cause: None }
}
