//! Many documents at once.

use std::sync::Arc;

use engine_http::{Json, Query, axum::extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Taken,
    proof::{Compared, Offered},
};
use crate::{error::ApiError, site::Site, visitor::Admin};

/// How to import.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Manner {
    /// Whether only to say what would become of each document. False when absent.
    #[serde(default, alias = "dryRun")]
    dry_run: bool,
}

/// What became of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// Whether nothing was stored, because only a trial was asked for.
    dry_run: bool,
    /// The protocols.
    protocols: Vec<Taken>,
    /// The constants.
    constants: Vec<Taken>,
}

/// Import protocols and constants
///
/// All of them or none: if anything is wrong, everything that is wrong is told in `errors`, and nothing is stored.
/// At most 100 documents and 4 MiB. For administrators.
#[utoipa::path(
    post, path = "/api/protocols/import", operation_id = "import_protocols", tag = "protocols", params(Manner),
    request_body(content = Object, description = "The documents, as `protocols` and `constants`"),
    responses((status = 200, description = "What became of each document", body = Imported))
)]
pub(super) async fn import(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Query(Manner { dry_run }): Query<Manner>,
    Json(offered): Json<Offered>,
) -> Result<Json<Imported>, ApiError> {
    let offered = offered.proven(&site).await?;
    let Compared { protocols, constants } = offered.compared(&site).await?;
    if !dry_run {
        offered.store(&site).await?;
    }
    Ok(Json(Imported { dry_run, protocols, constants }))
}
