//! What a push costs by how many watch, at both doors of the browsers and in a bare room.

use anyhow::Result;

use super::{Report, millis};
use crate::{
    figures::Curve,
    pushes::{self, Cost},
    table::{self, Row, grouped, micros},
    watchers::Door,
};

const BARE: &str = "a bare room";

pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let (sizes, pushes) = (report.length.watchers, report.length.pushes);
    let (web, shown) = pushes::of_ours(Door::Web, sizes, pushes).await?;
    let bare = pushes::of_a_bare_room(&shown, sizes, pushes).await?;
    let (live, _) = pushes::of_ours(Door::Live, sizes, pushes).await?;
    for (name, costs) in [("/web", &web), ("/live", &live), (BARE, &bare)] {
        for (cost, bare) in costs.iter().zip(&bare) {
            add_rows(report, name, cost, bare);
        }
        draw(report, name, costs);
    }
    Ok(())
}

fn add_rows(report: &mut Report, name: &str, cost: &Cost, bare: &Cost) {
    let watchers = grouped(f64::from(cost.watchers));
    let ratio = cost.processor.as_secs_f64() / bare.processor.as_secs_f64();
    let beside = match (cost.is_clear(), bare.is_clear()) {
        (false, _) => format!("no clear figure: posts alone differ by {}", micros(cost.doubt)),
        (true, true) if name != BARE => {
            format!("{} each, {ratio:.2} of a bare room", micros(cost.processor / cost.watchers))
        }
        (true, _) => format!("{} each", micros(cost.processor / cost.watchers)),
    };
    let row = Row::new(format!("(k) {name}: processor for a push to {watchers}"), micros(cost.processor));
    report.table.add(row.beside(beside));
    let row = Row::new(format!("(k) {name}: from post to the last of {watchers}, p50"), table::millis(cost.wait(50)));
    report.table.add(row.beside(format!("p99 {}", table::millis(cost.wait(99)))));
}

fn draw(report: &mut Report, name: &str, costs: &[Cost]) {
    let clear = costs.iter().filter(|cost| cost.is_clear());
    let micros = clear.map(|cost| (f64::from(cost.watchers), cost.processor.as_secs_f64() * 1e6));
    report.figures.push_costs.push(Curve::new(name, micros.collect()));
    let curve = |name: String, figure: &dyn Fn(&Cost) -> f64| {
        Curve::new(&name, costs.iter().map(|cost| (f64::from(cost.watchers), figure(cost))).collect())
    };
    report.figures.push_waits.push(curve(format!("{name}, p50"), &|cost| millis(cost.wait(50))));
    let p99 = curve(format!("{name}, p99"), &|cost| millis(cost.wait(99)));
    report.figures.push_waits.push(Curve { is_dashed: true, ..p99 });
}
