//! The virtual field: gateway programs and the serial devices behind them, as a Telltale server sees them.
//!
//! Nothing here knows the server's insides. A node speaks Socket.IO and posts its results over HTTP, as the gateway
//! programs in the field do, with their habits and their faults; its devices answer bytes with bytes. [`site`] says
//! what a server must import to know this field, [`Field::start`] brings the field to life.
//!
//! All chance comes from one seed: the same settings make the same site, the same dead devices and the same signals.

mod chance;
mod clock;
mod counters;
mod device;
mod dtu;
mod field;
mod hex;
mod line;
mod node;
mod operation;
mod plan;
mod query;
mod settings;
mod site;
mod socket_io;
mod terminal;
mod truth;
mod uploads;
mod waiting;
mod world;

pub use counters::FieldCounters;
pub use field::Field;
pub use line::ReplyFault;
pub use settings::{BusyReports, Cooling, FaultRates, FieldError, FieldSettings};
pub use site::site;
pub use truth::{Acknowledged, AcknowledgedReply, TruthSink};
