//! What a raw number is multiplied by.

use super::Fault;

/// A coefficient: a finite number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coefficient(f64);

impl Coefficient {
    /// Reads a document's `bl`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::NoCoefficient);
        }
        if let Some(number) = text.parse().ok().filter(|number: &f64| number.is_finite()) {
            return Ok(Self(number));
        }
        let told = text.chars().take(60).collect();
        Err(if text.contains(['(', ',']) { Fault::Expression(told) } else { Fault::Coefficient(told) })
    }

    /// The product, free of binary noise: 255 × 0.1 is 25.5. `None` when it is no finite number.
    pub(super) fn times(self, raw: f64) -> Option<f64> {
        let product = raw * self.0;
        #[expect(clippy::float_cmp, reason = "multiplied by 1, a number is itself: long counters keep every digit")]
        let rounded = if product == raw { raw } else { rounded(product) };
        // Adding zero turns -0 into 0.
        Some(rounded + 0.0).filter(|number| number.is_finite())
    }
}

/// The nearest number of 15 significant digits: as many as a product of two decimals can be trusted for.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_number_is_read() {
        for (text, product) in
            [("1", 255.0), ("0.1", 25.5), (".1", 25.5), (" .01", 2.55), ("-2", -510.0), ("1e2", 25_500.0), ("0", 0.0)]
        {
            assert_eq!(Coefficient::parse(text).unwrap().times(255.0), Some(product), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(Coefficient::parse(" "), Err(Fault::NoCoefficient));
        assert!(matches!(Coefficient::parse("(a,a/2-20)"), Err(Fault::Expression(_))));
        assert!(matches!(Coefficient::parse("ten"), Err(Fault::Coefficient(_))));
        assert!(matches!(Coefficient::parse("inf"), Err(Fault::Coefficient(_))));
        assert!(matches!(Coefficient::parse("NaN"), Err(Fault::Coefficient(_))));
    }

    #[test]
    fn a_long_counter_keeps_every_digit() {
        let most = 9_007_199_254_740_991.0;
        assert_eq!(Coefficient::parse("1").unwrap().times(most), Some(most));
    }

    #[test]
    fn what_overflows_is_no_number() {
        assert_eq!(Coefficient::parse("1e300").unwrap().times(1e300), None);
        assert_eq!(Coefficient::parse("1").unwrap().times(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn a_raw_number_times_a_power_of_ten_is_that_decimal(raw: i32, digits in 1_usize..4) {
            let coefficient = Coefficient::parse(&format!("0.{}1", "0".repeat(digits - 1))).unwrap();
            let expected: f64 = format!("{raw}e-{digits}").parse().unwrap();
            prop_assert_eq!(coefficient.times(f64::from(raw)), Some(expected));
        }
    }
}
