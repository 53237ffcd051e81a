//! The signs of life that brokers give each other.

use std::sync::Arc;

use jobs::{JobError, ports::Door};
use records::{
    TableError, brokers,
    doors::{self, Seen},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    Looks, STORE, Undertaker,
    undertaker::{Known, SIGNS},
};

/// What looks after the brokers.
pub(crate) struct Presence {
    pub broker: String,
    /// Who looks for those of the others.
    pub undertaker: Undertaker,
    /// What happens at the sockets, which it writes down for the API to show.
    pub door: Arc<dyn Door>,
    /// What is seen of the table.
    pub looks: Arc<Looks>,
}

impl Presence {
    /// Gives signs and looks for others' until `stop`, or until others took this broker for dead: then it cancels `dead`.
    pub(crate) async fn run(self, dead: CancellationToken, stop: CancellationToken) {
        let mut ticks = interval(self.undertaker.patience / SIGNS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut known, mut shown) = (Known::nothing(), Seen::default());
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.look(&mut known).await {
                Ok(true) => self.show(&mut shown).await,
                Ok(false) => {
                    tracing::error!("other brokers took this one for dead: it stops, and its nodes connect anew");
                    return dead.cancel();
                }
                Err(error) => {
                    tracing::warn!(%error, "no sign of life could be given or seen");
                    // Others could give none either, perhaps.
                    known = Known::nothing();
                }
            }
        }
    }

    /// Writes down what the door saw, if that has changed.
    async fn show(&self, shown: &mut Seen) {
        let written = async {
            let seen = self.door.seen().await?;
            if seen != *shown {
                let Undertaker { table, clock, .. } = &self.undertaker;
                doors::put(table.as_ref(), &self.broker, &seen, clock.now()).await?;
                *shown = seen;
            }
            Ok::<_, TableError>(())
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "what happened at the door could not be written down");
        }
    }

    /// Whether this broker still lives.
    async fn look(&self, known: &mut Known) -> Result<bool, JobError> {
        let Undertaker { table, clock, .. } = &self.undertaker;
        let lives = brokers::live(table.as_ref(), &self.broker, clock.now()).await;
        self.looks.saw(STORE, lives.as_ref().err().map(ToString::to_string));
        if !lives? {
            return Ok(false);
        }
        self.undertaker.look(known, Some(&self.broker)).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
