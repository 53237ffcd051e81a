//! Text messages: what fits into two parts.
//!
//! A message in the GSM alphabet has 160 places, one in any other 70 (UTF-16 units); of one in two parts each part has seven
//! places, or three units, less.

/// The most places of two parts in the GSM alphabet.
const GSM: usize = 2 * 153;
/// The most UTF-16 units of two parts.
const UCS2: usize = 2 * 67;

/// The GSM 7 bit default alphabet (3GPP TS 23.038) but for its escape.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that take two places.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// A subject and what was seen, as far as both fit.
pub(super) fn fitted(subject: &str, seen: &str) -> String {
    let whole = if seen.is_empty() { subject.to_owned() } else { format!("{subject}\n{seen}") };
    if fits(&whole) {
        return whole;
    }
    // A sentence that has no place for two dots more would lose its last word to them.
    let more = if gsm_places(&whole).is_some() { "..." } else { "…" };
    let ends = whole.char_indices().map(|(end, _)| end).collect::<Vec<_>>();
    // What fits is a beginning: the longest is found by halving.
    let longest = ends.partition_point(|end| fits(&format!("{}{more}", &whole[..*end])));
    let end = longest.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0);
    format!("{}{more}", &whole[..end])
}

fn fits(text: &str) -> bool {
    gsm_places(text).map_or_else(|| text.encode_utf16().count() <= UCS2, |places| places <= GSM)
}

/// How many places a text takes; none when it is not in the alphabet.
fn gsm_places(text: &str) -> Option<usize> {
    let place = |c| {
        if ALPHABET.contains(c) { Some(1) } else { EXTENSION.contains(c).then_some(2) }
    };
    text.chars().map(place).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(fitted("Alarm: a", "t 5, at most 3"), "Alarm: a\nt 5, at most 3");
        assert_eq!(fitted("测试通知", ""), "测试通知");
        let full = "x".repeat(GSM);
        assert_eq!(fitted(&full, ""), full);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_shows_it() {
        let cut = fitted(&"x".repeat(GSM + 1), "");
        assert_eq!((cut.len(), cut.ends_with("x...")), (GSM, true));
        let cut = fitted(&"{".repeat(GSM), "");
        assert_eq!((gsm_places(&cut), cut.ends_with("{...")), (Some(GSM - 1), true));
        let cut = fitted(&"温".repeat(UCS2 + 1), "");
        assert_eq!((cut.encode_utf16().count(), cut.ends_with("温…")), (UCS2, true));
        let cut = fitted(&"😀".repeat(UCS2), "");
        assert!(cut.encode_utf16().count() <= UCS2 && cut.ends_with("😀…"), "{cut}");
    }

    #[test]
    fn one_sign_beyond_the_alphabet_makes_all_of_it_longer() {
        let cut = fitted(&format!("℃{}", "x".repeat(200)), "");
        assert_eq!(cut.encode_utf16().count(), UCS2);
    }
}
