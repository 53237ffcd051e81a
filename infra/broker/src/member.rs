//! A broker among others: it gives signs of life, has an inbox of its own, and is buried by the others when it dies.

use std::{sync::Arc, time::Duration};

use engine_http::axum::Router;
use futures::future::BoxFuture;
use jobs::ports::{Clock, Dice, Door, Inboxes, MeetingPoint, Spooling};
use records::{Table, TableError, brokers, doors, nodes};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, BrokerParts, Counters, LookoutParts, Looks, Undertaker, health::health, part_of_member, presence::Presence,
};

/// What a broker among others is made of.
pub struct MemberParts {
    /// What any broker is made of. Its name is one that [`Member::begin`] gave.
    pub broker: BrokerParts,
    /// Reads its inbox until [`Self::stop`], then closes it. What is in it then is still read.
    pub inbox: BoxFuture<'static, ()>,
    /// Everybody's inboxes.
    pub inboxes: Arc<dyn Inboxes>,
    /// After how long without a sign of life another broker is dead.
    pub patience: Duration,
    /// Looks after what it needs.
    pub lookout: LookoutParts,
    /// Whether its alarms end with its burial, unless another broker goes by their part.
    pub is_mourned: bool,
    /// Ends its inbox and its sockets.
    pub stop: CancellationToken,
}

/// A broker that runs beside others.
pub struct Member {
    id: String,
    table: Arc<dyn Table>,
    counters: Arc<Counters>,
    door: Arc<dyn Door>,
    dead: CancellationToken,
    broker: JoinHandle<()>,
    inbox: JoinHandle<()>,
    /// What is seen of that which it needs.
    looks: Arc<Looks>,
    spool: Option<Arc<dyn Spooling>>,
    meeting: Option<Arc<dyn MeetingPoint>>,
    /// Whether its alarms end with its burial.
    is_mourned: bool,
}

impl Member {
    /// A name for a new broker, and its first sign of life. If a `part` is named, its alarms go by that, and end with it unless another
    /// broker goes by it. The inbox is opened after that: who dies in between is buried by
    /// others, with the inbox.
    pub async fn begin(
        table: &dyn Table,
        clock: &dyn Clock,
        dice: &dyn Dice,
        part: Option<&str>,
    ) -> Result<String, TableError> {
        let id = format!("{:016x}", dice.roll());
        brokers::begin(table, &id, part, clock.now()).await?;
        Ok(id)
    }

    /// Starts it, and gives its routes.
    pub fn start(parts: MemberParts) -> (Self, Router) {
        let MemberParts { broker, inbox, inboxes, patience, lookout, is_mourned, stop } = parts;
        let (id, table) = (broker.id.clone(), Arc::clone(&broker.table));
        let (queue, clock, spool) = (Arc::clone(&broker.queue), Arc::clone(&broker.clock), broker.spool.clone());
        let (broker, sockets) = Broker::new(broker);
        let (door, counters, dead) = (broker.door(), broker.counters(), CancellationToken::new());
        let parts_die = lookout.part == part_of_member(&id);
        let presence = Presence {
            broker: id.clone(),
            undertaker: Undertaker { table: Arc::clone(&table), queue, clock, inboxes, patience, parts_die },
            door: Arc::clone(&door),
            looks: Arc::clone(&lookout.looks),
        };
        let (looks, meeting) = (Arc::clone(&lookout.looks), lookout.meeting.clone());
        tokio::spawn(broker.lookout(lookout).run(stop.clone()));
        tokio::spawn(presence.run(dead.clone(), stop.clone()));
        let member = Self {
            id,
            table,
            counters,
            door,
            dead,
            broker: tokio::spawn(broker.with_an_inbox_that_ends().run(stop)),
            inbox: tokio::spawn(inbox),
            looks,
            spool,
            meeting,
            is_mourned,
        };
        (member, sockets)
    }

    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The routes that say whether it is well, for a process without an API.
    pub fn health(&self) -> Router {
        health(self.spool.clone(), self.meeting.clone(), Arc::clone(&self.looks))
    }

    /// What an operator sees of it.
    pub fn door(&self) -> Arc<dyn Door> {
        Arc::clone(&self.door)
    }

    /// Is cancelled when other brokers took this one for dead.
    pub fn taken_for_dead(&self) -> CancellationToken {
        self.dead.clone()
    }

    /// Returns once what it took is durable. Its sockets were told to end before.
    ///
    /// # Errors
    /// When it ended by a panic.
    pub async fn finish(&mut self) -> Result<(), JoinError> {
        (&mut self.broker).await
    }

    /// Leaves the list of brokers. It has finished by then, and so has its inbox.
    ///
    /// # Errors
    /// When it stays in the list: the others bury it.
    pub async fn leave(self) -> Result<(), TableError> {
        if let Err(error) = self.inbox.await {
            tracing::error!(%error, "the inbox ended badly");
        }
        if self.is_mourned && self.looks.has_told() {
            // Others bury it, and end its alarms: it cannot say itself that what it could not reach is back.
            return Ok(());
        }
        if nodes::sessions(self.table.as_ref()).await?.iter().any(|session| session.broker == self.id) {
            // It could not report the end of all that it held in time: who buries it does.
            tracing::warn!(
                broker.id = self.id,
                "nodes are left that could not be reported: the other brokers report them"
            );
            return Ok(());
        }
        doors::forget(self.table.as_ref(), &self.id).await?;
        brokers::leave(self.table.as_ref(), &self.id).await
    }
}
