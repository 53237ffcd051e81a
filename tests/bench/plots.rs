//! The plots of a run, as SVG, and its table beside them. What was not measured is not drawn.

mod axis;
mod bars;
mod curves;
mod sheet;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use axis::Axis;
use bars::bars;
use curves::{Plot, curves};

use crate::{
    figures::{Curve, Figures},
    parts::{MOST_GROWTH, ONE_PROCESS, PROMPT_P99_MS},
    table::{Table, grouped},
};

/// Writes them into a folder.
pub(crate) fn write(folder: &Path, table: &Table, figures: &Figures) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("table.md"), table.markdown())?;
    let to = |name: &str| folder.join(name);
    if !figures.throughput.is_empty() {
        bars(
            &to("throughput.svg"),
            "Readings a second, 100 posts in flight",
            "readings a second",
            &figures.throughput,
        )?;
    }
    if !figures.memory.is_empty() {
        bars(
            &to("memory.svg"),
            "The most resident memory, all processes of a home together",
            "memory, MiB",
            &figures.memory,
        )?;
    }
    for plot in plots(figures) {
        curves(&to(plot.file), &plot).with_context(|| format!("{} cannot be drawn", plot.file))?;
    }
    Ok(())
}

fn plots(figures: &Figures) -> Vec<Plot<'_>> {
    let watchers = || Axis::logarithmic("watchers of the terminal", grouped);
    let all = vec![
        Plot {
            file: "scaling.svg",
            title: "What a reading costs in the closed loop, by the size of the field",
            x: Axis::logarithmic("terminals", grouped),
            y: Axis::linear("microseconds a reading", grouped),
            limit: smallest(&figures.growth)
                .map(|(name, least)| (least * MOST_GROWTH, format!("{MOST_GROWTH} times the smallest field, {name}"))),
            curves: &figures.growth,
        },
        Plot {
            file: "latency.svg",
            title: "From post to push, at 2,000 readings a second",
            x: Axis::of_percentiles("percentile of the readings"),
            y: Axis::logarithmic("milliseconds", |millis| millis.to_string()),
            limit: Some((PROMPT_P99_MS, format!("p99 at most {PROMPT_P99_MS} ms"))),
            curves: &figures.waits,
        },
        Plot {
            file: "push-cost.svg",
            title: "Processor time of the server for one push, beyond that of its post",
            x: watchers(),
            y: Axis::logarithmic("microseconds", grouped),
            limit: None,
            curves: &figures.push_costs,
        },
        Plot {
            file: "push-latency.svg",
            title: "From post to the last watcher",
            x: watchers(),
            y: Axis::logarithmic("milliseconds", |millis| millis.to_string()),
            limit: None,
            curves: &figures.push_waits,
        },
    ];
    all.into_iter().filter(|plot| plot.curves.iter().any(|curve| !curve.points.is_empty())).collect()
}

/// The name of the curve that has a target, and its figure at the smallest size.
fn smallest(curves: &[Curve]) -> Option<(&str, f64)> {
    let first = curves.iter().find(|curve| curve.name == ONE_PROCESS)?;
    Some((&first.name, first.points.first()?.1))
}
