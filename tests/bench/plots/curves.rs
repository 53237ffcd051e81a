//! Curves over one another, with their limit.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;

use super::{
    axis::Axis,
    sheet::{HEAD, INK, LIMIT, Sample, colour, legend, sheet, text},
};
use crate::figures::Curve;

const HEIGHT: u32 = 430;

/// What is drawn.
pub(crate) struct Plot<'a> {
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// What should not be exceeded, and how that is called.
    pub(crate) limit: Option<(f64, String)>,
    pub(crate) curves: &'a [Curve],
}

impl Plot<'_> {
    fn values(&self, of: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
        self.curves.iter().flat_map(|curve| &curve.points).map(of).collect()
    }

    /// The colour of each curve: a dashed one has that of the one before it.
    fn samples(&self) -> Vec<Sample> {
        let mut colours = 0;
        let sample = |curve: &Curve| {
            colours += usize::from(!curve.is_dashed);
            (curve.name.clone(), colour(colours.saturating_sub(1)), curve.is_dashed)
        };
        self.curves.iter().map(sample).collect()
    }
}

/// Draws them into a file.
pub(crate) fn curves(path: &Path, plot: &Plot<'_>) -> Result<()> {
    let sheet = sheet(path, HEIGHT, plot.title)?;
    let samples = plot.samples();
    let limit = plot.limit.as_ref().map(|(_, name)| (name.clone(), LIMIT, true));
    legend(&sheet, &samples.iter().cloned().chain(limit).collect::<Vec<_>>())?;
    let xs = plot.values(|(x, _)| *x);
    let mut ys = plot.values(|(_, y)| *y);
    ys.extend(plot.limit.as_ref().map(|(limit, _)| *limit));
    let area = sheet.margin(HEAD, 6, 10, 24);
    let mut chart = ChartBuilder::on(&area)
        .x_label_area_size(50)
        .y_label_area_size(70)
        .build_cartesian_2d(plot.x.at(&xs), plot.y.over(&ys))?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).axis_style(INK);
    mesh.x_desc(plot.x.title).y_desc(plot.y.title).axis_desc_style(text(14)).label_style(text(13));
    mesh.draw()?;
    if let Some((limit, _)) = plot.limit {
        let (first, last) = xs.iter().fold((f64::MAX, f64::MIN), |(first, last), x| (first.min(*x), last.max(*x)));
        chart.draw_series(DashedLineSeries::new([(first, limit), (last, limit)], 6, 5, LIMIT.stroke_width(2)))?;
    }
    for (curve, (_, colour, is_dashed)) in plot.curves.iter().zip(samples) {
        let points = curve.points.clone();
        if is_dashed {
            chart.draw_series(DashedLineSeries::new(points.clone(), 7, 5, colour.stroke_width(2)))?;
        } else {
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
        }
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, colour.filled())))?;
    }
    sheet.present()?;
    Ok(())
}
