//! HTTP, shared by the broker and the API: the only crate that names axum.
//!
//! Errors are [`Problem`]s, users are known by [`Tokens`], addresses are believed only from trusted proxies
//! ([`client_ip`]), and [`serve`] runs a router until it is told to stop.

mod client_ip;
mod counted;
mod credential;
mod extract;
mod problem;
mod serve;
mod tokens;

pub use axum;
pub use client_ip::client_ip;
pub use credential::{Credential, credential_of, same_origin, token_of};
pub use extract::{Json, Path, Query};
pub use ipnet::IpNet;
pub use problem::{Problem, errors_as_problems};
pub use serve::{SHUTDOWN_GRACE, serve};
pub use tokens::{Claims, TokenError, Tokens, WeakSecret};
