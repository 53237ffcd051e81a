//! What goes over the two ways, as far as a tap needs to know: where a frame ends, and which answer belongs to which call.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

/// The most bytes of a frame of the table's.
const LENGTH_BYTES: usize = 4;

/// How both sides of a way speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// RESP, 2 or 3: answers come in the order of the calls, but for those that nobody asked for.
    Redis,
    /// A length and a frame that begins with the number of the call.
    Table,
}

impl Language {
    /// Which call a frame is, or which it answers. Calls of Redis are counted in `seen`.
    pub(super) fn number(self, frame: &[u8], seen: &mut u64) -> Option<u64> {
        match self {
            Self::Redis if frame.first() == Some(&b'>') => None,
            Self::Redis => {
                *seen += 1;
                Some(*seen)
            }
            Self::Table => varint(&mut frame.get(LENGTH_BYTES..)?),
        }
    }
}

impl Decoder for Language {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let end = match self {
            Self::Redis => end_of_value(buffer, 0)?,
            Self::Table => {
                let length = buffer.first_chunk::<LENGTH_BYTES>().map(|length| u32::from_be_bytes(*length));
                length.map(|length| LENGTH_BYTES + length as usize)
            }
        };
        Ok(end.filter(|end| *end <= buffer.len()).map(|end| buffer.split_to(end).freeze()))
    }
}

/// A number as postcard writes it; the bytes begin behind it then.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Where a value of RESP ends that begins at `from`, once that is known.
fn end_of_value(bytes: &[u8], from: usize) -> io::Result<Option<usize>> {
    let Some(line) = bytes[from..].windows(2).position(|two| two == b"\r\n").map(|length| from + length) else {
        return Ok(None);
    };
    let count = || str::from_utf8(&bytes[from + 1..line]).ok()?.parse::<i64>().ok();
    let told = || count().ok_or_else(|| io::Error::other("this is not RESP"));
    let mut end = line + 2;
    match bytes[from] {
        // A negative length is no value, and nothing follows it.
        b'$' | b'=' | b'!' => end += usize::try_from(told()?).map_or(0, |length| length + 2),
        kind @ (b'*' | b'~' | b'>' | b'%') => {
            let values = usize::try_from(told()?).unwrap_or(0) * if kind == b'%' { 2 } else { 1 };
            for _ in 0..values {
                match if end < bytes.len() { end_of_value(bytes, end)? } else { None } {
                    Some(next) => end = next,
                    None => return Ok(None),
                }
            }
        }
        _ => {}
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(language: Language, bytes: &[u8]) -> Vec<usize> {
        let mut buffer = BytesMut::new();
        let mut lengths = Vec::new();
        for byte in bytes {
            buffer.extend([*byte]);
            while let Some(frame) = { language }.decode(&mut buffer).unwrap() {
                lengths.push(frame.len());
            }
        }
        assert!(buffer.is_empty(), "{buffer:?} is left");
        lengths
    }

    #[test]
    fn values_of_redis_are_told_apart_however_they_arrive() {
        let values = [
            "*2\r\n$4\r\nPING\r\n$0\r\n\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "+OK\r\n",
            ":12\r\n",
            "%1\r\n+a\r\n*1\r\n$2\r\n\r\n\r\n",
            ">2\r\n+a\r\n+b\r\n",
            "_\r\n",
        ];
        assert_eq!(frames(Language::Redis, values.concat().as_bytes()), values.map(str::len));
    }

    #[test]
    fn frames_of_the_table_are_told_apart_and_know_their_calls() {
        let frame = [0, 0, 0, 3, 0x80, 0x01, 9];
        assert_eq!(frames(Language::Table, &[frame, frame].concat()), [7, 7]);
        assert_eq!(Language::Table.number(&frame, &mut 0), Some(128));
    }
}
