//! The broker: the one process that holds sockets. It lets gateway programs in, paces their queries, makes what they
//! report durable in batches, and shows users what happens. It evaluates nothing and stores no readings.
//!
//! Gateway programs and browsers come in on `/client` (Socket.IO, namespaces `/node`, `/web` and `/live`), posts of gateway
//! programs on `/api/node/*`.

mod broker;
mod browsers;
mod channels;
mod counters;
mod door;
mod elsewhere;
#[cfg(test)]
mod fakes;
mod health;
mod inbox;
mod keeper;
mod lookout;
mod member;
mod node;
mod opening;
mod operations;
mod pacer;
mod presence;
mod refused;
mod reports;
mod said;
mod settings;
mod stale;
#[cfg(test)]
mod tests;
mod undertaker;
mod upload;
mod viewers;
mod web;
mod wire;

pub use broker::{Broker, BrokerParts};
pub use counters::{Count, Counters};
pub use lookout::{
    Forgetful, Lookout, LookoutParts, Looks, Memory, Operator, Outage, PlatformSettings, PlatformWebhook, Probe, QUEUE,
    STORE, WatchedQueue, end_outages, part_of_member,
};
pub use member::{Member, MemberParts};
pub use refused::{Refusal, RefusedNode, RefusedNodes};
pub use settings::BrokerSettings;
pub use stale::end_stale_sessions;
pub use undertaker::Undertaker;
