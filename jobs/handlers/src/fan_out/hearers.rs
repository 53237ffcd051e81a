//! Who hears of a transition, and of which of its changes.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Source,
    alarm::{Change, owner},
};
use futures::{StreamExt, TryStreamExt, stream};
use records::{
    Table, TableError,
    alarms::Transition,
    incidents::Audience,
    routing::{Policy, Written},
    terminals::{self, Terminal},
    users::{self, Role},
};

use super::policies;
use crate::{
    Context, JobError,
    catalog::{Model, concerns},
};

/// How many of a node's terminals are asked at a time whose they are.
const READS_AT_A_TIME: usize = 16;

/// Somebody who hears of a transition.
#[derive(Debug, PartialEq)]
pub(super) struct Hearer {
    /// Who.
    pub audience: Audience,
    /// What they hear of: the transition with those of its changes that concern them, one at least.
    pub transition: Transition,
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
    let replacing = cx.alert_rules().await?.replacing(source, terminal);
    let setups = &[setups, &replacing].concat();
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
        let transition = part(transition, |change| concerns(change, &user.user, setups));
        Hearer { audience: Audience::User(user.user), transition }
    });
    Ok(hearers.collect())
}

/// The users to whom anything is bound that hangs on a node.
async fn of_node(table: &dyn Table, node: &str) -> Result<BTreeSet<String>, TableError> {
    let macs = terminals::of_node(table, node).await?;
    let mut reads = Vec::new();
    for mac in &macs {
        reads.push(users::of_terminal(table, mac));
    }
    let bound: Vec<Vec<String>> = stream::iter(reads).buffer_unordered(READS_AT_A_TIME).try_collect().await?;
    Ok(bound.into_iter().flatten().collect())
}

/// Those whom a policy names, or a rule of everybody's: they hear in steps.
async fn named(
    cx: &Context,
    transition: &Transition,
    policy: Option<Written<Policy>>,
) -> Result<Vec<Hearer>, JobError> {
    let is_common = |change: &Change| owner(&change.rule).is_none();
    let policy = policy.filter(|policy| !policy.value.steps.is_empty());
    let mut hearers: Vec<Hearer> = Vec::new();
    hearers.extend(
        policy.map(|policy| Hearer { audience: Audience::Policy(policy.id), transition: part(transition, is_common) }),
    );
    let rules = cx.alert_rules().await?;
    let of_rules: BTreeSet<&str> = transition.changes.iter().map(|change| change.rule.as_str()).collect();
    for rule in of_rules.into_iter().filter(|rule| rules.recipients(rule).is_some()) {
        let transition = part(transition, |change| is_common(change) && change.rule == rule);
        hearers.push(Hearer { audience: policies::audience_of_rule(rule), transition });
    }
    Ok(hearers)
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
    Hearer { audience: Audience::Topics, transition: part(transition, |change| owner(&change.rule).is_none()) }
}

fn part(transition: &Transition, is_wanted: impl Fn(&Change) -> bool) -> Transition {
    let changes = transition.changes.iter().filter(|change| is_wanted(change)).cloned().collect();
    let (id, source, at) = (transition.id.clone(), transition.source.clone(), transition.at);
    // Why it came about may be long, and nobody is told of it.
    Transition { id, source, at, changes, cause: None }
}
