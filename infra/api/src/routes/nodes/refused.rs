//! Gateway programs that were turned away.

use std::sync::Arc;

use engine_http::{Json, axum::extract::State};
use records::doors::TurnedAway;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, moment::Moment, paging::Listing, site::Site, visitor::Admin};

/// A gateway program that was turned away.
#[derive(Serialize, ToSchema)]
pub(super) struct RefusedNode {
    /// Where it came from.
    address: String,
    /// Why, as a word that does not change: `unknown_token`, `unknown_address`, `taken` or `store_away`.
    code: String,
    /// Why, and what to do about it.
    reason: String,
    /// When it came last.
    at: Moment,
    /// How often it came.
    times: u64,
}

/// Gateway programs that were turned away
///
/// The latest hundred since the server started, newest first. For administrators.
#[utoipa::path(
    get, path = "/api/nodes/refused", operation_id = "list_refused_nodes", tag = "nodes",
    responses((status = 200, description = "All of them", body = Listing<RefusedNode>))
)]
pub(super) async fn list(State(site): State<Arc<Site>>, Admin: Admin) -> Result<Json<Listing<RefusedNode>>, ApiError> {
    let items = site.door.seen().await?.turned_away.into_iter().map(RefusedNode::from).collect();
    Ok(Listing::answer("refused nodes", items, None))
}

impl From<TurnedAway> for RefusedNode {
    fn from(refused: TurnedAway) -> Self {
        let TurnedAway { address, code, reason, at, times } = refused;
        Self { address: address.to_string(), code, reason, at: Moment(at), times }
    }
}
