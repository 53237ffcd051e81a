//! What others called something, so that it can do no harm in a line of text.

/// The same without what ends a line or turns it around, and no longer than `most` characters.
pub(super) fn cleaned(text: &str, most: usize) -> String {
    let visible = text.chars().filter(|c| !turns_around(*c)).map(|c| if is_break(c) { ' ' } else { c });
    let mut kept: String = visible.take(most + 1).collect();
    if let Some((end, _)) = kept.char_indices().nth(most) {
        // One in its place, so that it is no longer than allowed.
        let last = kept[..end].char_indices().next_back().map_or(0, |(last, _)| last);
        kept.truncate(last);
        kept.push('…');
    }
    kept
}

/// A line without breaks.
pub(super) fn one_line(text: &str) -> String {
    text.split(is_break).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The marks that let text run the other way round: with them a name could make a line say something else.
fn turns_around(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_its_line_and_the_right_way_round() {
        assert_eq!(cleaned("a\r\nBcc: b\u{202e}c\u{2028}d", 100), "a  Bcc: bc d");
        assert_eq!(one_line("a\r\n\u{2029}b\n"), "a b");
    }

    #[test]
    fn a_long_name_is_cut_and_shows_it() {
        assert_eq!((cleaned("温温温", 3), cleaned("温温温温", 3)), ("温温温".to_owned(), "温温…".to_owned()));
        assert_eq!(cleaned(&"x".repeat(10_000), 80).chars().count(), 80);
    }
}
