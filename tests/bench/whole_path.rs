//! All benches of the whole path, in one table: each figure beside a limit of the same run, same load, same cores.
//!
//! Without options, or with `--all`, all of it is measured. `--short` shows that all of it works; one or more of `parts::PARTS` measure those
//! alone; `--plots FOLDER` also writes the table and the plots there (a folder of the workspace, or an absolute one).

mod alarms;
mod apart;
mod bare_path;
mod browsers;
mod build;
mod cpu;
mod disk;
mod figures;
mod gateways;
mod homes;
mod jobs;
mod limit;
mod lost_node;
mod memory;
mod outcome;
mod parts;
mod path;
mod pipeline;
mod plots;
mod posted;
mod poster;
mod process;
mod pushes;
mod room;
mod rules;
mod sensor;
mod site;
mod socket;
mod storm;
mod table;
mod watchers;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use parts::{PARTS, Part, Report};

/// The server's, so that the limit is not slower than it could be.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [limit::SERVE] => return limit::serve().await,
        [bare_path::SERVE, interval_ms] => return bare_path::serve(interval_ms).await,
        [memory::SERVE] => return memory::serve().await,
        [room::SERVE, shown] => return room::serve(shown).await,
        _ => {}
    }
    let wanted = Wanted::of(arguments)?;
    build::server().await?;
    let mut report = Report::begin(wanted.is_short);
    for part in wanted.parts {
        report.measure(part).await?;
        // After each: what was measured is not lost with what fails later.
        if let Some(folder) = &wanted.plots {
            plots::write(folder, &report.table, &report.figures)?;
        }
    }
    Ok(())
}

/// What is asked for.
struct Wanted {
    parts: Vec<Part>,
    is_short: bool,
    plots: Option<PathBuf>,
}

impl Wanted {
    fn of(arguments: Vec<String>) -> Result<Self> {
        let (mut parts, mut is_short, mut plots) = (Vec::new(), false, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo says the one to every bench, and the other is what is done anyway.
                "--bench" | "--all" => {}
                "--short" => is_short = true,
                "--plots" => {
                    let folder = arguments.next().context("--plots needs a folder")?;
                    plots = Some(build::workspace()?.join(folder));
                }
                option => match PARTS.iter().find(|(name, _)| *name == option) {
                    Some((_, part)) => parts.push(*part),
                    None => bail!("there is no option {option}"),
                },
            }
        }
        if parts.is_empty() {
            // These take long whatever their length.
            let is_long =
                |part| matches!(part, Part::Cpu | Part::Storm | Part::Memory | Part::GrowthOverRedis | Part::Growth);
            let all = PARTS.into_iter().map(|(_, part)| part);
            parts = all.filter(|part| !(is_short && is_long(*part))).collect();
        }
        Ok(Self { parts, is_short, plots })
    }
}
