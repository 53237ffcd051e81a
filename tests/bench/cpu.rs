//! How much of a core a field takes that is asked at its usual pace.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    bare_path,
    gateways::{Answers, Gateway},
    homes::{Home, Kind},
    poster::Poster,
    site::{self, Scale},
};

/// How often each terminal is asked.
const INTERVAL_MS: u32 = 5000;
/// What comes before it is measured, and how long it is.
const WARM_UP: Duration = Duration::from_secs(8);
const MEASURED: Duration = Duration::from_secs(30);
/// How many ticks a second the system counts by (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// Which hundredths of a core each process takes, for so many terminals.
pub(crate) async fn percent(kind: Kind, terminals: u32) -> Result<Vec<(&'static str, f64)>> {
    let scale = Scale { gateways: 16, terminals };
    let settings = format!("[schedule]\ninstruction_ms = 1\nminimum_interval_ms = {INTERVAL_MS}\n");
    let home = Home::start(kind, &site::site(scale)?, &settings).await?;
    of_processes(&home.url(), home.processes(), scale).await
}

/// Which hundredths of a core a bare server takes that asks, stores and shows as many.
pub(crate) async fn percent_of_bare_path(terminals: u32) -> Result<f64> {
    let scale = Scale { gateways: 16, terminals };
    let server = bare_path::start(INTERVAL_MS).await?;
    let shares = of_processes(&server.url, vec![("bare", server.pid()?)], scale).await?;
    Ok(shares.into_iter().map(|(_, share)| share).sum())
}

async fn of_processes(
    url: &str,
    processes: Vec<(&'static str, u32)>,
    scale: Scale,
) -> Result<Vec<(&'static str, f64)>> {
    let poster = Arc::new(Poster::new(url)?);
    let mut gateways = JoinSet::new();
    for number in 0..scale.gateways {
        let mut gateway = Gateway::connect(url, scale, number).await?;
        gateway.announce().await?;
        gateways.spawn(gateway.answer(Arc::clone(&poster), Answers { rounds: u16::MAX, too_warm: 0 }));
    }
    sleep(WARM_UP).await;
    let before = processes.iter().map(|(_, pid)| ticks(*pid)).collect::<Result<Vec<_>>>()?;
    sleep(MEASURED).await;
    let after = processes.iter().map(|(_, pid)| ticks(*pid)).collect::<Result<Vec<_>>>()?;
    let share = |(before, after): (f64, f64)| (after - before) / TICKS_PER_SECOND / MEASURED.as_secs_f64() * 100.0;
    let shares = before.into_iter().zip(after).map(share);
    Ok(processes.into_iter().map(|(name, _)| name).zip(shares).collect())
}

/// What a process has taken since it began.
fn ticks(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name, which may hold anything; user time and system time are the twelfth and the thirteenth.
    let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [user, system] =
        [fields.get(11), fields.get(12)].map(|ticks| ticks.and_then(|ticks| ticks.parse::<f64>().ok()));
    Ok(user.context("it has a user time")? + system.context("it has a system time")?)
}
