//! How an operation begins: it is recorded, and then given to the broker that holds the node.

use domain::{NodeName, Source};
use engine_http::{Json, Problem, axum::http::StatusCode};
use jobs::ports::{LinkError, NodeCommand, Operation as Command, Order};
use records::{
    TableError, nodes,
    operations::{self, Ended, Operation, What},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{bounded::ANSWERS_WITHIN, error::ApiError, site::Site};

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
///
/// # Errors
/// 503 when the way to the broker is away: it is recorded as failed, unless the broker was told all the same and says otherwise. It is not
/// begun later than the answer was waited for.
pub(super) async fn begin(site: &Site, wish: Wish) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let Wish { about, node, by, what, order } = wish;
    let at = site.clock.now();
    let id = site.new_id();
    let session = nodes::session(&*site.table, &node).await;
    let broker = session.as_ref().ok().and_then(|session| Some(session.as_ref()?.broker.clone()));
    let told = Command { id: id.clone(), about: about.clone(), node: node.clone(), order, until: None };
    let record =
        Operation { id: id.clone(), about: about.clone(), node, broker: broker.clone(), what, by, at, ended: None };
    if !operations::put_new(&*site.table, &record).await? {
        return Err(Problem::internal().into());
    }
    tracing::info!(operation.id = id, operation.about = %about, user.name = record.by, "an operation begins");
    let given = match session {
        Ok(_) => give(site, broker.as_deref(), told).await,
        Err(error) => Err(NotGiven::Table(error)),
    };
    if let Err(why) = &given {
        let supposed = matches!(why, NotGiven::Link(LinkError::Away(_)));
        let ended = Ended { at: site.clock.now(), done: false, said: why.said(), reply: None, supposed };
        operations::end(&*site.table, &about, &id, &ended).await?;
    }
    match given {
        Err(NotGiven::Link(error @ LinkError::Away(_))) => return Err(error.into()),
        Err(NotGiven::Table(error)) => return Err(error.into()),
        Ok(()) | Err(NotGiven::Link(LinkError::NotConnected)) => {}
    }
    Ok((StatusCode::ACCEPTED, Json(Begun { id })))
}

/// Why a broker was not told of an operation.
enum NotGiven {
    Table(TableError),
    Link(LinkError),
}

impl NotGiven {
    fn said(&self) -> String {
        match self {
            Self::Table(_) => "it is not known which broker holds the node: the store is away".to_owned(),
            Self::Link(error) => error.to_string(),
        }
    }
}

/// Gives an operation to the broker that holds the node.
async fn give(site: &Site, broker: Option<&str>, command: Command) -> Result<(), NotGiven> {
    let broker = broker.ok_or(NotGiven::Link(LinkError::NotConnected))?;
    // Who asks waits as long for the broker to be told: what is said to have failed, since nobody could be told of it, is not
    // done when the way to the broker is there again.
    let command = Command { until: Some(site.clock.now().plus(ANSWERS_WITHIN)), ..command };
    site.link.command(broker, NodeCommand::Operate(command)).await.map_err(NotGiven::Link)
}
