//! The routing policies: which of them an alarm is told by, and whom their steps name.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use domain::{
    Mac, Source, Timestamp,
    alarm::Severity,
    routing::incident::{Pace, Telling, TellingKind},
};
use futures::{StreamExt, TryStreamExt, stream};
use records::{
    Table, TableError,
    alert_rules::{Recipients, Scope},
    incidents::{Audience, Incident},
    routing::{self, EscalationStep, Policy, StoredRota, Written},
    terminals::{self, Terminal},
    users::{self, Role, User},
};

use crate::Context;

/// How many terminals are asked at a time whose they are.
const READS_AT_A_TIME: usize = 16;

/// What the audiences of a rule's recipients begin with.
pub(crate) const OF_A_RULE: &str = "rule:";

/// The policy that a source is told by: the narrowest, then the oldest.
pub(super) async fn of(
    cx: &Context,
    source: &Source,
    terminal: Option<&Terminal>,
) -> Result<Option<Written<Policy>>, TableError> {
    let all = routing::all::<Policy>(cx.table.as_ref()).await?;
    Ok(narrowest(&all, source, terminal).cloned())
}

/// That of these policies that a source is told by.
pub(crate) fn narrowest<'a>(
    all: &'a [Written<Policy>],
    source: &Source,
    terminal: Option<&Terminal>,
) -> Option<&'a Written<Policy>> {
    let concerned = all.iter().filter(|policy| policy.value.enabled && holds(&policy.value.scope, source, terminal));
    concerned.min_by_key(|policy| breadth(&policy.value.scope))
}

fn holds(scope: &Scope, source: &Source, terminal: Option<&Terminal>) -> bool {
    let mounted = match source {
        Source::Device(device) => terminal.and_then(|terminal| terminal.device(device.pid)),
        Source::Terminal(_) | Source::Node(_) | Source::Platform(_) => None,
    };
    match scope {
        Scope::Everywhere => true,
        Scope::Protocol { protocol } => mounted.is_some_and(|mounted| mounted.protocol == *protocol),
        Scope::DeviceType { device_type } => mounted.is_some_and(|mounted| mounted.kind == *device_type),
        Scope::Node { node } => match source {
            Source::Node(own) => own == node,
            _ => terminal.is_some_and(|terminal| terminal.node == *node),
        },
        Scope::Part { part } => matches!(source, Source::Platform(need) if need.part == *part),
        Scope::Terminal { mac } => source.mac() == Some(mac),
        Scope::Device(device) => matches!(source, Source::Device(own) if own == device),
    }
}

fn breadth(scope: &Scope) -> u8 {
    match scope {
        Scope::Device(_) => 0,
        Scope::Terminal { .. } => 1,
        Scope::Node { .. } | Scope::Part { .. } => 2,
        Scope::DeviceType { .. } => 3,
        Scope::Protocol { .. } => 4,
        Scope::Everywhere => 5,
    }
}

/// The audience of a rule's recipients.
pub(crate) fn audience_of_rule(rule: &str) -> Audience {
    Audience::Policy(format!("{OF_A_RULE}{rule}"))
}

/// Whom an incident is told, step by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    steps: Vec<EscalationStep>,
    /// The least severity that is escalated.
    least: Option<Severity>,
}

impl Steps {
    /// Those of an incident; none where it is told to its audience alone, or where its policy is no more, or off: then who was told
    /// hears the rest, and nobody else.
    pub(crate) async fn of(cx: &Context, audience: &Audience) -> Result<Self, TableError> {
        let Audience::Policy(id) = audience else { return Ok(Self::default()) };
        if let Some(rule) = id.strip_prefix(OF_A_RULE) {
            let rules = cx.alert_rules().await?;
            return Ok(rules.recipients(rule).map(Self::of_recipients).unwrap_or_default());
        }
        let policy = routing::get::<Policy>(cx.table.as_ref(), id).await?.filter(|policy| policy.value.enabled);
        Ok(policy.map(|policy| Self::of_policy(&policy.value)).unwrap_or_default())
    }

    /// Those of a policy.
    pub(crate) fn of_policy(policy: &Policy) -> Self {
        Self { steps: policy.steps.clone(), least: Some(policy.least) }
    }

    /// That of a rule's recipients, who hear at once.
    pub(crate) fn of_recipients(recipients: &Recipients) -> Self {
        let Recipients { users, rotas } = recipients.clone();
        Self { steps: vec![EscalationStep { after_ms: 0, users, roles: Vec::new(), rotas }], least: None }
    }

    /// Whom the steps from this one on name, in their order.
    pub(crate) async fn named_from(
        &self,
        step: usize,
        at: (&dyn Table, Timestamp),
        everybody: (&[User], &BTreeSet<String>),
    ) -> Result<Vec<String>, TableError> {
        let mut all: Vec<String> = Vec::new();
        for step in step..self.steps.len() {
            let named = self.named(at, step, everybody).await?;
            all.extend(named.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    /// Has them taken at their times.
    pub(crate) fn paced(&self, pace: &mut Pace) {
        pace.steps = self.steps.iter().map(|step| Duration::from_millis(step.after_ms)).collect();
        pace.least = self.least;
    }

    /// Whether what matters so much is escalated.
    pub(crate) fn concern(&self, severity: Severity) -> bool {
        self.least.is_none_or(|least| severity >= least)
    }

    /// Whether the last of so many steps is told later than those who see it hear.
    pub(crate) fn waits(&self, level: usize) -> bool {
        level.checked_sub(1).and_then(|step| self.steps.get(step)).is_some_and(|step| step.after_ms > 0)
    }

    /// Whom a step names at an instant, of everybody, of whom some see what it is about.
    pub(crate) async fn named(
        &self,
        (table, at): (&dyn Table, Timestamp),
        step: usize,
        (everybody, bound): (&[User], &BTreeSet<String>),
    ) -> Result<BTreeSet<String>, TableError> {
        let Some(step) = self.steps.get(step) else { return Ok(BTreeSet::new()) };
        let mut named: BTreeSet<String> = step.users.clone();
        for rota in &step.rotas {
            let rota = routing::get::<StoredRota>(table, rota).await?;
            let on_call = rota.as_ref().and_then(|rota| rota.value.rota.on_call(at));
            named.extend(on_call.map(str::to_owned));
        }
        let is_of_role = |user: &&User| match user.role {
            Role::Admin => step.roles.contains(&Role::Admin),
            Role::User => step.roles.contains(&Role::User) && bound.contains(&user.user),
        };
        named.extend(everybody.iter().filter(is_of_role).map(|user| user.user.clone()));
        named.retain(|name| everybody.iter().any(|user| user.user == *name));
        Ok(named)
    }
}

/// The steps whose people a telling names anew; what goes to all who heard before, too, where it is no escalation. A rota may have handed
/// over since, and whom it names now is to know what begins.
pub(crate) fn steps_of(telling: &Telling) -> Range<usize> {
    match telling.kind {
        TellingKind::Escalation if telling.at_once == 0 => telling.level.saturating_sub(1)..telling.level,
        TellingKind::Repeat => 0..telling.level,
        TellingKind::News if telling.asks_for_attention() => 0..telling.at_once.max(telling.taken),
        TellingKind::Escalation | TellingKind::News | TellingKind::Recovery => 0..telling.at_once,
    }
}

/// The users who see something that an incident is about, or one of these sources: who sees a terminal sees its node.
pub(crate) async fn bound<'a>(
    cx: &Context,
    incident: &'a Incident,
    news: impl IntoIterator<Item = &'a Source>,
) -> Result<BTreeSet<String>, TableError> {
    let table = cx.table.as_ref();
    let sources: BTreeSet<&Source> = incident.state.open.values().map(|open| &open.source).chain(news).collect();
    let nodes = sources.iter().filter_map(|source| match source {
        Source::Node(node) => Some(node),
        Source::Device(_) | Source::Terminal(_) | Source::Platform(_) => None,
    });
    let mut macs: BTreeSet<Mac> = sources.iter().filter_map(|source| source.mac()).cloned().collect();
    for node in nodes {
        macs.extend(terminals::of_node(table, node).await?);
    }
    bound_to(table, &macs).await
}

/// The users to whom any of these terminals is bound.
pub(super) async fn bound_to(table: &dyn Table, macs: &BTreeSet<Mac>) -> Result<BTreeSet<String>, TableError> {
    let mut reads = Vec::new();
    for mac in macs {
        reads.push(users::of_terminal(table, mac));
    }
    let bound: Vec<Vec<String>> = stream::iter(reads).buffer_unordered(READS_AT_A_TIME).try_collect().await?;
    Ok(bound.into_iter().flatten().collect())
}
