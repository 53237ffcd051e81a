//! Adapters of the `Table` port: [`MemoryTable`] for tests, [`EmbeddedTable`] on the embedded store, and with the feature
//! `dynamodb` one on DynamoDB, which [`open_dynamodb`] opens, or says that it is not built in. With the feature `remote`,
//! [`TableServer`] and [`RemoteTable`] give the table of one process to others on its machine.
//!
//! To add an engine: a file here that implements [`records::Table`] with `rules` and `layout`, and a line in
//! `tests/contract/table.rs` that gives it to the suite every adapter passes.

#[cfg(feature = "dynamodb")]
mod dynamodb;
mod embedded;
mod layout;
mod memory;
mod open;
mod page;
#[cfg(feature = "remote")]
mod remote;
mod rules;

#[cfg(feature = "dynamodb")]
pub use dynamodb::{Consumed, DynamoDbTable, Units, item_size};
pub use embedded::EmbeddedTable;
pub use memory::MemoryTable;
pub use open::{HAS_DYNAMODB, OpenError, Opened, open_dynamodb};
#[cfg(feature = "remote")]
pub use remote::{RemoteTable, TableServer};
