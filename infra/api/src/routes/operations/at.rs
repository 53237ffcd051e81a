//! AT commands: words for the DTU itself.

use std::sync::Arc;

use domain::Source;
use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use jobs::ports::Order;
use records::{operations::What, terminals};
use serde::Deserialize;
use utoipa::ToSchema;

use super::begin::{Begun, Wish, begin};
use crate::{
    error::ApiError,
    site::Site,
    visitor::{Admin, SignedIn},
};

/// What makes a line an AT command for a DTU.
const PREFIX: &str = "+++AT+";
/// The most bytes of a command.
const MOST_BYTES: usize = 200;

/// What a DTU is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AtForm {
    /// The command without `+++AT+`: one line of printable ASCII.
    #[schema(example = "VER", max_length = 200)]
    command: String,
}

/// Send an AT command to a terminal
///
/// It can make a terminal unreachable for good. For administrators.
#[utoipa::path(
    post, path = "/api/terminals/{mac}/at", operation_id = "send_at", tag = "operations",
    params(("mac" = String, Path, description = "The terminal")), request_body = AtForm,
    responses((status = 202, description = "It is under way", body = Begun))
)]
pub(super) async fn send(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
    Json(AtForm { command }): Json<AtForm>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let terminal: terminals::Terminal = site.terminal(&user, &mac).await?;
    check(&command)?;
    let order = Order::At { mac: terminal.mac.clone(), command: format!("{PREFIX}{command}") };
    let (about, node) = (Source::Terminal(terminal.mac), terminal.node);
    begin(&site, Wish { about, node, by: user.user, what: What::At { command }, order }).await
}

/// A second line would be a second command, and a second prefix one that nobody sees in the log for what it is.
fn check(command: &str) -> Result<(), Problem> {
    let is_fine = !command.is_empty()
        && command.len() <= MOST_BYTES
        && command.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !command.contains("+++")
        && command.trim() == command;
    let how = "A command is one line of 1 to 200 printable ASCII characters without the +++AT+ in front: VER.";
    if is_fine { Ok(()) } else { Err(Problem::bad_request("bad-command", how)) }
}
