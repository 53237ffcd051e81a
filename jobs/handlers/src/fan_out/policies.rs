//! The routing policies: which of them an alarm is told by, and whom their steps name.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use domain::{
    Mac, Source, Timestamp,
    routing::incident::{Pace, Telling, TellingKind},
};
use records::{
    Table, TableError,
    alert_rules::{Recipients, Scope},
    incidents::{Audience, Incident},
    routing::{self, EscalationStep, Policy, StoredRota, Written},
    terminals::Terminal,
    users::{self, Role, User},
};

use crate::Context;

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
pub(crate) struct Steps(Vec<EscalationStep>);

impl Steps {
    /// Those of an incident; none where it is told to its audience alone, or where its policy is no more.
    pub(crate) async fn of(cx: &Context, audience: &Audience) -> Result<(Self, Option<Written<Policy>>), TableError> {
        let Audience::Policy(id) = audience else { return Ok((Self::default(), None)) };
        if let Some(rule) = id.strip_prefix(OF_A_RULE) {
            let rules = cx.alert_rules().await?;
            return Ok((rules.recipients(rule).map(Self::of_recipients).unwrap_or_default(), None));
        }
        let policy = routing::get::<Policy>(cx.table.as_ref(), id).await?;
        Ok((policy.as_ref().map(|policy| Self::of_policy(&policy.value)).unwrap_or_default(), policy))
    }

    /// Those of a policy.
    pub(crate) fn of_policy(policy: &Policy) -> Self {
        Self(policy.steps.clone())
    }

    /// That of a rule's recipients, who hear at once.
    pub(crate) fn of_recipients(recipients: &Recipients) -> Self {
        let Recipients { users, rotas } = recipients.clone();
        Self(vec![EscalationStep { after_ms: 0, users, roles: Vec::new(), rotas }])
    }

    /// Whom the steps from this one on name, in their order.
    pub(crate) async fn named_from(
        &self,
        step: usize,
        at: (&dyn Table, Timestamp),
        everybody: (&[User], &BTreeSet<String>),
    ) -> Result<Vec<String>, TableError> {
        let mut all: Vec<String> = Vec::new();
        for step in step..self.0.len() {
            let named = self.named(at, step, everybody).await?;
            all.extend(named.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    /// Has them taken at their times.
    pub(crate) fn paced(&self, pace: &mut Pace, policy: Option<&Written<Policy>>) {
        pace.steps = self.0.iter().map(|step| Duration::from_millis(step.after_ms)).collect();
        pace.least = policy.map(|policy| policy.value.least);
    }

    /// Whom a step names at an instant, of everybody, of whom some see what it is about. The first step of no delay leaves those
    /// out who hear anyway.
    pub(crate) async fn named(
        &self,
        (table, at): (&dyn Table, Timestamp),
        step: usize,
        (everybody, bound): (&[User], &BTreeSet<String>),
    ) -> Result<BTreeSet<String>, TableError> {
        let Some(step) = self.0.get(step) else { return Ok(BTreeSet::new()) };
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
        let hears_anyway = |user: &User| user.role == Role::Admin || bound.contains(&user.user);
        named.retain(|name| {
            everybody.iter().any(|user| user.user == *name && (step.after_ms > 0 || !hears_anyway(user)))
        });
        Ok(named)
    }
}

/// The steps whose people a telling names anew; what goes to all who heard before, too, where it is no escalation.
pub(crate) fn steps_of(telling: &Telling) -> Range<usize> {
    match telling.kind {
        TellingKind::Escalation => telling.level.saturating_sub(1)..telling.level,
        TellingKind::Repeat => 0..telling.level,
        TellingKind::News | TellingKind::Recovery => 0..0,
    }
}

/// The users to whom the terminals are bound that an incident is about.
pub(crate) async fn bound(cx: &Context, incident: &Incident) -> Result<BTreeSet<String>, TableError> {
    let told = incident.outbox.iter().flat_map(|outgoing| &outgoing.telling.news).map(|news| &news.source);
    let sources = incident.state.open.values().map(|open| &open.source).chain(told);
    let macs: BTreeSet<&Mac> = sources.filter_map(Source::mac).collect();
    let mut bound = BTreeSet::new();
    for mac in macs {
        bound.extend(users::of_terminal(cx.table.as_ref(), mac).await?);
    }
    Ok(bound)
}
