//! The link to a broker in the same process: a bounded channel.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jobs::ports::{Link, LinkError, NodeCommand, Position, Push, ToBroker};
use tokio::sync::mpsc;

/// How many messages may wait for the broker before jobs are told to come back later.
const WAITING: usize = 4096;

/// The link to the one broker of this process. It counts what is published; its epoch is the broker's name.
#[derive(Debug, Clone)]
pub struct InProcess {
    broker: String,
    inbox: mpsc::Sender<ToBroker>,
    /// How many pushes there were.
    published: Arc<Mutex<u64>>,
}

/// The link, and the inbox that the broker named `broker` reads.
pub fn in_process(broker: &str) -> (InProcess, mpsc::Receiver<ToBroker>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (InProcess { broker: broker.to_owned(), inbox: sender, published: Arc::default() }, receiver)
}

impl InProcess {
    fn give(&self, message: ToBroker) -> Result<(), LinkError> {
        self.inbox.try_send(message).map_err(|error| LinkError::Away(error.to_string()))
    }
}

#[async_trait]
impl Link for InProcess {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        match command {
            _ if broker == self.broker => self.give(ToBroker::Command(command)),
            // A session that names another broker is of an earlier life of this process: nobody is left to tell.
            NodeCommand::Plan(_)
            | NodeCommand::Shed { .. }
            | NodeCommand::Answered { .. }
            | NodeCommand::Displaced { .. } => Ok(()),
            // Somebody waits for what comes of it.
            NodeCommand::Operate(_) => Err(LinkError::NotConnected),
        }
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        // Given under the lock: in the order of the numbers. What is refused has used its numbers up, so that it is missed.
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let after = *published;
        *published += pushes.len() as u64;
        let position = Some(Position { epoch: self.broker.clone(), after, first: after + 1, at: None });
        self.give(ToBroker::Publish { pushes, position })
    }
}
