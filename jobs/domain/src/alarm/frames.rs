//! What came over the line, as it is kept beside what was read out of it.

use serde::{Deserialize, Serialize};

use crate::frame::hex_of_bytes;

/// The most frames that one fact carries.
const MOST_FRAMES: usize = 16;
/// The most characters that they take together, of what was sent and of what came back.
const MOST_CHARS: usize = 2048;

/// An instruction and its reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The instruction as it was sent: hex for Modbus, else the text.
    pub sent: String,
    /// The bytes that came back, as hex.
    pub reply: String,
    /// Why nothing was read out of it, where nothing was: `crc`, `foreign`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// The frames that a reading was read out of. They name nothing: the same fact with other frames is the same fact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Frames {
    /// Whole frames, in the order they were asked in: at most 16, of 2,048 characters together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Frame>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Frame {
    /// A frame of what was sent, of the bytes that came back, and why those were not believed.
    pub fn new(sent: &str, reply: &[u8], rejected: Option<&str>) -> Self {
        Self { sent: sent.to_owned(), reply: hex_of_bytes(reply), rejected: rejected.map(str::to_owned) }
    }

    fn chars(&self) -> usize {
        self.sent.len() + self.reply.len()
    }
}

impl Frames {
    /// Those of the frames that there is room for; half a frame would prove nothing.
    pub fn of(frames: impl IntoIterator<Item = Frame>) -> Self {
        let (mut some, mut chars) = (Self::default(), 0);
        for frame in frames {
            if some.kept.len() < MOST_FRAMES && chars + frame.chars() <= MOST_CHARS {
                chars += frame.chars();
                some.kept.push(frame);
            } else {
                some.left_out = some.left_out.saturating_add(1);
            }
        }
        some
    }

    /// Whether nothing came over the line.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.left_out == 0
    }

    /// The same, none of which is kept.
    #[must_use]
    pub fn counted(&self) -> Self {
        let kept = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        Self { kept: Vec::new(), left_out: self.left_out.saturating_add(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(count: usize, bytes: usize) -> Frames {
        Frames::of((0..count).map(|_| Frame::new("QGS", &vec![0xab; bytes], None)))
    }

    #[test]
    fn a_frame_shows_the_bytes_that_came_back() {
        let frame = Frame::new("010300000002c40b", &[1, 3, 4, 0xFF], Some("crc"));
        assert_eq!((frame.reply.as_str(), frame.rejected.as_deref()), ("010304ff", Some("crc")));
    }

    #[test]
    fn what_there_is_none_of_takes_no_room_where_it_is_stored() {
        let stored = |frames: &Frames| serde_json::to_value(frames).unwrap();
        assert_eq!(stored(&Frames::default()), serde_json::json!({}));
        let left_out = Frames { left_out: 2, ..Frames::default() };
        assert_eq!(stored(&left_out), serde_json::json!({ "left_out": 2 }));
        assert_eq!(serde_json::from_value::<Frames>(stored(&left_out)).unwrap(), left_out);
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        for (count, bytes, kept) in [(16, 10, 16), (17, 10, 16), (20, 10, 16), (3, 400, 2), (1, 1022, 1), (1, 1023, 0)]
        {
            let frames = of_bytes(count, bytes);
            assert_eq!((frames.kept.len(), frames.left_out as usize), (kept, count - kept), "{count} of {bytes}");
            assert_eq!(frames.counted().left_out as usize, count);
        }
        assert!(of_bytes(0, 0).is_empty() && !of_bytes(1, 1023).is_empty());
    }
}
