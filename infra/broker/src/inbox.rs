//! What a broker is told by others, and what becomes of it when the broker stops.

use std::{sync::Arc, time::Duration};

use jobs::ports::{NodeCommand, ToBroker};
use socketioxide::SocketIo;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    browsers::Browsers,
    node::NodeDoor,
    operations::Operations,
    pacer::{LineEvent, PacerHandle},
};

/// How long an inbox that ends may take to.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What a broker is told.
pub(crate) struct Inbox {
    told: mpsc::Receiver<ToBroker>,
    /// Whether it ends by itself when the broker is to stop.
    ends: bool,
}

impl From<mpsc::Receiver<ToBroker>> for Inbox {
    fn from(told: mpsc::Receiver<ToBroker>) -> Self {
        Self { told, ends: false }
    }
}

impl Inbox {
    /// The same, if somebody closes it when the broker is to stop.
    pub(crate) fn that_ends(self) -> Self {
        Self { ends: true, ..self }
    }

    /// Does what the broker is told until `shutdown`.
    pub(crate) async fn listen(
        &mut self,
        pacer: &PacerHandle,
        (nodes, io): (&NodeDoor, &SocketIo),
        browsers: &Browsers,
        shutdown: &CancellationToken,
    ) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                told = self.told.recv() => match told {
                    Some(ToBroker::Command(NodeCommand::Plan(plan))) => pacer.plan(plan).await,
                    Some(ToBroker::Command(NodeCommand::Shed { node })) => nodes.shed(io, &node),
                    Some(ToBroker::Command(NodeCommand::Operate(operation))) => {
                        nodes.operations.begin(operation, shutdown.clone());
                    }
                    Some(ToBroker::Command(NodeCommand::Answered { node, mac, asked })) => {
                        if nodes.registry.holds(&node) {
                            pacer.tell(LineEvent::Answered { node, mac, asked });
                        } else {
                            let elsewhere = Arc::clone(&nodes.elsewhere);
                            tokio::spawn(async move { elsewhere.forward(node, mac, asked).await });
                        }
                    }
                    Some(ToBroker::Command(NodeCommand::Displaced { node, connection })) => {
                        nodes.displaced(io, &node, &connection);
                    }
                    Some(ToBroker::Publish { pushes, position }) => browsers.publish(&pushes, position).await,
                    Some(ToBroker::Past { pushes, position }) => browsers.remember(&pushes, position),
                    None => return shutdown.cancelled().await,
                }
            }
        }
    }

    /// Reads what is still in it: whoever wants something done hears that it is not, rather than nothing.
    pub(crate) async fn refuse_rest(mut self, operations: &Arc<Operations>) {
        if self.ends {
            let _ = timeout(ENDS_WITHIN, self.refuse(operations)).await;
        }
        self.told.close();
        self.refuse(operations).await;
    }

    async fn refuse(&mut self, operations: &Arc<Operations>) {
        while let Some(told) = self.told.recv().await {
            if let ToBroker::Command(NodeCommand::Operate(operation)) = told {
                operations.refuse(operation);
            }
        }
    }
}
