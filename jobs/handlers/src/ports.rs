//! The ports: small traits by purpose, each with one contract suite that every adapter passes.
//!
//! `Table` and `Clock` lie a ring lower, in `records`. To add an adapter: implement the trait in its crate under `infra/`,
//! and give it to the port's suite in `tests/contract`.

mod door;
mod illustrator;
mod link;
mod meeting;
mod notifier;
mod queue;

pub use door::Door;
pub use illustrator::{Curve, Illustrator};
pub use link::{
    Audience, Inboxes, Link, LinkError, NodeCommand, Operation, Order, Plan, PlannedQuery, Position, Push, ToBroker,
};
pub use meeting::{Amiss, MOST_APART_MS, MeetingPoint, MeetingState, SAID_APART_MS};
pub use notifier::{Address, Chat, ChatApp, Delivery, Forms, Inline, Letter, Notifier, Receipt};
pub use queue::{
    Consume, DEAD_LETTER_RETENTION, DeadLetter, Depth, Enqueue, Inspect, Lane, Leased, MOST_BODY_BYTES,
    MOST_DEAD_LETTERS, Message, QueueError, Settlement, SpoolState, Spooling, Ticket, Waiting,
};
pub use records::{Clock, Table};

/// Rolls dice. Ambient randomness is banned; this is the only one.
pub trait Dice: Send + Sync {
    /// A random number, uniform over all 64 bits.
    fn roll(&self) -> u64;
}
