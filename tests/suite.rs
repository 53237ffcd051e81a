//! The tests across crates, as one program.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod chaos;
mod cluster;
mod contract;
mod cost;
mod flow;
mod functions;
mod oracle;
mod parity;
mod routing;
mod shape;
mod simulation;
mod sources;
mod template;
mod wire;
