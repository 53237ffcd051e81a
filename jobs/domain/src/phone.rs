//! Telephone numbers.

/// The number as ITU-T E.164 has it: `+`, then 7 to 15 digits, the first of which is not 0. None when the text is no number.
///
/// Blanks, dashes, dots and brackets are passed over, `00` in front is a `+`. A mainland Chinese mobile number may stand
/// without its country's code, as exports of earlier servers have it.
pub fn e164(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = match bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
        Some(international) => international.to_owned(),
        None if is_chinese_mobile(&bare) => format!("86{bare}"),
        None => return None,
    };
    let is_number = (7..=15).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && !digits.starts_with('0');
    is_number.then(|| format!("+{digits}"))
}

fn is_chinese_mobile(bare: &str) -> bool {
    bare.len() == 11 && bare.starts_with('1') && !matches!(bare.as_bytes()[1], b'0'..=b'2')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_one_way() {
        for text in ["+8613800138000", "008613800138000", "13800138000", "138 0013 8000", "+86-138-0013-8000"] {
            assert_eq!(e164(text).as_deref(), Some("+8613800138000"), "{text}");
        }
        assert_eq!(e164("+1 (206) 555-0100").as_deref(), Some("+12065550100"));
    }

    #[test]
    fn what_no_network_could_dial_is_no_number() {
        let texts =
            ["", "+", "12345", "2065550100", "12800138000", "+0123456789", "+123456", "+1234567890123456", "+86x"];
        for text in texts.into_iter().chain(["+８６１３８００１３８０００", "1380013800\u{661}"]) {
            assert_eq!(e164(text), None, "{text}");
        }
    }
}
