//! The whole path against a bare route that makes the same post durable: same run, same load, same cores.

mod browsers;
mod disk;
mod gateways;
mod limit;
mod memory;
mod outcome;
mod path;
mod poster;
mod sensor;
mod site;
mod socket;

use std::{fmt::Display, time::Duration};

use anyhow::Result;
use site::Scale;

/// The server's, so that the limit is not slower than it could be.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TERMINALS: u32 = 1000;
/// A reading of every terminal each half second: 2,000 a second.
const OPEN_LOOP_INTERVAL_MS: u32 = 500;
/// The sizes over which the cost of a reading should stay what it is, and how many readings each gets at least.
const SIZES: [u32; 4] = [100, 1_000, 10_000, 50_000];

/// The field whose memory is measured.
const FIELD: Scale = Scale { gateways: 1000, terminals: 10_000 };

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let is = |argument: &str| arguments.iter().any(|given| given == argument);
    if is(limit::SERVE) {
        return limit::serve().await;
    }
    if is(memory::SERVE) {
        return memory::serve().await;
    }
    println!("{:<58} {:>12}  ratio", "measured", "figure");
    let is_whole = !["--short", "--speed", "--memory", "--growth"].into_iter().any(is);
    if is_whole || is("--speed") || is("--short") {
        speed(if is("--short") { SHORT } else { LONG }).await?;
    }
    if is_whole || is("--memory") {
        footprint().await?;
    }
    if is_whole || is("--growth") {
        growth().await?;
    }
    Ok(())
}

/// How often each terminal answers: in the limit, in the closed loop, in the open one.
struct Rounds {
    limit: u16,
    closed: u16,
    open: u16,
}

const SHORT: Rounds = Rounds { limit: 5, closed: 5, open: 6 };
const LONG: Rounds = Rounds { limit: 60, closed: 60, open: 30 };

/// How many readings a second, and how long each takes, beside the bare route.
async fn speed(rounds: Rounds) -> Result<()> {
    row("disk: fsyncs one after another", format!("{:.0}/s", disk::fsyncs_per_second()?), "");
    let limit = limit::per_second(TERMINALS, rounds.limit).await?;
    row("(a) a bare route, one durable put", format!("{limit:.0}/s"), "");
    let whole = path::closed_loop(TERMINALS, rounds.closed).await?;
    let ratio = format!("{:.2} of (a), target 0.5", whole.per_second / limit);
    row("(b) the whole path, 1,000 terminals, 100 in flight", format!("{:.0}/s", whole.per_second), &ratio);
    let open = path::run(TERMINALS, rounds.open, OPEN_LOOP_INTERVAL_MS).await?;
    row("(b) from post to push at 2,000/s: p50", millis(open.wait(50)), "");
    row("(b) from post to push at 2,000/s: p95", millis(open.wait(95)), "target 10 ms");
    Ok(())
}

/// What the server holds in memory, beside a bare socket server.
async fn footprint() -> Result<()> {
    let memory = memory::measure(FIELD).await?;
    let mebibytes = |kibibytes: u64| format!("{} MiB", kibibytes / 1024);
    row("(c) memory, nobody connected", mebibytes(memory.idle), "target 64 MiB at most");
    row("(c) memory, 1,000 nodes and 10,000 terminals", mebibytes(memory.whole), "target 150 MiB at most");
    let bare = memory.bare_connection;
    row("(c) a bare idle connection", format!("{bare:.1} KiB"), "");
    let more = format!("{:+.1} KiB, target +6 at most", memory.connection - bare);
    row("(c) an idle node connection", format!("{:.1} KiB", memory.connection), &more);
    Ok(())
}

/// What a reading costs at every size, beside the smallest.
async fn growth() -> Result<()> {
    const READINGS: u32 = 40_000;
    // Of one round alone, a good part is the wait for the last ones to be asked.
    const LEAST_ROUNDS: u16 = 4;
    let mut first = None;
    for terminals in SIZES {
        let rounds = u16::try_from(READINGS / terminals)?.max(LEAST_ROUNDS) + 1;
        let micros = 1e6 / path::closed_loop(terminals, rounds).await?.per_second;
        let least = *first.get_or_insert(micros);
        let ratio = format!("{:.2} of the first, target 1.5 at most", micros / least);
        row(&format!("(d) a reading at {terminals} terminals"), format!("{micros:.0} us"), &ratio);
    }
    Ok(())
}

fn row(measured: &str, figure: impl Display, ratio: &str) {
    println!("{measured:<58} {:>12}  {ratio}", figure.to_string());
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
