//! What a raw number is multiplied by.

use super::{Fault, programs::Programs};
use crate::{
    reading::Datum,
    script::{Answer, Argument, Function},
};

/// A coefficient: what makes a value of a raw number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Coefficient {
    /// A finite number to multiply by.
    Factor(f64),
    /// A program that is given the raw number.
    Expression(Function),
}

/// A program threw, went on for too long, or gave nothing that is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProgramFailed;

impl Coefficient {
    /// Reads a document's `bl`. What begins like `(a,` is a program.
    pub(super) fn parse(text: &str, programs: &Programs<'_>) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::NoCoefficient);
        }
        if let Some(number) = text.parse().ok().filter(|number: &f64| number.is_finite()) {
            return Ok(Self::Factor(number));
        }
        if text.contains(['(', ',']) {
            return programs.expression(text).map(Self::Expression);
        }
        Err(Fault::Coefficient(text.chars().take(60).collect()))
    }

    /// The value that a raw number stands for; none when that is no finite number.
    pub(super) fn apply(&self, raw: f64) -> Result<Datum, ProgramFailed> {
        match self {
            Self::Factor(factor) => Ok(product(raw, *factor).map_or(Datum::None, Datum::Number)),
            Self::Expression(function) => match function.call(&[Argument::Number(raw)]) {
                Ok(Answer::Number(number)) => clean(number).map(Datum::Number).ok_or(ProgramFailed),
                Ok(Answer::Text(text)) => Ok(Datum::of_word(&text)),
                Ok(Answer::Boolean(boolean)) => Ok(Datum::Number(f64::from(u8::from(boolean)))),
                Ok(Answer::Nothing | Answer::Other) | Err(_) => Err(ProgramFailed),
            },
        }
    }
}

/// The product, free of binary noise: 255 × 0.1 is 25.5.
fn product(raw: f64, factor: f64) -> Option<f64> {
    let product = raw * factor;
    #[expect(clippy::float_cmp, reason = "multiplied by 1, a number is itself: long counters keep every digit")]
    let unchanged = product == raw;
    if unchanged { finite(raw) } else { clean(product) }
}

/// A number free of binary noise; a whole one as it is.
fn clean(number: f64) -> Option<f64> {
    finite(if number.fract() == 0.0 { number } else { rounded(number) })
}

/// A finite number; adding zero turns -0 into 0.
fn finite(number: f64) -> Option<f64> {
    Some(number + 0.0).filter(|number| number.is_finite())
}

/// The nearest number of 15 significant digits: as many as a product of two decimals can be trusted for.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::script::NoScripts;

    fn parse(text: &str) -> Result<Coefficient, Fault> {
        Coefficient::parse(text, &Programs::new(&NoScripts))
    }

    fn number(text: &str, raw: f64) -> Datum {
        parse(text).unwrap().apply(raw).unwrap()
    }

    #[test]
    fn every_way_to_write_a_number_is_read() {
        for (text, product) in
            [("1", 255.0), ("0.1", 25.5), (".1", 25.5), (" .01", 2.55), ("-2", -510.0), ("1e2", 25_500.0), ("0", 0.0)]
        {
            assert_eq!(number(text, 255.0), Datum::Number(product), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(parse(" "), Err(Fault::NoCoefficient));
        assert!(matches!(parse("(a,a/2-20)"), Err(Fault::Expression { .. })));
        assert!(matches!(parse("ten"), Err(Fault::Coefficient(_))));
        assert!(matches!(parse("inf"), Err(Fault::Coefficient(_))));
        assert!(matches!(parse("NaN"), Err(Fault::Coefficient(_))));
    }

    #[test]
    fn a_long_counter_keeps_every_digit() {
        let most = 9_007_199_254_740_991.0;
        assert_eq!(number("1", most), Datum::Number(most));
    }

    #[test]
    fn what_overflows_is_no_number() {
        assert_eq!(number("1e300", 1e300), Datum::None);
        assert_eq!(number("1", f64::NAN), Datum::None);
    }

    proptest! {
        #[test]
        fn a_raw_number_times_a_power_of_ten_is_that_decimal(raw: i32, digits in 1_usize..4) {
            let coefficient = parse(&format!("0.{}1", "0".repeat(digits - 1))).unwrap();
            let expected: f64 = format!("{raw}e-{digits}").parse().unwrap();
            prop_assert_eq!(coefficient.apply(f64::from(raw)), Ok(Datum::Number(expected)));
        }
    }
}
