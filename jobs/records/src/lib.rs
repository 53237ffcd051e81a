//! What we remember: the `Table` port, and one file per kind of record with its keys in the doc comment.
//!
//! Records are written once against [`Table`], so a new engine is one adapter. Every access path is a key or an ordered
//! range, never a scan.
//!
//! To add a record: a file here with its key table, a struct, and the functions that read and write it; nothing else in
//! the project builds a key.

pub mod alarm_setups;
pub mod alarms;
pub mod alert_rules;
mod body;
pub mod brokers;
pub mod channel_health;
pub mod channels;
pub mod doors;
pub mod explanation;
pub mod facts;
mod fingerprint;
pub mod held;
pub mod imports;
pub mod inbox;
pub mod incidents;
pub mod inhibitions;
pub mod ledger;
pub mod locale;
pub mod meeting_point;
pub mod nodes;
pub mod notices;
pub mod operations;
pub mod preferences;
mod prefetched;
pub mod protocols;
pub mod readiness;
pub mod readings;
mod record;
pub mod routing;
pub mod sign_ins;
pub mod silences;
pub mod sites;
pub mod spent_links;
mod table;
pub mod terminals;
pub mod users;

pub use prefetched::Prefetched;
pub use record::{Listed, Versioned};
pub use table::{
    Clock, Condition, Item, Key, MOST_IN_A_TRANSACTION, Order, Outcome, Page, Range, Table, TableError, Write,
};
