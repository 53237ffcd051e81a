//! Alert rules: what people want to be told of beside what protocols' constants say.
//!
//! A rule is somebody's own, or everybody's, which administrators make. Others' own rules are nobody else's business, the
//! administrators' neither: they are not found; nor is everybody's that names what one does not see.

mod backtest;
mod changing;
mod form;
mod import;
mod metrics;
mod proof;
mod reading;
mod sight;

use std::sync::Arc;

use domain::alarm::Rule;
use engine_http::{
    Problem,
    axum::{self, extract::DefaultBodyLimit},
};
use records::{
    alert_rules::{self, Change, Changed, MOST, MOST_OF_A_USER, Replaced},
    users::{Role, User},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::{form::RuleForm, proof::named_by_nothing};
use crate::{error::ApiError, site::Site};

const LIST: &str = "alert-rules";
/// An import holds many rules.
const MOST_IMPORT_BYTES: usize = 2 * 1024 * 1024;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    let import = OpenApiRouter::new().routes(routes!(import::import)).layer(DefaultBodyLimit::max(MOST_IMPORT_BYTES));
    OpenApiRouter::new()
        .routes(routes!(reading::list, changing::create))
        .routes(routes!(metrics::list))
        .routes(routes!(import::export))
        .routes(routes!(backtest::backtest))
        .routes(routes!(reading::get, changing::replace, changing::delete))
        .routes(routes!(reading::versions))
        .merge(import)
}

/// The rule of that id among everybody's and the user's own.
async fn rule(site: &Site, user: &User, id: &str) -> Result<alert_rules::AlertRule, ApiError> {
    Ok(alert_rule(site, user, id).await?.ok_or_else(nowhere)?)
}

/// The same, as far as a user may look at it; none where they may not.
pub(crate) async fn alert_rule(site: &Site, user: &User, id: &str) -> Result<Option<alert_rules::AlertRule>, ApiError> {
    let found = if is_id(id) { alert_rules::get(&*site.table, &user.user, id).await? } else { None };
    Ok(sight::in_sight(site, user, found.into_iter().collect()).await?.pop())
}

/// Whether something can be the id of a rule that was made here.
pub(crate) fn is_id(id: &str) -> bool {
    ulid::Ulid::from_string(id).is_ok()
}

fn nowhere() -> Problem {
    Problem::not_found("There is no such alert rule among everybody's and yours.")
}

/// That the user may change a rule of this owner.
fn may_change(user: &User, owner: Option<&str>) -> Result<(), Problem> {
    match (owner, user.role) {
        (Some(_), _) | (None, Role::Admin) => Ok(()),
        (None, Role::User) => {
            Err(Problem::forbidden("admins-only", "Only an administrator may make or change everybody's rules."))
        }
    }
}

/// Does changes, all or none.
async fn commit(site: &Site, user: &User, changes: &[Change]) -> Result<(), ApiError> {
    let problem = match alert_rules::change(&*site.table, changes, site.clock.now()).await? {
        Changed::Done => {
            tracing::info!(user.name = user.user, changes = changes.len(), "Alert rules were changed");
            return Ok(());
        }
        Changed::Conflict => conflict(),
        Changed::TooMany => Problem::conflict("too-many-rules", format!("There may be at most {MOST} alert rules.")),
        Changed::TooManyOfAUser => {
            let how = format!("You may have at most {MOST_OF_A_USER} alert rules of your own: delete one first.");
            Problem::conflict("too-many-rules", how)
        }
    };
    Err(problem.into())
}

fn conflict() -> Problem {
    Problem::conflict("version-conflict", "The rule was changed meanwhile: get it anew, and change what it is now.")
}

/// A form as a record: the version after `before`, or a new rule.
fn record(site: &Site, user: &User, form: RuleForm, before: Option<&alert_rules::AlertRule>) -> alert_rules::AlertRule {
    let id = before.map_or_else(|| site.new_id(), |before| before.id.clone());
    record_of(site, user, form, (id, before))
}

/// A form as the record of a rule of that id.
fn record_of(
    site: &Site,
    user: &User,
    form: RuleForm,
    (id, before): (String, Option<&alert_rules::AlertRule>),
) -> alert_rules::AlertRule {
    let at = site.clock.now();
    let owner = (!form.everybody).then(|| user.user.clone());
    let rule = Rule { id: alert_rules::rule_id(owner.as_deref(), &id), ..form.rule() };
    let replaces = form.replaces.map(|rule| Replaced { rule, since: at });
    let after = alert_rules::AlertRule {
        id,
        name: form.name,
        owner,
        target: form.target,
        scope: form.scope,
        replaces,
        enabled: form.enabled,
        recipients: form.recipients,
        rule,
        version: before.map_or(0, |before| before.version) + 1,
        changed_at: at,
        changed_by: user.user.clone(),
    };
    match before {
        Some(before) => still_replacing(after, before),
        None => after,
    }
}

/// A rule that took a common one's place already, of the same sources, has done so since then.
fn still_replacing(mut after: alert_rules::AlertRule, before: &alert_rules::AlertRule) -> alert_rules::AlertRule {
    let is_of_the_same = after.target == before.target && after.scope == before.scope;
    let known = before.in_place_of().filter(|_| is_of_the_same);
    if let (Some(now), Some(known)) = (&mut after.replaces, known)
        && now.rule == known.rule
    {
        now.since = known.since;
    }
    after
}
