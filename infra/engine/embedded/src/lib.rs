//! The embedded store: one folder, one process, one commit log for everything in it.
//!
//! Adapters keep their rows in a [`Space`] each and change them through [`Engine::commit`]. One thread evaluates the
//! changes one after another, writes those that have piled up as a single batch across all spaces, makes it durable with
//! one fsync and only then answers. So conditions cannot race, changes to several spaces are atomic, and many callers
//! share the price of one fsync.
//!
//! To add an adapter: open its spaces with [`Engine::space`], read with [`Space::get`] and [`Space::range`], and write
//! only inside [`Engine::commit`].

mod batch;
mod committer;
mod disk;
mod engine;
mod error;
mod space;

pub use batch::Batch;
pub use engine::{Engine, Stats};
pub use error::EngineError;
pub use space::{Row, Space};
