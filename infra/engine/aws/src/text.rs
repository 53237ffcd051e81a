//! Text that SQS and SNS take: they refuse characters that XML 1.0 has no place for (Amazon SQS API Reference, `SendMessage`).

use std::{borrow::Cow, fmt::Write};

/// JSON whose strings hold no such character, and mean the same. (JSON itself has no control characters in its strings.)
pub fn json_text(json: &str) -> Cow<'_, str> {
    replaced(json, |text, c| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    })
}

/// Words for people and names, in which such a character becomes the replacement character.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    replaced(text, |text, _| text.push(char::REPLACEMENT_CHARACTER))
}

fn replaced(text: &str, replace: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if text.chars().all(is_taken) {
        return Cow::Borrowed(text);
    }
    let mut replaced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_taken(c) {
            replaced.push(c);
        } else {
            replace(&mut replaced, c);
        }
    }
    Cow::Owned(replaced)
}

fn is_taken(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_without_what_is_refused() {
        let text = "temperature ℃ \u{fffe}\u{ffff} 😀 \u{1}";
        let json = format!("{{\"a\":\"{}\"}}", text.replace('\u{1}', "\\u0001"));
        let sent = json_text(&json);
        assert!(sent.chars().all(is_taken));
        assert_eq!(sent, "{\"a\":\"temperature ℃ \\ufffe\\uffff 😀 \\u0001\"}");
        assert!(matches!(json_text("{}"), Cow::Borrowed("{}")));
    }

    #[test]
    fn words_lose_what_is_refused_and_nothing_else() {
        assert_eq!(plain_text("a\u{0}b\u{1b}\tc\u{ffff}冷"), "a\u{fffd}b\u{fffd}\tc\u{fffd}冷");
    }
}
