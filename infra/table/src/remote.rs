//! The table of the process that owns the embedded store, for other processes on the same machine: over a socket in the
//! file system, which only the owner's user may open.
//!
//! Each call is a frame (four bytes of length, then postcard) with a number; its answer carries the number and comes when it
//! is there, so that many calls share one connection and one commit.

mod client;
mod server;
mod wire;

pub use client::RemoteTable;
pub use server::TableServer;
