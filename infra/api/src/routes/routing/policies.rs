//! Policies: what is told together, and who hears when nobody acknowledges.

use std::sync::Arc;

use domain::alarm::Severity;
use engine_http::{
    Json, Path, Query,
    axum::{extract::State, http::StatusCode},
};
use records::{
    alert_rules::Scope,
    routing::{EscalationStep, GroupBy, Policy},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Form, Kept, Which, proof};
use crate::{
    error::ApiError,
    site::Site,
    visitor::{Admin, AdminUser},
};

/// How the alarms of some sources are routed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoutingPolicy {
    /// What people call it: 1 to 200 bytes.
    name: String,
    /// The sources that it is for, as an alert rule has it. Of a terminal: also what is said of itself; everywhere: also nodes. Of
    /// several that hold a source the narrowest counts, then the oldest.
    #[schema(value_type = Object)]
    scope: Scope,
    /// Whether it is in force. True when absent.
    #[serde(default = "yes")]
    enabled: bool,
    /// What is told in one notice: `cause` (what hangs on a terminal; the terminals of a node), `node`,
    /// `site` (all terminals of one, with what hangs on them), `source`, `rule`, `nothing`.
    #[serde(default)]
    #[schema(value_type = String, example = "cause")]
    group_by: GroupBy,
    /// The least severity that is escalated: `info`, `warning` or `critical`.
    #[schema(value_type = String, example = "critical")]
    least: Severity,
    /// Who hears when nobody acknowledges, in order:
    /// `{"after_ms": 600000, "users": ["ann"], "roles": ["admin", "user"], "rotas": ["01J…"]}`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    steps: Vec<EscalationStep>,
}

fn yes() -> bool {
    true
}

impl From<RoutingPolicy> for Policy {
    fn from(form: RoutingPolicy) -> Self {
        let RoutingPolicy { name, scope, enabled, group_by, least, steps } = form;
        Self { name, scope, enabled, group_by, least, steps }
    }
}

impl From<Policy> for RoutingPolicy {
    fn from(policy: Policy) -> Self {
        let Policy { name, scope, enabled, group_by, least, steps } = policy;
        Self { name, scope, enabled, group_by, least, steps }
    }
}

impl Form for RoutingPolicy {
    type Stored = Policy;

    async fn prove(site: &Site, stored: &Policy) -> Result<(), ApiError> {
        proof::policy(site, stored).await
    }
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoutingPolicies {
    /// Oldest first.
    items: Vec<Kept<RoutingPolicy>>,
}

/// Routing policies
///
/// All of them, oldest first. For administrators.
#[utoipa::path(
    get, path = "/api/alerts/policies", operation_id = "list_routing_policies", tag = "routing",
    responses((status = 200, description = "The policies", body = RoutingPolicies))
)]
pub(super) async fn list(State(site): State<Arc<Site>>, Admin: Admin) -> Result<Json<RoutingPolicies>, ApiError> {
    Ok(Json(RoutingPolicies { items: super::list(&site).await? }))
}

/// One routing policy
#[utoipa::path(
    get, path = "/api/alerts/policies/{id}", operation_id = "get_routing_policy", tag = "routing",
    params(("id" = String, Path, description = "The policy")),
    responses((status = 200, description = "The policy", body = Kept<RoutingPolicy>))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Kept<RoutingPolicy>>, ApiError> {
    super::get(&site, &id).await
}

/// Make a routing policy
///
/// Alarms that are raised from now on follow it. For administrators.
#[utoipa::path(
    post, path = "/api/alerts/policies", operation_id = "create_routing_policy", tag = "routing",
    request_body = RoutingPolicy,
    responses((status = 201, description = "It is in force", body = Kept<RoutingPolicy>))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Json(form): Json<RoutingPolicy>,
) -> Result<(StatusCode, Json<Kept<RoutingPolicy>>), ApiError> {
    super::create(&site, &user, form).await
}

/// Change a routing policy
///
/// Incidents that are open go on by what it says now. For administrators.
#[utoipa::path(
    put, path = "/api/alerts/policies/{id}", operation_id = "replace_routing_policy", tag = "routing",
    params(("id" = String, Path, description = "The policy"), Which), request_body = RoutingPolicy,
    responses((status = 200, description = "It is in force", body = Kept<RoutingPolicy>))
)]
pub(super) async fn replace(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Json(form): Json<RoutingPolicy>,
) -> Result<Json<Kept<RoutingPolicy>>, ApiError> {
    super::replace(&site, &user, (&id, which.version), form).await
}

/// Delete a routing policy
///
/// Nobody else is told by it; who was told of what is open is told of its end. For administrators.
#[utoipa::path(
    delete, path = "/api/alerts/policies/{id}", operation_id = "delete_routing_policy", tag = "routing",
    params(("id" = String, Path, description = "The policy"), Which),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, ApiError> {
    super::delete::<RoutingPolicy>(&site, &id, which.version).await
}
