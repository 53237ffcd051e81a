//! How an operation begins: it is recorded, and then given to the broker that holds the node.

use domain::{NodeName, Source};
use engine_http::{Json, Problem, axum::http::StatusCode};
use jobs::ports::{NodeCommand, Operation as Command, Order};
use records::{
    nodes,
    operations::{self, Ended, Operation, What},
};
use serde::Serialize;
use ulid::Ulid;
use utoipa::ToSchema;

use crate::{error::ApiError, site::Site};

/// An operation that is under way.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// Its id: the list of operations shows what comes of it.
    id: String,
}

/// What somebody wants done.
pub(super) struct Wish {
    /// The terminal or node that it is recorded with.
    pub about: Source,
    /// The node that is to do it.
    pub node: NodeName,
    /// Who wants it.
    pub by: String,
    /// What, as it is recorded.
    pub what: What,
    /// What, as the broker is told.
    pub order: Order,
}

/// Records what somebody wants, and has it done. Whatever becomes of it, the record says so: also that the node is away.
pub(super) async fn begin(site: &Site, wish: Wish) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let Wish { about, node, by, what, order } = wish;
    let at = site.clock.now();
    let random = u128::from(site.dice.roll()) << 64 | u128::from(site.dice.roll());
    let id = Ulid::from_parts(u64::try_from(at.0).unwrap_or_default(), random).to_string();
    let record = Operation { id: id.clone(), about: about.clone(), node: node.clone(), what, by, at, ended: None };
    if !operations::put_new(&*site.table, &record).await? {
        return Err(Problem::internal().into());
    }
    tracing::info!(operation.id = id, operation.about = %about, user.name = record.by, "an operation begins");
    let command = Command { id: id.clone(), about: about.clone(), node, order };
    if let Err(why) = give(site, command).await? {
        let ended = Ended { at: site.clock.now(), done: false, said: why, reply: None };
        operations::end(&*site.table, &about, &id, &ended).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(Begun { id })))
}

/// Gives an operation to the broker that holds the node, or says why it cannot.
async fn give(site: &Site, command: Command) -> Result<Result<(), String>, ApiError> {
    let Some(session) = nodes::session(&*site.table, &command.node).await? else {
        return Ok(Err("node not connected".to_owned()));
    };
    let given = site.link.command(&session.broker, NodeCommand::Operate(command)).await;
    Ok(given.map_err(|error| error.0))
}
