//! `telltale`: broker, API, workers and schedule in one binary on an embedded store; and the virtual field to try it with.

mod backtest_command;
mod cli;
mod config;
mod cost_command;
mod demo;
mod explain_command;
mod field_command;
mod schedule;
mod serve;
mod site;
mod summary;
mod workers;

use clap::Parser;

use cli::{Cli, Command};
use serve::Role;

/// A reading is many small pieces on many threads: with the system's allocator a quarter of the time went into them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve(arguments) => serve::command(Role::Everything, arguments).await,
        Command::Store(arguments) => serve::store_command(arguments).await,
        Command::Broker(arguments) => serve::command(Role::Broker, arguments).await,
        Command::Api(arguments) => serve::command(Role::Api, arguments).await,
        Command::Worker(arguments) => serve::command(Role::Worker, arguments).await,
        Command::Demo(arguments) => Box::pin(demo::command(arguments)).await,
        Command::Field(arguments) => field_command::command(arguments).await,
        Command::Config(arguments) => config::command(&arguments),
        Command::Backtest(arguments) => backtest_command::command(arguments).await,
        Command::Explain(arguments) => explain_command::command(arguments).await,
        Command::Cost(arguments) => cost_command::command(&arguments),
        Command::Import(arguments) => site::command(arguments).await,
    }
}
