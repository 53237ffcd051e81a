//! A broker among others: it gives signs of life, has an inbox of its own, and is buried by the others when it dies.

use std::{sync::Arc, time::Duration};

use engine_http::{Tokens, axum::Router};
use futures::future::BoxFuture;
use jobs::ports::{Clock, Dice, Door, Enqueue, Inboxes, Link, Spooling, ToBroker};
use records::{Table, TableError, brokers, doors};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;

use crate::{Broker, BrokerParts, BrokerSettings, Counters, presence::Presence};

/// What a broker among others is made of.
pub struct MemberParts {
    /// Its name, as [`Member::begin`] gave it.
    pub id: String,
    /// What is remembered.
    pub table: Arc<dyn Table>,
    /// Where reports go.
    pub queue: Arc<dyn Enqueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub dice: Arc<dyn Dice>,
    /// Who is signed in.
    pub tokens: Arc<Tokens>,
    /// Its part of the configuration.
    pub settings: BrokerSettings,
    /// What lies in the spool before the queue, if there is one.
    pub spool: Option<Arc<dyn Spooling>>,
    /// The way to other brokers.
    pub link: Arc<dyn Link>,
    /// What it is told over the link.
    pub told: mpsc::Receiver<ToBroker>,
    /// Reads its inbox, until [`Self::stop_inbox`].
    pub inbox: BoxFuture<'static, ()>,
    /// Ends reading the inbox, and closes it.
    pub stop_inbox: CancellationToken,
    /// Everybody's inboxes.
    pub inboxes: Arc<dyn Inboxes>,
    /// After how long without a sign of life another broker is dead.
    pub patience: Duration,
    /// Ends its sockets.
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
    stop_inbox: CancellationToken,
}

impl Member {
    /// A name for a new broker, and its first sign of life. The inbox is opened after that: who dies in between is buried by
    /// others, with the inbox.
    pub async fn begin(table: &dyn Table, clock: &dyn Clock, dice: &dyn Dice) -> Result<String, TableError> {
        let id = format!("{:016x}", dice.roll());
        brokers::begin(table, &id, clock.now()).await?;
        Ok(id)
    }

    /// Starts it, and gives its routes.
    pub fn start(parts: MemberParts) -> (Self, Router) {
        let MemberParts { id, table, queue, clock, dice, tokens, settings, spool, link, told, stop, .. } = parts;
        let (broker, sockets) = Broker::new(BrokerParts {
            id: id.clone(),
            table: Arc::clone(&table),
            queue: Arc::clone(&queue),
            clock: Arc::clone(&clock),
            dice,
            tokens,
            settings,
            spool,
            link,
            inbox: told,
        });
        let (door, counters, dead) = (broker.door(), broker.counters(), CancellationToken::new());
        let presence = Presence {
            broker: id.clone(),
            table: Arc::clone(&table),
            queue,
            clock,
            inboxes: parts.inboxes,
            door: Arc::clone(&door),
            patience: parts.patience,
        };
        tokio::spawn(presence.run(dead.clone(), stop.clone()));
        let member = Self {
            id,
            table,
            counters,
            door,
            dead,
            broker: tokio::spawn(broker.run(stop)),
            inbox: tokio::spawn(parts.inbox),
            stop_inbox: parts.stop_inbox,
        };
        (member, sockets)
    }

    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
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

    /// Closes the inbox, and leaves the list of brokers. It has finished by then.
    ///
    /// # Errors
    /// When it stays in the list: the others bury it.
    pub async fn leave(self) -> Result<(), TableError> {
        self.stop_inbox.cancel();
        if let Err(error) = self.inbox.await {
            tracing::error!(%error, "the inbox ended badly");
        }
        doors::forget(self.table.as_ref(), &self.id).await?;
        brokers::leave(self.table.as_ref(), &self.id).await
    }
}
