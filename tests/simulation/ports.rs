//! The ports of one run: those in memory, behind the run's gate.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jobs::ports::{
    Delivery, Enqueue, Letter, Link, LinkError, Message, NodeCommand, Notifier, Push, QueueError, Table,
};
use records::{Item, Key, Outcome, Page, Range, TableError, Write};

use super::{
    gate::{Call, Fate, Gate, Moment},
    world::World,
};

/// The ports of one run.
pub(super) struct Ports {
    /// Where it waits.
    pub(super) gate: Gate,
    run: u64,
    world: Arc<World>,
}

const AWAY: &str = "it is away, as this world has it";

impl Ports {
    /// Those of this run.
    pub(super) fn new(run: u64, world: &Arc<World>) -> Self {
        Self { gate: Gate::default(), run, world: Arc::clone(world) }
    }

    async fn pass(&self, moment: Moment, label: impl FnOnce() -> String) -> Fate {
        let fate = self.gate.pass(moment, self.world.trace.is_kept().then(label)).await;
        if fate == Fate::Away {
            self.world.was_interrupted(self.run);
        }
        fate
    }

    async fn read(&self, label: impl FnOnce() -> String) -> Result<(), TableError> {
        match self.pass(Moment::Before(Call::Read), label).await {
            Fate::Away => Err(TableError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => Ok(()),
        }
    }
}

#[async_trait]
impl Table for Ports {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.read(|| format!("get {} {}", key.pk, key.sk)).await?;
        self.world.table.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.read(|| format!("get {} items", keys.len())).await?;
        self.world.table.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.read(|| format!("query {}", range.pk)).await?;
        self.world.table.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.transact(writes).await.map(drop)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let label = || writes.iter().map(shown).collect::<Vec<_>>().join(", ");
        let fate = self.pass(Moment::Before(Call::Write), label).await;
        let is_of_a_notice = writes.iter().any(|write| write.key().pk.starts_with("notice#"));
        let mut outcome = match fate {
            Fate::Away => return Err(TableError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => self.world.table.transact(writes.clone()).await?,
        };
        if outcome.applied() && is_of_a_notice {
            self.world.noted(self.run);
        }
        if fate == Fate::Twice {
            outcome = self.world.table.transact(writes).await?;
        }
        let answer = || if outcome.applied() { "it was applied".to_owned() } else { "it was refused".to_owned() };
        match self.pass(Moment::After(Call::Write), answer).await {
            Fate::Away => Err(TableError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => Ok(outcome),
        }
    }
}

fn shown(write: &Write) -> String {
    let Key { pk, sk } = write.key();
    match write {
        Write::Put(item, condition) => format!("put {pk} {sk} v{} if {condition:?}", item.version),
        Write::Delete(_, condition) => format!("delete {pk} {sk} if {condition:?}"),
    }
}

#[async_trait]
impl Enqueue for Ports {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        if messages.is_empty() {
            return Ok(());
        }
        let names = || messages.iter().map(|m| format!("{} {}", m.job, m.key)).collect::<Vec<_>>().join(", ");
        let fate = self.pass(Moment::Before(Call::Enqueue), || format!("enqueue {}", names())).await;
        match fate {
            Fate::Away => return Err(QueueError::Away(AWAY.to_owned())),
            Fate::GoOn => self.world.queue.enqueue(messages).await?,
            Fate::Twice => self.world.queue.enqueue(twice(&messages)).await?,
        }
        match self.pass(Moment::After(Call::Enqueue), || "it was enqueued".to_owned()).await {
            Fate::Away => Err(QueueError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => Ok(()),
        }
    }
}

/// The same messages, as a queue takes them that does not know them by their keys.
fn twice(messages: &[Message]) -> Vec<Message> {
    let again = |message: &Message| Message { key: format!("{} again", message.key), ..message.clone() };
    messages.iter().map(again).chain(messages.iter().cloned()).collect()
}

#[async_trait]
impl Notifier for Ports {
    async fn send(&self, letter: &Letter) -> Delivery {
        let not_now = || Delivery::TryLater { after: Some(Duration::from_secs(1)), why: AWAY.to_owned() };
        let label = || format!("send {} {:?}", letter.id, letter.address);
        if self.pass(Moment::Before(Call::Send), label).await == Fate::Away {
            return not_now();
        }
        let delivery = self.world.notifier.send(letter).await;
        self.world.was_sent(self.run, letter);
        if self.pass(Moment::After(Call::Send), || "it was taken".to_owned()).await == Fate::Away {
            self.world.was_not_answered(self.run);
            return not_now();
        }
        delivery
    }
}

#[async_trait]
impl Link for Ports {
    async fn command(&self, broker: &str, _command: NodeCommand) -> Result<(), LinkError> {
        match self.pass(Moment::Before(Call::Tell), || format!("tell {broker}")).await {
            Fate::Away => Err(LinkError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => Ok(()),
        }
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        match self.pass(Moment::Before(Call::Tell), || format!("show {} pushes", pushes.len())).await {
            Fate::Away => Err(LinkError::Away(AWAY.to_owned())),
            Fate::GoOn | Fate::Twice => Ok(()),
        }
    }
}
