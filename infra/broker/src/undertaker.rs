//! A broker that gives no sign of life is dead: its nodes are lost until they are seen again, and its inbox goes. Brokers look after
//! each other, and workers after all of them: the last broker is missed as well.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use domain::Timestamp;
use jobs::{
    JobError,
    ports::{Clock, Enqueue, Inboxes, Table},
};
use records::{
    brokers::{self, SignOfLife},
    doors,
    nodes::{self, Session},
};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    lookout::{NEEDS, QUEUE, STORE, end_part, part_of_member},
    stale::end_stale_sessions,
};

/// How many signs there are in the time after which a broker without one is dead.
pub(crate) const SIGNS: u32 = 4;

/// Who buries brokers that give no sign of life.
pub struct Undertaker {
    /// Where their signs are.
    pub table: Arc<dyn Table>,
    /// Where it is reported what became of their nodes.
    pub queue: Arc<dyn Enqueue>,
    /// Dates that.
    pub clock: Arc<dyn Clock>,
    /// Everybody's inboxes.
    pub inboxes: Arc<dyn Inboxes>,
    /// How long a broker may give no sign.
    pub patience: Duration,
    /// Whether a broker's alarms of its own are under a name that dies with it.
    pub parts_die: bool,
}

/// What is known of brokers. By our own watch: another's clock does not matter.
pub(crate) struct Known {
    /// Their last signs, and since when we know them.
    signs: HashMap<String, (SignOfLife, Instant)>,
    /// When they were looked at last.
    looked: Instant,
    /// Whether it was looked whether all nodes are held by some of them.
    knows_holders: bool,
}

impl Known {
    pub(crate) fn nothing() -> Self {
        Self { signs: HashMap::new(), looked: Instant::now(), knows_holders: false }
    }
}

impl Undertaker {
    /// Looks after all brokers until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = interval(self.patience / SIGNS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = Known::nothing();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.look(&mut known, None).await {
                tracing::warn!(%error, "no sign of life could be seen");
                // They could give none either, perhaps.
                known = Known::nothing();
            }
        }
    }

    /// Looks for the signs of all but one, and buries those that are dead.
    pub(crate) async fn look(&self, known: &mut Known, but: Option<&str>) -> Result<(), JobError> {
        let table = self.table.as_ref();
        if !known.knows_holders {
            self.end_sessions_of_nobody().await?;
        }
        let others = brokers::all(table).await?.into_iter().filter(|sign| Some(sign.broker.as_str()) != but);
        let mut seen = Known { knows_holders: true, ..Known::nothing() };
        if seen.looked.duration_since(known.looked) > self.patience / 2 {
            // What held this process up, or the table, may have held up the others as well.
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
        Ok(())
    }

    /// When a node was lost with its broker: when that would have given its next sign. It is buried later, and by then its nodes may have
    /// come to another broker, the sessions of which are not written yet: what they said there is newer.
    fn lost_at(&self, session: &Session, dead: &SignOfLife) -> Timestamp {
        dead.at.max(session.since).plus(self.patience / SIGNS)
    }

    /// Nodes that a broker held which is in no list: a server that ran alone over this store, and was killed.
    async fn end_sessions_of_nobody(&self) -> Result<(), JobError> {
        let table = self.table.as_ref();
        let holders: BTreeSet<String> =
            nodes::sessions(table).await?.into_iter().map(|session| session.broker).collect();
        // Read after them: who holds a node was in the list before.
        let listed: BTreeSet<String> = brokers::all(table).await?.into_iter().map(|sign| sign.broker).collect();
        let now = self.clock.now();
        let lost =
            |session: &Session| (holders.contains(&session.broker) && !listed.contains(&session.broker)).then_some(now);
        end_stale_sessions(table, self.queue.as_ref(), "unlisted", lost).await?;
        Ok(())
    }

    /// It was declared dead before: one that lived on without its inbox would hold nodes that nobody asks any more. Its record
    /// goes last: whatever fails before that is done again.
    async fn bury(&self, dead: &SignOfLife) -> Result<(), JobError> {
        let (table, queue) = (self.table.as_ref(), self.queue.as_ref());
        tracing::warn!(broker.id = dead.broker, last = dead.at.rfc3339(), "a broker gives no sign of life");
        let now = self.clock.now();
        let lost = |session: &Session| (session.broker == dead.broker).then(|| self.lost_at(session, dead).min(now));
        end_stale_sessions(table, queue, &dead.broker, lost).await?;
        if self.parts_die {
            end_part(queue, &part_of_member(&dead.broker), &[QUEUE, STORE], self.clock.now()).await?;
        } else if let Some(part) = &dead.part {
            let is_its_heir =
                |other: &SignOfLife| !other.dead && other.broker != dead.broker && other.part.as_ref() == Some(part);
            // Who goes by that name again tells the end itself.
            if !brokers::all(table).await?.iter().any(is_its_heir) {
                end_part(queue, part, &NEEDS, self.clock.now()).await?;
            }
        }
        self.inboxes.remove(&dead.broker).await?;
        doors::forget(table, &dead.broker).await?;
        Ok(brokers::leave(table, &dead.broker).await?)
    }
}
