//! Taking a node away.

use std::sync::Arc;

use domain::Source;
use engine_http::{
    Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use records::{alarms, nodes, terminals};

use super::{
    admission::{reachable, shed_from},
    registered,
};
use crate::{error::ApiError, site::Site, visitor::Admin};

/// Delete a node
///
/// Its program is disconnected and not let in again. Its alarms end as `removed`. 409 while terminals are mounted on it. For
/// administrators.
#[utoipa::path(
    delete, path = "/api/nodes/{name}", operation_id = "delete_node", tag = "nodes",
    params(("name" = String, Path, description = "The node")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let table = &*site.table;
    let node = registered(&site, &name).await?;
    let mounted = terminals::of_node(table, &name).await?.len();
    if mounted > 0 {
        let how = format!(
            "Terminals mounted on this node: {mounted}. Mount them on another (PUT /api/terminals/{{mac}}) or delete them first."
        );
        return Err(Problem::conflict("node-in-use", how).into());
    }
    let source = Source::Node(name.clone());
    let session = reachable(&site, &name).await?;
    alarms::end(table, &source, site.clock.now()).await?;
    nodes::delete(table, &node).await?;
    alarms::end(table, &source, site.clock.now()).await?;
    tracing::info!(node.name = name, "A node was deleted");
    shed_from(&site, &name, session).await?;
    Ok(StatusCode::NO_CONTENT)
}
