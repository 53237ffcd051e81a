//! A chart as a PNG, for mails: their readers show no SVG. It has no words in it, so it needs no fonts.

use plotters::prelude::*;

use crate::{CURVE, Chart, ChartError, INK, LIMIT, axis::Time};

/// Pixels. Mails show it half as wide, so that it is sharp on any screen.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 360;
const MARGIN: i32 = 4;

impl Chart {
    /// The chart as a PNG without words: the axes, the limits, the marked times and the curve.
    ///
    /// # Errors
    /// What the drawing library or the encoder says; a chart of finite numbers is drawn.
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        let mut pixels = vec![0; WIDTH as usize * HEIGHT as usize * 3];
        self.paint(&mut pixels).map_err(|error| ChartError(error.to_string()))?;
        encoded(&pixels).map_err(|error| ChartError(error.to_string()))
    }

    fn paint(&self, pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
        let (from, to) = (self.from, self.to.max(self.from.saturating_add(1)));
        let (least, greatest) = self.height();
        let sheet = BitMapBackend::with_buffer(pixels, (WIDTH, HEIGHT)).into_drawing_area();
        let told = |error: &dyn std::fmt::Display| error.to_string();
        sheet.fill(&WHITE).map_err(|error| told(&error))?;
        let mut chart = ChartBuilder::on(&sheet)
            .margin(MARGIN)
            .build_cartesian_2d(Time::over(from, to), least..greatest)
            .map_err(|error| told(&error))?;
        for band in self.bands.iter().filter(|band| band.from <= to && band.to >= from) {
            let corners = [(band.from.max(from), least), (band.to.min(to), greatest)];
            let mark = Rectangle::new(corners, band.tone.colour().mix(0.25).filled());
            chart.draw_series([mark]).map_err(|error| told(&error))?;
        }
        let frame = [(from, greatest), (from, least), (to, least)];
        chart.draw_series(LineSeries::new(frame, INK.stroke_width(2))).map_err(|error| told(&error))?;
        for limit in self.limits.iter().filter(|limit| (least..=greatest).contains(limit)) {
            let line = DashedLineSeries::new([(from, *limit), (to, *limit)], 12, 10, LIMIT.stroke_width(2));
            chart.draw_series(line).map_err(|error| told(&error))?;
        }
        for run in self.runs(least, greatest) {
            // Stroke by stroke: where a thick line turns sharply, the library would draw its corner as a peak that never was.
            let strokes = run.windows(2).map(|ends| PathElement::new(ends, CURVE.stroke_width(3)));
            chart.draw_series(strokes).map_err(|error| told(&error))?;
        }
        sheet.present().map_err(|error| told(&error))?;
        Ok(())
    }
}

fn encoded(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut document = Vec::new();
    let mut encoder = png::Encoder::new(&mut document, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Band, Tone};

    const HOUR: i64 = 3_600_000;

    /// Six hours of a reading every five seconds that never stands still.
    fn chart() -> Chart {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let value = |number: i64| 25.0 + (number as f64 / 40.0).sin() * 8.0 + (number % 7) as f64 / 3.0;
        Chart {
            title: String::new(),
            from: 0,
            to: 6 * HOUR,
            points: (0..4320).map(|number| (number * 5_000, value(number), value(number))).collect(),
            bands: vec![Band { from: 5 * HOUR, to: 6 * HOUR, tone: Tone::High }],
            limits: vec![10.0, 30.0],
        }
    }

    fn decoded(document: &[u8]) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(document)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (WIDTH, HEIGHT, png::ColorType::Rgb));
        pixels
    }

    /// How many pixels have a colour, to a few shades.
    fn coloured(pixels: &[u8], RGBColor(red, green, blue): RGBColor) -> usize {
        let is_like = |pixel: &&[u8]| pixel.iter().zip([red, green, blue]).all(|(a, b)| a.abs_diff(b) < 8);
        pixels.chunks_exact(3).filter(is_like).count()
    }

    #[test]
    fn the_picture_shows_the_curve_its_limits_and_the_marked_time_and_is_small() {
        let document = chart().png().unwrap();
        assert!(document.len() < 40_000, "{} bytes", document.len());
        let pixels = decoded(&document);
        assert!(coloured(&pixels, CURVE) > 2000, "{}", coloured(&pixels, CURVE));
        assert!(coloured(&pixels, LIMIT) > 500, "{}", coloured(&pixels, LIMIT));
        let marked = RGBColor(245, 206, 201);
        assert!(coloured(&pixels, marked) > 10_000, "{}", coloured(&pixels, marked));
        let plain = decoded(&Chart { bands: vec![], limits: vec![], points: vec![], ..chart() }.png().unwrap());
        assert_eq!((coloured(&plain, CURVE), coloured(&plain, LIMIT), coloured(&plain, marked)), (0, 0, 0));
    }

    #[test]
    fn a_sharp_turn_is_no_peak() {
        let swings = (0..4320).map(|number| (number * 5_000, 20.0, if number % 2 == 0 { 20.0 } else { 25.0 }));
        let chart = Chart { points: swings.collect(), bands: vec![], ..chart() };
        let pixels = decoded(&chart.png().unwrap());
        let rows = pixels.chunks_exact(WIDTH as usize * 3);
        let drawn: Vec<usize> =
            rows.enumerate().filter(|(_, row)| coloured(row, CURVE) > 0).map(|(row, _)| row).collect();
        // The limits are 10 and 30, and the sheet is a little higher.
        let (top, bottom) = (HEIGHT as usize / 4, HEIGHT as usize * 3 / 5);
        assert!(drawn.iter().all(|row| (top..=bottom).contains(row)), "{drawn:?}");
    }

    #[test]
    fn what_has_no_points_no_height_or_no_time_is_drawn_too() {
        for (to, points) in [(HOUR, vec![]), (0, vec![(0, 5.0, 5.0)]), (HOUR, vec![(0, f64::MIN, f64::MAX)])] {
            let chart = Chart { to, points, ..chart() };
            assert!(chart.png().is_ok(), "{chart:?}");
        }
    }
}
