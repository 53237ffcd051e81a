//! The signs of life that brokers give each other. A broker that gives none any more is dead: its nodes are lost until they
//! are seen again, and its inbox goes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jobs::{
    JobError,
    ports::{Clock, Door, Enqueue, Inboxes, Table},
};
use records::{
    TableError,
    brokers::{self, SignOfLife},
    doors::{self, Seen},
};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    Looks, STORE,
    lookout::{end_part, part_of_member},
    stale::end_stale_sessions,
};

/// How many signs there are in the time after which a broker without one is dead.
const SIGNS: u32 = 4;

/// What looks after the brokers.
pub(crate) struct Presence {
    pub broker: String,
    pub table: Arc<dyn Table>,
    pub queue: Arc<dyn Enqueue>,
    pub clock: Arc<dyn Clock>,
    pub inboxes: Arc<dyn Inboxes>,
    /// What happens at the sockets, which it writes down for the API to show.
    pub door: Arc<dyn Door>,
    /// How long a broker may give no sign.
    pub patience: Duration,
    /// What is seen of the table.
    pub looks: Arc<Looks>,
    /// Whether a broker's alarms of its own are under a name that dies with it.
    pub parts_die: bool,
}

/// What is known of the others. By our own watch: another's clock does not matter.
struct Known {
    /// Their last signs, and since when we know them.
    signs: HashMap<String, (SignOfLife, Instant)>,
    /// When they were looked at last.
    looked: Instant,
}

impl Known {
    fn nothing() -> Self {
        Self { signs: HashMap::new(), looked: Instant::now() }
    }
}

impl Presence {
    /// Gives signs and looks for others' until `stop`, or until others took this broker for dead: then it cancels `dead`.
    pub(crate) async fn run(self, dead: CancellationToken, stop: CancellationToken) {
        let mut ticks = interval(self.patience / SIGNS);
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
                doors::put(self.table.as_ref(), &self.broker, &seen, self.clock.now()).await?;
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
        let table = self.table.as_ref();
        let lives = brokers::live(table, &self.broker, self.clock.now()).await;
        self.looks.saw(STORE, lives.as_ref().err().map(ToString::to_string));
        if !lives? {
            return Ok(false);
        }
        let others = brokers::all(table).await?.into_iter().filter(|sign| sign.broker != self.broker);
        let mut seen = Known::nothing();
        if seen.looked.duration_since(known.looked) > self.patience / 2 {
            // What held this broker up, or the table, may have held up the others as well.
            known.signs.clear();
        }
        for sign in others {
            let last = known.signs.get(&sign.broker).filter(|(last, _)| *last == sign);
            let since = last.map_or(seen.looked, |(_, since)| *since);
            let is_silent = seen.looked.duration_since(since) >= self.patience;
            if sign.dead || is_silent && brokers::declare_dead(table, &sign).await? {
                self.bury(&sign).await?;
            } else {
                seen.signs.insert(sign.broker.clone(), (sign, since));
            }
        }
        *known = seen;
        Ok(true)
    }

    /// It was declared dead before: one that lived on without its inbox would hold nodes that nobody asks any more. Its record
    /// goes last: whatever fails before that is done again.
    async fn bury(&self, dead: &SignOfLife) -> Result<(), JobError> {
        let (table, queue) = (self.table.as_ref(), self.queue.as_ref());
        tracing::warn!(broker.id = dead.broker, last = dead.at.rfc3339(), "a broker gives no sign of life");
        let is_dead = |broker: &str| broker == dead.broker;
        end_stale_sessions(table, queue, self.clock.now(), &dead.broker, is_dead).await?;
        if self.parts_die {
            end_part(queue, &part_of_member(&dead.broker), self.clock.now()).await?;
        }
        self.inboxes.remove(&dead.broker).await?;
        doors::forget(table, &dead.broker).await?;
        Ok(brokers::leave(table, &dead.broker).await?)
    }
}

#[cfg(test)]
mod tests;
