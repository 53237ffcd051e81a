//! Charts: a value over time, the limits it was held against, and when it was an alarm.

mod axis;
mod bitmap;

use plotters::{coord::Shift, prelude::*};

use axis::Time;

const WIDTH: u32 = 820;
const HEIGHT: u32 = 320;
const INK: RGBColor = RGBColor(40, 40, 40);
const CURVE: RGBColor = RGBColor(0, 114, 178);
const LIMIT: RGBColor = RGBColor(190, 30, 45);
/// A curve without points for longer than this share of the chart has a gap.
const GAP: f64 = 0.025;
/// What is further from nothing is drawn at the edge: the drawing library cannot tell numbers apart that are so large.
const MOST: f64 = 1e15;

/// What is drawn. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it is about.
    pub title: String,
    /// The first instant.
    pub from: i64,
    /// The last one.
    pub to: i64,
    /// The value: when, the least and the greatest since; oldest first. A gap in it is drawn as a gap.
    pub points: Vec<(i64, f64, f64)>,
    /// When it was an alarm.
    pub bands: Vec<Band>,
    /// What the value was held against.
    pub limits: Vec<f64>,
}

/// A time that is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// From when on.
    pub from: i64,
    /// Up to when.
    pub to: i64,
    /// How strongly: an alarm that matters more stands out more.
    pub tone: Tone,
}

/// How much a mark stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Hardly.
    Low,
    /// Plainly.
    Middle,
    /// Most.
    High,
}

/// Why a chart cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the chart cannot be drawn: {0}")]
pub struct ChartError(String);

impl Chart {
    /// The chart as an SVG document.
    ///
    /// # Errors
    /// What the drawing library says; a chart of finite numbers is drawn.
    pub fn svg(&self) -> Result<String, ChartError> {
        let mut document = String::new();
        let sheet = SVGBackend::with_string(&mut document, (WIDTH, HEIGHT)).into_drawing_area();
        self.draw(&sheet).map_err(|error| ChartError(error.to_string()))?;
        drop(sheet);
        Ok(document)
    }

    fn draw(&self, sheet: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Box<dyn std::error::Error + '_>> {
        let (from, to) = (self.from, self.to.max(self.from.saturating_add(1)));
        let (least, greatest) = self.height();
        sheet.fill(&WHITE)?;
        sheet.draw(&Text::new(self.title.clone(), (14, 12), ("sans-serif", 16).into_font().color(&INK)))?;
        let area = sheet.margin(40, 8, 8, 24);
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(34)
            .y_label_area_size(56)
            .build_cartesian_2d(Time::over(from, to), least..greatest)?;
        for band in self.bands.iter().filter(|band| band.from <= to && band.to >= from) {
            let (begin, end) = (band.from.max(from), band.to.min(to));
            let corners = [(begin, least), (end, greatest)];
            chart.draw_series([Rectangle::new(corners, band.tone.colour().mix(0.25).filled())])?;
        }
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).axis_style(INK);
        mesh.label_style(("sans-serif", 12).into_font().color(&INK));
        mesh.draw()?;
        for limit in self.limits.iter().filter(|limit| (least..=greatest).contains(limit)) {
            chart.draw_series(DashedLineSeries::new([(from, *limit), (to, *limit)], 6, 5, LIMIT.stroke_width(1)))?;
        }
        for run in self.runs(least, greatest) {
            chart.draw_series(LineSeries::new(run, CURVE.stroke_width(2)))?;
        }
        sheet.present()?;
        Ok(())
    }

    /// The curve in its parts without a gap, each place in it between bottom and top.
    fn runs(&self, bottom: f64, top: f64) -> Vec<Vec<(i64, f64)>> {
        let mut runs: Vec<Vec<(i64, f64)>> = Vec::new();
        let is_gap = |before: i64, after: i64| {
            axis::share(after.saturating_sub(before), self.to.saturating_sub(self.from)) > GAP
        };
        let mut last = None;
        let drawable = |value: f64| value.clamp(bottom, top);
        for (at, least, greatest) in &self.points {
            let stroke = [*least, *greatest].map(|value| (*at, drawable(value)));
            match runs.last_mut() {
                Some(run) if !last.is_some_and(|last| is_gap(last, *at)) => run.extend(stroke),
                _ => runs.push(stroke.to_vec()),
            }
            last = Some(*at);
        }
        runs
    }

    /// From below the least to above the greatest of what is drawn.
    fn height(&self) -> (f64, f64) {
        let values = self.points.iter().flat_map(|(_, least, greatest)| [*least, *greatest]);
        let values = values.chain(self.limits.iter().copied()).filter(|value| value.abs() <= MOST);
        let (least, greatest) = values.fold((f64::MAX, f64::MIN), |(least, most), it| (least.min(it), most.max(it)));
        if least > greatest {
            return (0.0, 1.0);
        }
        let air = (greatest - least).max(greatest.abs() * 0.01).max(0.5) * 0.08;
        (least - air, greatest + air)
    }
}

impl Tone {
    fn colour(self) -> RGBColor {
        match self {
            Self::Low => RGBColor(86, 180, 233),
            Self::Middle => RGBColor(230, 159, 0),
            Self::High => RGBColor(213, 60, 40),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn chart() -> Chart {
        Chart {
            title: "temperature <of> a & b".to_owned(),
            from: 0,
            to: 24 * HOUR,
            points: (0..48).filter(|half| *half < 20 || *half > 30).map(|half| (half * HOUR / 2, 20.0, 21.0)).collect(),
            bands: vec![Band { from: HOUR, to: 2 * HOUR, tone: Tone::High }],
            limits: vec![30.0],
        }
    }

    #[test]
    fn a_chart_is_a_document_in_which_a_title_is_only_text() {
        let document = chart().svg().unwrap();
        assert!(document.starts_with("<svg"), "{document}");
        assert!(document.contains("temperature &lt;of&gt; a &amp; b"), "{document}");
    }

    #[test]
    fn a_gap_is_not_drawn_over() {
        let lines = |chart: &Chart| chart.svg().unwrap().matches("stroke-width=\"2\"").count();
        let gapless = Chart { points: vec![(0, 1.0, 1.0), (HOUR / 4, 1.0, 2.0)], ..chart() };
        assert_eq!((lines(&gapless), chart().runs(0.0, 50.0).len()), (1, 2));
    }

    #[test]
    fn what_has_no_points_no_height_or_no_time_is_drawn_too() {
        for (to, points) in [(HOUR, vec![]), (0, vec![(0, 5.0, 5.0)]), (HOUR, vec![(0, f64::MIN, f64::MAX)])] {
            let chart = Chart { to, points, ..chart() };
            assert!(chart.svg().is_ok(), "{chart:?}");
        }
    }
}
