//! What only the embedded store promises: what it acknowledged is there when its folder is opened again.

mod folder;
mod queue;
mod table;
