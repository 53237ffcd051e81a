//! The whole path against a bare route that makes the same post durable: same run, same load, same cores.

mod browsers;
mod cpu;
mod disk;
mod gateways;
mod homes;
mod jobs;
mod limit;
mod memory;
mod outcome;
mod path;
mod pipeline;
mod poster;
mod sensor;
mod site;
mod socket;
mod storm;

use std::{fmt::Display, time::Duration};

use anyhow::Result;
use homes::Kind;
use site::Scale;
use telltale_tests::RedisServer;

/// The server's, so that the limit is not slower than it could be.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TERMINALS: u32 = 1000;
/// A reading of every terminal each half second: 2,000 a second.
const OPEN_LOOP_INTERVAL_MS: u32 = 500;
/// The sizes over which the cost of a reading should stay what it is, and how many readings each gets at least.
const SIZES: [u32; 4] = [100, 1_000, 10_000, 50_000];

/// How many nodes come back at once.
const NODES_IN_A_STORM: u32 = 5_000;

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
    let is_whole = !["--short", "--speed", "--memory", "--growth", "--redis", "--cpu", "--storm"].into_iter().any(is);
    if is_whole || is("--speed") || is("--short") {
        speed(if is("--short") { SHORT } else { LONG }).await?;
    }
    if is_whole || is("--redis") || is("--short") {
        over_redis(if is("--short") { SHORT } else { LONG }).await?;
    }
    if is_whole || is("--cpu") {
        usual_pace().await?;
    }
    if is_whole || is("--storm") {
        storm().await?;
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
    /// How many jobs go through the queue.
    jobs: u32,
}

const SHORT: Rounds = Rounds { limit: 5, closed: 5, open: 6, jobs: 4_000 };
const LONG: Rounds = Rounds { limit: 60, closed: 60, open: 30, jobs: 40_000 };

/// How many readings a second, and how long each takes, beside the bare route.
async fn speed(rounds: Rounds) -> Result<()> {
    row("disk: fsyncs one after another", format!("{:.0}/s", disk::fsyncs_per_second()?), "");
    let limit = limit::per_second(TERMINALS, rounds.limit).await?;
    row("(a) a bare route, one durable put", format!("{limit:.0}/s"), "");
    let whole = path::closed_loop(Kind::OneProcess, TERMINALS, rounds.closed).await?;
    let ratio = format!("{:.2} of (a), target 0.5", whole.per_second / limit);
    row("(b) the whole path, 1,000 terminals, 100 in flight", format!("{:.0}/s", whole.per_second), &ratio);
    let open = path::run(Kind::OneProcess, TERMINALS, rounds.open, OPEN_LOOP_INTERVAL_MS).await?;
    row("(b) from post to push at 2,000/s: p50", millis(open.wait(50)), "");
    row("(b) from post to push at 2,000/s: p95", millis(open.wait(95)), "target 10 ms");
    row("(b) from post to push at 2,000/s: p99", millis(open.wait(99)), "target 25 ms");
    Ok(())
}

/// The same over Redis, each part a process, beside a pipeline of npm's usual parts.
async fn over_redis(rounds: Rounds) -> Result<()> {
    let npm = pipeline::closed_loop(TERMINALS, rounds.limit).await?.per_second;
    row("(e) npm: socket.io, bullmq, Redis; it reads no values", format!("{npm:.0}/s"), "");
    let one = path::closed_loop(Kind::OneProcess, TERMINALS, rounds.closed).await?.per_second;
    row("(b) the whole path again", format!("{one:.0}/s"), &format!("{:.1} of (e), target 8", one / npm));
    let several = path::closed_loop(Kind::OverRedis, TERMINALS, rounds.closed).await?.per_second;
    row("(f) the whole path over Redis", format!("{several:.0}/s"), &format!("{:.1} of (e), target 4", several / npm));
    let open = path::run(Kind::OverRedis, TERMINALS, rounds.open, OPEN_LOOP_INTERVAL_MS).await?;
    row("(f) from post to push at 2,000/s: p50", millis(open.wait(50)), "");
    row("(f) from post to push at 2,000/s: p99", millis(open.wait(99)), "target 25 ms");
    let redis = RedisServer::start().await?;
    let bullmq = pipeline::jobs_per_second(&redis, rounds.jobs).await?;
    row("(g) bullmq: jobs that do nothing", format!("{bullmq:.0}/s"), "");
    let ours = jobs::per_second(&redis, rounds.jobs).await?;
    row("(g) jobs that keep a record", format!("{ours:.0}/s"), &format!("{:.1} of bullmq, target 1", ours / bullmq));
    Ok(())
}

/// What a field costs that is asked every five seconds.
async fn usual_pace() -> Result<()> {
    for (kind, what) in [(Kind::OneProcess, "one process"), (Kind::OverRedis, "over Redis")] {
        let shares = cpu::percent(kind, TERMINALS).await?;
        let whole: f64 = shares.iter().map(|(_, share)| share).sum();
        let each: Vec<String> = shares.iter().map(|(name, share)| format!("{name} {share:.1}")).collect();
        let what = format!("(h) of a core, 1,000 terminals every 5 s, {what}");
        row(&what, format!("{whole:.1} %"), &format!("target 3 %; {}", each.join(", ")));
    }
    Ok(())
}

/// What it takes until all are back.
async fn storm() -> Result<()> {
    let storm::Storm { took, errors, failed } = storm::blow(NODES_IN_A_STORM).await?;
    let tries = format!("target 15 s; {errors} answers 5xx (target 0), {failed} tries found nobody");
    row("(i) 5,000 nodes registered after the port listens", format!("{:.1} s", took.as_secs_f64()), &tries);
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
        let micros = 1e6 / path::closed_loop(Kind::OneProcess, terminals, rounds).await?.per_second;
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
