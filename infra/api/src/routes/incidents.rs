//! Incidents, each with the notices that told of it.

use std::{collections::BTreeSet, sync::Arc};

use domain::Timestamp;
use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State},
};
use jobs::comes_and_goes;
use records::{
    Listed, Table, TableError,
    incidents::{self, Audience, Named},
    notices,
    users::{Role, User},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::notices::Notice;
use crate::{
    error::ApiError,
    moment::Moment,
    paging::{self, Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "incidents";
const PAGE: usize = 200;
/// So many of somebody's notices are looked through for those of an incident.
const MOST_LOOKED_AT: usize = 2000;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Whose incidents are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Those that are told by this routing policy. For administrators. Your own when absent.
    policy: Option<String>,
}

/// Alarms that belong together, as they are told.
#[derive(Debug, Serialize, ToSchema)]
struct Incident {
    /// Its id.
    id: String,
    /// What belongs together: `terminal:<mac>`, `node:<name>` and others.
    group: String,
    /// What people call that.
    place: String,
    /// `gathering` (nobody was told yet), `open`, `over` or `closed`.
    state: &'static str,
    /// When the first of its alarms began.
    began: Moment,
    /// When the last one ended; null while one is open.
    #[schema(required)]
    ended: Option<Moment>,
    /// The alarms that are open; of very many, a thousand.
    alarms: Vec<String>,
    /// How many are open.
    alarms_in_all: usize,
    /// How many notices told of it, on each channel.
    notices: u32,
    /// Since when nobody has acknowledged; null while somebody has.
    #[schema(required)]
    unacknowledged_since: Option<Moment>,
    /// How many steps of its escalation were told.
    level: usize,
    /// How many alarms were over before they were told, and were not told.
    not_told: u32,
}

/// An incident and its notices.
#[derive(Debug, Serialize, ToSchema)]
struct IncidentWithNotices {
    /// The incident.
    #[serde(flatten)]
    incident: Incident,
    /// The notices that told of it, newest first. Of the latest 2,000 of each person.
    told: Vec<Notice>,
}

/// Incidents
///
/// What you were told, also by a policy or a rule that names you, newest first. Incidents are kept for 90 days after they are closed.
#[utoipa::path(
    get, path = "/api/alerts/incidents", operation_id = "list_incidents", tag = "notices", params(Whose, Paging),
    responses((status = 200, description = "A page of incidents", body = Listing<Incident>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(whose): Query<Whose>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Incident>>, ApiError> {
    let audience = whose.audience(&user)?;
    let (table, limit, after) = (&*site.table, paging.limit()?, paging.after(LIST)?);
    let mut page = incidents::list(table, &audience, limit, after.clone()).await?;
    if whose.policy.is_none() {
        page = both(page, incidents::told(table, &user.user, limit, after).await?, limit);
    }
    let mut items = Vec::new();
    for incident in page.items {
        items.push(shown(table, incident).await?);
    }
    Ok(Listing::answer(LIST, items, page.next))
}

/// Two lists as if they were one, newest first.
fn both(
    own: Listed<incidents::Incident>,
    told: Listed<incidents::Incident>,
    limit: usize,
) -> Listed<incidents::Incident> {
    // What is older than the end of either page may be missing from that one.
    let horizon = own.next.into_iter().chain(told.next).max();
    let mut items = [own.items, told.items].concat();
    items.retain(|incident| horizon.as_ref().is_none_or(|horizon| incident.id >= *horizon));
    items.sort_by(|a, b| b.id.cmp(&a.id));
    let (items, next) = paging::cut(items, |incident| &incident.id, limit);
    Listed { items, next: next.or(horizon) }
}

/// One incident, with its notices
#[utoipa::path(
    get, path = "/api/alerts/incidents/{id}", operation_id = "get_incident", tag = "notices",
    params(("id" = String, Path, description = "The incident"), Whose),
    responses((status = 200, description = "The incident", body = IncidentWithNotices))
)]
async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Json<IncidentWithNotices>, ApiError> {
    let nowhere = || Problem::not_found("There is no such incident among yours.");
    let began = ulid::Ulid::from_string(&id).map_err(|_| nowhere())?.timestamp_ms();
    let audience = whose.audience(&user)?;
    let found = incidents::get(&*site.table, &Named { audience, id: id.clone() }).await?;
    let (found, people) = match found {
        Some(found) if whose.policy.is_some() => (found.value.clone(), found.value.people),
        Some(found) => (found.value, BTreeSet::from([user.user])),
        None if whose.policy.is_some() => return Err(nowhere().into()),
        // Of what they were told by name they see what they were told themselves.
        None => (told_by_name(&site, &user.user, &id).await?.ok_or_else(nowhere)?, BTreeSet::from([user.user])),
    };
    let mut told = Vec::new();
    for person in people {
        told.extend(notices_of(&site, &person, &id, Timestamp(i64::try_from(began).unwrap_or_default())).await?);
    }
    let incident = shown(&*site.table, found).await?;
    Ok(Json(IncidentWithNotices { incident, told: told.into_iter().map(Notice::from).collect() }))
}

/// An incident, of which what comes and goes has the name under which it stands by now.
async fn shown(table: &dyn Table, incident: incidents::Incident) -> Result<Incident, TableError> {
    let latest = comes_and_goes::latest(table, &incident.state.open).await?;
    let shown = Incident::from(incident);
    let alarms = shown.alarms.into_iter().map(|alarm| latest.get(&alarm).cloned().unwrap_or(alarm)).collect();
    Ok(Incident { alarms, ..shown })
}

/// The incident of that id that somebody was told of because a policy names them, or a rule.
async fn told_by_name(site: &Site, user: &str, id: &str) -> Result<Option<incidents::Incident>, ApiError> {
    let Some(named) = incidents::told_of(&*site.table, user, id).await? else { return Ok(None) };
    let found = incidents::get(&*site.table, &named).await?.map(|found| found.value);
    Ok(found.filter(|incident| incident.people.contains(user)))
}

/// A person's notices of an incident, newest first.
async fn notices_of(
    site: &Site,
    person: &str,
    incident: &str,
    since: Timestamp,
) -> Result<Vec<notices::Notice>, ApiError> {
    let (mut found, mut after, mut looked_at) = (Vec::new(), None, 0);
    while looked_at < MOST_LOOKED_AT {
        let page = notices::list(&*site.table, person, PAGE, after).await?;
        looked_at += page.items.len();
        let is_at_the_end = page.items.last().is_some_and(|last| last.at < since);
        found.extend(page.items.into_iter().filter(|notice| notice.incident == incident));
        after = page.next;
        if after.is_none() || is_at_the_end {
            break;
        }
    }
    Ok(found)
}

impl Whose {
    fn audience(&self, user: &User) -> Result<Audience, Problem> {
        match &self.policy {
            None => Ok(Audience::User(user.user.clone())),
            Some(_) if user.role != Role::Admin => {
                Err(Problem::forbidden("admins-only", "Only an administrator may see what others are told."))
            }
            Some(policy) if policy.is_empty() || policy.contains('\0') => {
                Err(Problem::bad_request("bad-query", "policy is no policy's id."))
            }
            Some(policy) => Ok(Audience::Policy(policy.clone())),
        }
    }
}

impl From<incidents::Incident> for Incident {
    fn from(incident: incidents::Incident) -> Self {
        let state = incident.state;
        Self {
            id: incident.id,
            group: incident.group,
            place: incident.place,
            state: match (state.closed, state.over, state.sequence) {
                (true, ..) => "closed",
                (false, Some(_), _) => "over",
                (false, None, 0) => "gathering",
                (false, None, _) => "open",
            },
            began: Moment(state.began),
            ended: state.ended.filter(|_| state.is_over()).map(Moment),
            alarms_in_all: state.open_count(),
            alarms: state.open.into_keys().collect(),
            notices: state.sequence,
            unacknowledged_since: state.unattended.map(Moment),
            level: state.level,
            not_told: state.dropped,
        }
    }
}
