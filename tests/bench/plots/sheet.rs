//! What every plot looks like: a white sheet with its title, and under it what the colours stand for.

use std::path::Path;

use anyhow::Result;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// How wide a sheet is, in pixels.
pub(crate) const WIDTH: u32 = 780;
/// Its margins, and what title and legend take.
const MARGIN: i32 = 16;
pub(crate) const HEAD: u32 = 74;
/// How wide a letter of the legend is, about.
const LETTER: f64 = 7.2;
/// How wide a legend's line is, with the air around it.
const SAMPLE: i32 = 26;

/// Told apart by most eyes.
const COLOURS: [RGBColor; 5] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(90, 90, 90)];
pub(crate) const INK: RGBColor = RGBColor(40, 40, 40);
pub(crate) const LIMIT: RGBColor = RGBColor(190, 30, 45);

/// The colour of so many.
pub(crate) fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// What is drawn on.
pub(crate) type Sheet<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An empty sheet with its title.
pub(crate) fn sheet<'a>(path: &'a Path, height: u32, title: &str) -> Result<Sheet<'a>> {
    let sheet = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    sheet.fill(&WHITE)?;
    sheet.draw(&Text::new(title.to_owned(), (MARGIN, 14), text(18)))?;
    Ok(sheet)
}

/// A line of the legend: what it is called, its colour, whether it is dashed.
pub(crate) type Sample = (String, RGBColor, bool);

/// Says under the title what the lines are.
pub(crate) fn legend(sheet: &Sheet<'_>, samples: &[Sample]) -> Result<()> {
    let mut left = MARGIN;
    for (name, colour, is_dashed) in samples {
        for (from, to) in if *is_dashed { [(0, 7), (11, 18)] } else { [(0, 9), (9, 18)] } {
            let line = vec![(left + from, 52), (left + to, 52)];
            sheet.draw(&PathElement::new(line, colour.stroke_width(3)))?;
        }
        let style = text(13).pos(Pos::new(HPos::Left, VPos::Center));
        sheet.draw(&Text::new(name.clone(), (left + SAMPLE, 52), style))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a name has few letters")]
        let wide = (name.chars().count() as f64 * LETTER) as i32;
        left += SAMPLE + wide + 14;
    }
    Ok(())
}

/// Text of so many pixels.
pub(crate) fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}
