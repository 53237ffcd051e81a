//! Bars, one below the other, each with its name above it and its figure behind it.

use std::path::Path;

use anyhow::Result;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    axis::Axis,
    sheet::{HEAD, LIMIT, colour, sheet, text},
};
use crate::{figures::Bar, table::grouped};

/// How high a bar is with its name, and what the axis takes, in pixels.
const ROW: u32 = 50;
const FOOT: u32 = 56;
/// How much longer than the longest bar the axis is, so that there is room for what is said behind it.
const ROOM: f64 = 1.6;

/// Draws them into a file.
pub(crate) fn bars(path: &Path, title: &str, unit: &'static str, bars: &[Bar]) -> Result<()> {
    let rows = u32::try_from(bars.len())?;
    let head = HEAD / 2 + 8;
    let sheet = sheet(path, head + rows * ROW + FOOT, title)?;
    let axis = Axis::linear(unit, grouped);
    let most = bars.iter().map(|bar| bar.value.max(bar.limit.unwrap_or(0.0))).fold(0.0, f64::max);
    let (area, rows) = (sheet.margin(head, 0, 16, 24), f64::from(rows));
    let mut chart =
        ChartBuilder::on(&area).x_label_area_size(FOOT).build_cartesian_2d(axis.over(&[most * ROOM]), 0.0..rows)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_y_axis().disable_y_mesh().light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12));
    mesh.x_desc(axis.title).axis_desc_style(text(14)).x_label_style(text(13));
    mesh.draw()?;
    let behind = text(13).pos(Pos::new(HPos::Left, VPos::Center));
    for (number, bar) in bars.iter().enumerate() {
        let bottom = rows - 1.0 - f64::from(u32::try_from(number)?) + 0.08;
        let (middle, top) = (bottom + 0.25, bottom + 0.5);
        chart.draw_series([Rectangle::new([(0.0, bottom), (bar.value, top)], colour(number).filled())])?;
        let name = text(13).pos(Pos::new(HPos::Left, VPos::Bottom));
        chart.draw_series([EmptyElement::at((0.0, top)) + Text::new(bar.name.clone(), (0, -3), name)])?;
        let mut end = bar.value;
        if let Some(limit) = bar.limit {
            chart.draw_series([PathElement::new(
                [(limit, bottom - 0.04), (limit, top + 0.04)],
                LIMIT.stroke_width(2),
            )])?;
            end = end.max(limit);
        }
        chart.draw_series([EmptyElement::at((end, middle)) + Text::new(said(bar), (8, 0), behind.clone())])?;
    }
    sheet.present()?;
    Ok(())
}

/// Its figure and what is said of it.
fn said(bar: &Bar) -> String {
    let limit = bar.limit.map(|limit| format!("target {limit:.0} at most"));
    let more = limit.into_iter().chain(Some(bar.note.clone()).filter(|note| !note.is_empty()));
    std::iter::once(grouped(bar.value)).chain(more).collect::<Vec<_>>().join(", ")
}
