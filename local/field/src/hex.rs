//! Bytes as hex digits and back.

/// Lower case hex.
pub(crate) fn hex_of_bytes(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The bytes that pairs of hex digits mean.
pub(crate) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_digits_and_digits_bytes() {
        assert_eq!(hex_of_bytes(&[0x01, 0xab]), "01ab");
        assert_eq!(bytes_of_hex("01AB"), Some(vec![0x01, 0xab]));
        assert_eq!(bytes_of_hex(""), Some(Vec::new()));
        for text in ["010", "0g", "温湿"] {
            assert_eq!(bytes_of_hex(text), None, "{text}");
        }
    }
}
