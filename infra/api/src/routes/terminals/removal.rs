//! Taking a terminal away.

use std::sync::Arc;

use domain::{Mac, Source};
use engine_http::{
    Path,
    axum::{extract::State, http::StatusCode},
};
use jobs::ports::{Audience, Push};
use records::{alarms, terminals, users};
use serde_json::json;

use crate::{error::ApiError, site::Site, visitor::AdminUser};

/// Delete a terminal
///
/// With its devices, its latest readings and who may see it. Its alarms end as `removed`, and nobody is told that anything
/// recovered. Its history and ended alarms are kept until they run out. What still comes from it is passed over. For
/// administrators.
#[utoipa::path(
    delete, path = "/api/terminals/{mac}", operation_id = "delete_terminal", tag = "terminals",
    params(("mac" = String, Path, description = "The terminal")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Path(mac): Path<String>,
) -> Result<StatusCode, ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    let table = &*site.table;
    // The terminal itself goes last, so that a deletion that breaks off can be asked for again; and what an evaluation that
    // ran beside it may have left is ended after.
    end_alarms(&site, &terminal).await?;
    for bound in users::of_terminal(table, &terminal.mac).await? {
        users::unbind(table, &bound, &terminal.mac).await?;
    }
    terminals::delete(table, &terminal).await?;
    end_alarms(&site, &terminal).await?;
    tracing::info!(terminal.mac = %terminal.mac, user.name = user.user, "A terminal was deleted");
    show_changed(&site, &terminal.mac).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_alarms(site: &Site, terminal: &terminals::Terminal) -> Result<(), ApiError> {
    let devices = terminal.devices.iter().map(|device| Source::Device(terminal.device_id(device.pid)));
    for source in devices.chain([Source::Terminal(terminal.mac.clone())]) {
        alarms::end(&*site.table, &source, site.clock.now()).await?;
    }
    Ok(())
}

/// Tells the browsers that watch a terminal to look at it anew. Nobody waits for it.
pub(in crate::routes) async fn show_changed(site: &Site, mac: &Mac) {
    let push = Push {
        event: format!("MacUpdate{mac}"),
        audience: Audience::Terminal(mac.clone()),
        data: json!({ "mac": mac }),
    };
    if let Err(error) = site.link.publish(vec![push]).await {
        tracing::warn!(%error, "browsers were not shown that a terminal changed");
    }
}
