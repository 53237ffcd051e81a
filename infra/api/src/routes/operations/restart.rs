//! The restart of a gateway program.

use std::sync::Arc;

use domain::Source;
use engine_http::{
    Json, Path,
    axum::{extract::State, http::StatusCode},
};
use jobs::ports::Order;
use records::operations::What;

use super::begin::{Begun, Wish, begin};
use crate::{
    error::ApiError,
    routes::nodes::registered,
    site::Site,
    visitor::{Admin, SignedIn},
};

/// Restart a node
///
/// Its program lets go of all its terminals and takes them on again. Some programs do not know how, and never answer. For
/// administrators.
#[utoipa::path(
    post, path = "/api/nodes/{name}/restart", operation_id = "restart_node", tag = "operations",
    params(("name" = String, Path, description = "The node")),
    responses((status = 202, description = "It is under way", body = Begun))
)]
pub(super) async fn restart(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    SignedIn(user): SignedIn,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let node = registered(&site, &name).await?.name;
    let about = Source::Node(node.clone());
    begin(&site, Wish { about, node, by: user.user, what: What::Restart, order: Order::Restart }).await
}
