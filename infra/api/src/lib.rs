//! The HTTP API: sign-in, terminals, readings, alarms, notices, nodes; and the document that describes it.
//!
//! [`router`] gives the whole of it. To add a route: a handler with its `#[utoipa::path]` in the file of its subject
//! under `routes/`, a line in that file's `router`, a test in `tests/api`. It is in the document by that.

pub mod backtest;
mod bounded;
mod documentation;
mod doors;
mod error;
pub mod explanation;
mod moment;
mod paging;
mod password;
mod routes;
mod site;
mod visitor;

pub use doors::StoredDoors;
pub use password::{PasswordError, check_password, hash_password, verify_password};
pub use routes::router;
pub use site::{ApiParts, ApiSettings};
