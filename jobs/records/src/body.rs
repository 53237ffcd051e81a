//! How a record lies in an item's body: as JSON, or, where it is long, as JSON that LZ4 made short. Writes are paid by the
//! kilobyte, and an item has a most size; values repeat their names and units in every record.
//!
//! JSON never begins with the byte 1, which marks the short form; the length of the JSON follows it, as a little-endian
//! 32-bit number.

use serde::{Serialize, de::DeserializeOwned};

/// Up to this length a body stays JSON: with its key and what each item has, it is paid for as one kilobyte.
const PLAIN_BYTES: usize = 768;

/// What the short form begins with.
const SHORT: u8 = 1;

/// The most bytes of JSON that are believed to lie in a body.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A record as a body.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    let Some(length) = u32::try_from(json.len()).ok().filter(|_| json.len() > PLAIN_BYTES) else { return Ok(json) };
    let packed = lz4_flex::block::compress(&json);
    let head = 1 + size_of::<u32>();
    if packed.len() + head >= json.len() {
        return Ok(json);
    }
    let mut body = Vec::with_capacity(head + packed.len());
    body.push(SHORT);
    body.extend(length.to_le_bytes());
    body.extend(packed);
    Ok(body)
}

/// The record that [`encode`] made a body of.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let Some((&SHORT, rest)) = body.split_first() else {
        return serde_json::from_slice(body).map_err(|error| error.to_string());
    };
    let (length, packed) = rest.split_first_chunk().ok_or("its length is missing")?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|error| error.to_string())?;
    if length > MOST_BYTES {
        return Err(format!("it claims to have {length} bytes"));
    }
    let json = lz4_flex::block::decompress(packed, length).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_whatever_its_length() {
        for length in [0, 1, 1021, 1022, 1023, 5000, 300_000] {
            let record: Vec<String> = vec!["temperature 25.3".chars().cycle().take(length).collect()];
            assert_eq!(decode::<Vec<String>>(&encode(&record).unwrap()), Ok(record), "{length}");
        }
    }

    #[test]
    fn a_long_record_takes_little_room_and_a_short_one_is_plain() {
        let values = vec![("temperature", 25.3, "℃", "good"); 1000];
        let json = serde_json::to_vec(&values).unwrap();
        assert!(encode(&values).unwrap().len() * 10 < json.len());
        assert_eq!(encode(&"short").unwrap(), b"\"short\"");
    }

    #[test]
    fn what_is_no_body_is_an_error() {
        let long = encode(&vec!["x"; 1000]).unwrap();
        assert_eq!(long[0], SHORT);
        for broken in
            [&[][..], &[SHORT], &[SHORT, 0, 0, 0], &[SHORT, 255, 255, 255, 255, 0], &long[..long.len() - 1], b"x"]
        {
            assert!(decode::<Vec<String>>(broken).is_err(), "{broken:?}");
        }
    }
}
