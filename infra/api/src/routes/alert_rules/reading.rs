//! Looking at rules.

use std::sync::Arc;

use engine_http::{Json, Path, Query, axum::extract::State};
use records::{
    Listed, TableError,
    alert_rules::{self, rule_id},
    users::User,
};

use super::{
    LIST,
    form::{AlertRule, RuleForm},
    is_id, may_change, nowhere,
    proof::Seen,
    rule,
    sight::in_sight,
};
use crate::{
    error::ApiError,
    paging::{Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const VERSIONS: &str = "alert-rule-versions";

/// Alert rules
///
/// Everybody's, then your own, each in the order in which they were made. Of everybody's those that name what you do not see are
/// left out, so a page may hold fewer than asked for, and of who else hears you see yourself alone.
#[utoipa::path(
    get, path = "/api/alerts/rules", operation_id = "list_alert_rules", tag = "alert rules", params(Paging),
    responses((status = 200, description = "A page of rules", body = Listing<AlertRule>))
)]
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<AlertRule>>, ApiError> {
    let page = page(&site, &user, paging.limit()?, paging.after(LIST)?).await?;
    Ok(Listing::answer(LIST, warned(&site, &user, page.items).await?, page.next))
}

/// Rules, each with what can hardly be meant of it where the user may change that: what everybody's rules watch, others may not see.
async fn warned(site: &Site, user: &User, rules: Vec<alert_rules::AlertRule>) -> Result<Vec<AlertRule>, ApiError> {
    let is_theirs = |rule: &alert_rules::AlertRule| may_change(user, rule.owner.as_deref()).is_ok();
    let forms: Vec<(bool, RuleForm)> = rules.iter().map(|rule| (is_theirs(rule), rule.clone().into())).collect();
    let theirs: Vec<&RuleForm> = forms.iter().filter(|(is_theirs, _)| *is_theirs).map(|(_, form)| form).collect();
    if theirs.is_empty() {
        return Ok(rules.into_iter().map(AlertRule::from).collect());
    }
    let seen = Seen::spoken_to(site, user, &theirs).await?;
    let warnings = forms.iter().map(|(is_theirs, form)| if *is_theirs { seen.warnings(form) } else { Vec::new() });
    Ok(rules.into_iter().zip(warnings).map(|(rule, warnings)| AlertRule::from(rule).warned(warnings)).collect())
}

/// A page of everybody's rules, as far as the user may look at them, and then the user's.
pub(super) async fn page(
    site: &Site,
    user: &User,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<alert_rules::AlertRule>, ApiError> {
    let Listed { items, next } = whole_page(site, &user.user, limit, after).await?;
    Ok(Listed { items: in_sight(site, user, items).await?, next })
}

/// The same of all of everybody's; its places are the ids of rules.
async fn whole_page(
    site: &Site,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<alert_rules::AlertRule>, TableError> {
    let table = &*site.table;
    let (common, own) = (rule_id(None, ""), rule_id(Some(user), ""));
    let mut items = Vec::new();
    if after.as_ref().is_none_or(|after| after.starts_with(&common)) {
        let page = alert_rules::list(table, None, limit, after.clone()).await?;
        if page.next.is_some() {
            return Ok(page);
        }
        items = page.items;
    }
    // One's own begin behind their prefix, which is no rule's id.
    let behind = after.filter(|after| after.starts_with(&own));
    let left = limit - items.len();
    if left == 0 {
        let more = !alert_rules::list(table, Some(user), 1, None).await?.items.is_empty();
        return Ok(Listed { items, next: more.then_some(own) });
    }
    let page = alert_rules::list(table, Some(user), left, behind).await?;
    items.extend(page.items);
    Ok(Listed { items, next: page.next })
}

/// One alert rule
#[utoipa::path(
    get, path = "/api/alerts/rules/{id}", operation_id = "get_alert_rule", tag = "alert rules",
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, description = "The rule", body = AlertRule))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<AlertRule>, ApiError> {
    let rule = rule(&site, &user, &id).await?;
    let shown = warned(&site, &user, vec![rule]).await?.pop();
    Ok(Json(shown.ok_or_else(nowhere)?))
}

/// What an alert rule was
///
/// Its earlier versions, newest first; of one that was deleted, all of them. They are kept for a year.
#[utoipa::path(
    get, path = "/api/alerts/rules/{id}/versions", operation_id = "list_alert_rule_versions", tag = "alert rules",
    params(("id" = String, Path, description = "The rule"), Paging),
    responses((status = 200, description = "A page of versions", body = Listing<AlertRule>))
)]
pub(super) async fn versions(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<AlertRule>>, ApiError> {
    if !is_id(&id) {
        return Err(nowhere().into());
    }
    let table = &*site.table;
    let (name, version) = match alert_rules::get(table, &user.user, &id).await? {
        Some(stored) => {
            // Whoever may not look at what it is finds none.
            rule(&site, &user, &id).await?;
            (stored.rule.id, stored.version)
        }
        None => deleted(&site, &user.user, &id).await?.ok_or_else(nowhere)?,
    };
    let before = paging.after(VERSIONS)?.and_then(|place| place.parse().ok()).unwrap_or(version).min(version);
    let page = alert_rules::history(table, &name, before, paging.limit()?).await?;
    let seen = in_sight(&site, &user, page.items).await?;
    Ok(Listing::answer(VERSIONS, seen.into_iter().map(AlertRule::from).collect(), page.next))
}

/// What a rule that was deleted was known by, and the version that it did not come to.
async fn deleted(site: &Site, user: &str, id: &str) -> Result<Option<(String, u64)>, TableError> {
    for owner in [None, Some(user)] {
        let name = rule_id(owner, id);
        if let Some(last) = alert_rules::last_version(&*site.table, &name).await? {
            return Ok(Some((name, last.version + 1)));
        }
    }
    Ok(None)
}
