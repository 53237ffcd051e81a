//! Many rules at once.

use std::{collections::BTreeSet, sync::Arc};

use domain::alarm::{RuleId, Target};
use engine_http::{Json, Problem, Query, axum::extract::State};
use records::{
    alert_rules::{self, AlertRule, Change, MOST_AT_ONCE, rule_id},
    users::User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    LIST, commit,
    form::{Exchanged, RuleForm},
    is_id, may_change,
    proof::Seen,
    reading, record, record_of,
};
use crate::{
    error::ApiError,
    paging::{Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

/// Rules that somebody wants stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Offered {
    /// The rules.
    items: Vec<Exchanged>,
    /// What an export has, which an import does not look at.
    #[serde(default, rename = "next")]
    _next: Option<String>,
}

/// How to import.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Manner {
    /// Whether only to say what would become of each rule. False when absent.
    #[serde(default, alias = "dryRun")]
    dry_run: bool,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertRuleChange)]
enum Became {
    /// There was none of that id.
    Created,
    /// It stands in place of what it was.
    Replaced,
    /// It was there, word for word.
    Unchanged,
}

/// A rule that was taken in.
#[derive(Serialize, ToSchema)]
struct TakenRule {
    /// Its id; in a dry run, of a new one that came without, not the one that it would get.
    id: String,
    /// What people call it.
    name: String,
    /// What became of it.
    change: Became,
    /// What is stored as it is, and can hardly be meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<String>,
}

/// What became of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportedRules {
    /// Whether nothing was stored, because only a trial was asked for.
    dry_run: bool,
    /// The rules, as they were offered.
    items: Vec<TakenRule>,
}

/// Export alert rules
///
/// In the form in which they are imported, everybody's and your own; a page of at most 99 can be imported as it is.
#[utoipa::path(
    get, path = "/api/alerts/rules/export", operation_id = "export_alert_rules", tag = "alert rules", params(Paging),
    responses((status = 200, description = "A page of rules", body = Listing<Exchanged>))
)]
pub(super) async fn export(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Exchanged>>, ApiError> {
    let page = reading::page(&site, &user, paging.limit()?, paging.after(LIST)?).await?;
    let exchanged = |rule: AlertRule| Exchanged { id: Some(rule.id.clone()), form: rule.into() };
    Ok(Listing::answer(LIST, page.items.into_iter().map(exchanged).collect(), page.next))
}

/// Import alert rules
///
/// All of them or none: if anything is wrong, everything that is wrong is told in `errors`, and nothing is stored.
/// At most 99 rules and 2 MiB.
#[utoipa::path(
    post, path = "/api/alerts/rules/import", operation_id = "import_alert_rules", tag = "alert rules", params(Manner),
    request_body = Offered,
    responses((status = 200, description = "What became of each rule", body = ImportedRules))
)]
pub(super) async fn import(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(Manner { dry_run }): Query<Manner>,
    Json(Offered { items, .. }): Json<Offered>,
) -> Result<Json<ImportedRules>, ApiError> {
    let Proven { changes, taken } = proven(&site, &user, items).await?;
    if !dry_run && !changes.is_empty() {
        commit(&site, &user, &changes).await?;
    }
    Ok(Json(ImportedRules { dry_run, items: taken }))
}

/// Rules that can be stored.
struct Proven {
    changes: Vec<Change>,
    taken: Vec<TakenRule>,
}

async fn proven(site: &Site, user: &User, items: Vec<Exchanged>) -> Result<Proven, ApiError> {
    if !(1..=MOST_AT_ONCE).contains(&items.len()) {
        let how = format!("Give 1 to {MOST_AT_ONCE} rules at once, not {}.", items.len());
        return Err(Problem::bad_request("bad-count", how).into());
    }
    let forms: Vec<&RuleForm> = items.iter().map(|item| &item.form).collect();
    if forms.iter().any(|form| form.everybody) {
        may_change(user, None)?;
    }
    let seen = Seen::by(site, user, &forms).await?.with(everybodys(&items));
    let of = |place: usize, fault: String| format!("items[{place}].{fault}");
    let faults = forms.iter().map(|form| seen.faults(form)).enumerate();
    let mut faults: Vec<String> =
        faults.flat_map(|(place, faults)| faults.into_iter().map(move |fault| of(place, fault))).collect();
    faults.extend(twice(&items));
    let (mut changes, mut taken) = (Vec::new(), Vec::new());
    for (place, Exchanged { id, form }) in items.into_iter().enumerate() {
        let warnings = seen.warnings(&form);
        let before = before(site, user, id.as_deref()).await?;
        if before.as_ref().is_some_and(|before| before.owner.is_none() != form.everybody) {
            faults.push(of(place, "everybody: a rule stays whose it is; leave its id out for a new one".to_owned()));
            continue;
        }
        let id = match id.filter(|id| before.is_none() && is_id(id)) {
            Some(id) => Some(next_of(site, user, id, form.everybody).await?),
            None => None,
        };
        let (rule, change) = change(site, user, form, (before, id), &mut changes);
        taken.push(TakenRule { id: rule.id, name: rule.name, change, warnings });
    }
    if faults.is_empty() {
        return Ok(Proven { changes, taken });
    }
    let detail = "Nothing was stored: the rules are wrong, errors says where.";
    Err(Problem::faults("bad-rule", detail, faults).into())
}

/// What would become of one rule; adds the change, if there is one.
fn change(
    site: &Site,
    user: &User,
    form: RuleForm,
    (before, kept): (Option<AlertRule>, Option<KeptId>),
    changes: &mut Vec<Change>,
) -> (AlertRule, Became) {
    let Some(before) = before else {
        let rule = match kept {
            Some(KeptId { id, version }) => AlertRule { version, ..record_of(site, user, form, (id, None)) },
            None => record(site, user, form, None),
        };
        changes.push(Change::create(rule.clone()));
        return (rule, Became::Created);
    };
    if RuleForm::from(before.clone()) == form {
        return (before, Became::Unchanged);
    }
    let after = record(site, user, form, Some(&before));
    changes.push(Change::replace(before, after.clone()));
    (after, Became::Replaced)
}

/// The rule that is there already.
async fn before(site: &Site, user: &User, id: Option<&str>) -> Result<Option<AlertRule>, ApiError> {
    match id.filter(|id| is_id(id)) {
        Some(id) => Ok(alert_rules::get(&*site.table, &user.user, id).await?),
        None => Ok(None),
    }
}

/// The id that a rule had where it was exported, which it keeps: others name it. Its versions go on where one was deleted.
struct KeptId {
    id: String,
    version: u64,
}

async fn next_of(site: &Site, user: &User, id: String, everybody: bool) -> Result<KeptId, ApiError> {
    let name = rule_id((!everybody).then_some(user.user.as_str()), &id);
    let last = alert_rules::last_version(&*site.table, &name).await?;
    Ok(KeptId { id, version: last.map_or(0, |last| last.version) + 1 })
}

/// Everybody's rules among these, by what others name them, and what they watch.
fn everybodys(items: &[Exchanged]) -> Vec<(RuleId, Target)> {
    let everybodys = items.iter().filter(|item| item.form.everybody);
    let named = |item: &Exchanged| item.id.as_deref().map(|id| (rule_id(None, id), item.form.target));
    everybodys.filter_map(named).collect()
}

/// Ids that more than one rule has.
fn twice(items: &[Exchanged]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let repeated = items.iter().enumerate().filter(|(_, item)| item.id.as_ref().is_some_and(|id| !seen.insert(id)));
    repeated.map(|(place, _)| format!("items[{place}].id: it is there twice")).collect()
}
