//! The ports that the functions are not given. No job of theirs uses them; one that does is told, and loses nothing.

use async_trait::async_trait;
use jobs::ports::{Delivery, Letter, Link, LinkError, NodeCommand, Notifier, Push};

/// Stands where a port is missing.
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

#[async_trait]
impl Notifier for Unwired {
    async fn send(&self, _letter: &Letter) -> Delivery {
        Delivery::TryLater {
            after: None,
            why: "this function was given no notifier: wire one in its context".to_owned(),
        }
    }
}

fn no_link() -> LinkError {
    LinkError("this function was given no link: wire one in its context".to_owned())
}
