//! The pictures in mails.

use domain::Timestamp;
use engine_chart::{Band, Chart, Tone};
use jobs::ports::{Curve, Illustrator};

/// The [`Illustrator`] that draws charts.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChartIllustrator;

impl Illustrator for ChartIllustrator {
    fn draw(&self, curve: &Curve) -> Option<Vec<u8>> {
        let mark =
            |(Timestamp(from), Timestamp(to)): &(Timestamp, Timestamp)| Band { from: *from, to: *to, tone: Tone::High };
        let chart = Chart {
            title: String::new(),
            from: curve.from.0,
            to: curve.to.0,
            points: curve.points.iter().map(|(at, value)| (at.0, *value, *value)).collect(),
            bands: curve.alarms.iter().map(mark).collect(),
            limits: curve.limits.clone(),
        };
        chart.png().ok()
    }
}
