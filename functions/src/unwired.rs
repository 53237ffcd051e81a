//! The link of functions whose job reaches no broker. One that does all the same is told, and loses nothing.

use async_trait::async_trait;
use jobs::ports::{Link, LinkError, NodeCommand, Push};

/// Stands where the link is missing.
pub(crate) struct Unwired;

#[async_trait]
impl Link for Unwired {
    async fn command(&self, _broker: &str, _command: NodeCommand) -> Result<(), LinkError> {
        Err(no_link())
    }

    async fn publish(&self, _pushes: Vec<Push>) -> Result<(), LinkError> {
        Err(no_link())
    }
}

fn no_link() -> LinkError {
    LinkError::Away(
        "this function was given no link: set TELLTALE_LINK__INBOX_PREFIX and TELLTALE_LINK__TOPIC".to_owned(),
    )
}
