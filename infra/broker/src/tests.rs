//! The broker as gateway programs and browsers meet it: its real routes on a real port, spoken to in the bare protocol.

mod browsers;
mod channels;
mod gathering;
mod nodes;
mod operations;
mod posts;
mod site;
mod upgrades;
