//! What of everybody's rules somebody may look at: those that name nothing, or what they see; and of who else hears, themselves alone.

use domain::{Need, Source};
use records::{
    alert_rules::{AlertRule, Scope},
    users::{self, Role, User},
};

use crate::{error::ApiError, site::Site};

/// Those of some rules that a user may look at, as they may.
pub(super) async fn in_sight(site: &Site, user: &User, rules: Vec<AlertRule>) -> Result<Vec<AlertRule>, ApiError> {
    if user.role == Role::Admin {
        return Ok(rules);
    }
    let named: Vec<Option<Source>> = rules.iter().map(named).collect();
    let seen = users::seen_among(&*site.table, user, named.iter().flatten()).await?;
    let is_seen = |source: &Option<Source>| source.as_ref().is_none_or(|source| seen.contains(source));
    let hears = |rule: &AlertRule| rule.recipients.users.contains(&user.user);
    let in_sight = rules.into_iter().zip(&named).filter(|(rule, named)| hears(rule) || is_seen(named));
    Ok(in_sight.map(|(rule, _)| without_others(user, rule)).collect())
}

/// What everybody's rule names; one's own shows nobody else anything.
fn named(rule: &AlertRule) -> Option<Source> {
    if rule.owner.is_some() {
        return None;
    }
    match &rule.scope {
        Scope::Node { node } => Some(Source::Node(node.clone())),
        // Whatever it needs: parts of the platform are for administrators.
        Scope::Part { part } => Some(Source::Platform(Need { part: part.clone(), needs: String::new() })),
        scope => scope.mac().cloned().map(Source::Terminal),
    }
}

fn without_others(user: &User, mut rule: AlertRule) -> AlertRule {
    rule.recipients.users.retain(|recipient| *recipient == user.user);
    rule.recipients.rotas.clear();
    rule
}
