//! Frames: what is sent on a serial line, and the proof that what came back answers it.
//!
//! A value can only be read out of a [`VerifiedFrame`], and only a proof makes one: address, function, length and CRC
//! for Modbus RTU, the terminator for text lines, a script's verdict for what follows no standard. Everything else is a [`RejectedFrame`], which is counted, never read.

mod rejected;
mod rtu;

use serde::{Deserialize, Serialize};

use crate::script::{Answer, ScriptFailed};

pub use rejected::RejectedFrame;
pub(crate) use rtu::hex_of_bytes;
pub use rtu::{BadInstruction, RtuInstruction, crc16_modbus, rtu_request};

/// What ends a reply on a text line.
const TERMINATOR: u8 = b'\r';

/// A reply that was proven to answer what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedFrame<'a> {
    proof: Proof,
    bytes: &'a [u8],
    /// How many bytes stand before and after what the device says.
    head: usize,
    tail: usize,
}

/// How a reply was proven, or is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Address, function, length and CRC fit the Modbus request.
    Rtu,
    /// The text is whole: its first terminator is its last byte.
    Text,
    /// The protocol's own script says so: as good as its writer.
    Scripted,
}

impl<'a> VerifiedFrame<'a> {
    /// Proves a reply of a text line: UTF-8 whose first carriage return is its last byte.
    pub fn text(reply: &'a [u8]) -> Result<Self, RejectedFrame> {
        check_size(reply)?;
        match reply.iter().position(|&byte| byte == TERMINATOR) {
            None if reply.is_empty() => Err(RejectedFrame::Empty),
            Some(end) if end + 1 == reply.len() => match std::str::from_utf8(reply) {
                Ok(_) => Ok(Self { proof: Proof::Text, bytes: reply, head: 0, tail: 1 }),
                Err(_) => Err(RejectedFrame::NotText),
            },
            _ => Err(RejectedFrame::NoTerminator),
        }
    }

    /// Proves a reply by what a script says of it. Its head and tail are taken to be those of a Modbus frame.
    pub(crate) fn scripted(
        reply: &'a [u8],
        verdict: impl FnOnce(&[u8]) -> Result<Answer, ScriptFailed>,
    ) -> Result<Self, RejectedFrame> {
        if reply.is_empty() {
            return Err(RejectedFrame::Empty);
        }
        check_size(reply)?;
        match verdict(reply) {
            Ok(answer) if answer.is_truthy() => Ok(Self { proof: Proof::Scripted, bytes: reply, head: 3, tail: 2 }),
            Ok(_) => Err(RejectedFrame::ScriptRefused),
            Err(failed) => Err(RejectedFrame::ScriptFailed(failed.to_string())),
        }
    }

    /// How it was proven.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The whole frame.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the device said: without address, function, byte count and CRC, or without the terminator.
    pub fn payload(&self) -> &'a [u8] {
        self.without(None, None)
    }

    /// The frame without this many bytes at its ends; where none is said, without the frame's own. Empty when nothing is
    /// left.
    pub fn without(&self, head: Option<usize>, tail: Option<usize>) -> &'a [u8] {
        let end = self.bytes.len().checked_sub(tail.unwrap_or(self.tail));
        end.and_then(|end| self.bytes.get(head.unwrap_or(self.head)..end)).unwrap_or_default()
    }
}

/// The most bytes that a reply may have which no standard bounds: many times what a device says.
const MOST_BYTES: usize = 4096;

fn check_size(reply: &[u8]) -> Result<(), RejectedFrame> {
    if reply.len() > MOST_BYTES { Err(RejectedFrame::TooLong { got: reply.len(), most: MOST_BYTES }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_no_device_would_give_is_not_read() {
        let long = [vec![b'1'; MOST_BYTES], vec![b'\r']].concat();
        assert_eq!(VerifiedFrame::text(&long), Err(RejectedFrame::TooLong { got: MOST_BYTES + 1, most: MOST_BYTES }));
        assert!(VerifiedFrame::text(&long[1..]).is_ok());
    }

    #[test]
    fn a_text_is_whole_when_its_first_terminator_is_its_last_byte() {
        let frame = VerifiedFrame::text(b"(220.1 50.0\r").unwrap();
        assert_eq!(frame.payload(), b"(220.1 50.0");
        assert_eq!(frame.bytes(), b"(220.1 50.0\r");
        assert_eq!(frame.proof(), Proof::Text);
    }

    #[test]
    fn a_broken_text_says_what_is_wrong_with_it() {
        for (reply, why) in [
            (&b""[..], RejectedFrame::Empty),
            (b"(220.1 50.0", RejectedFrame::NoTerminator),
            (b"(220.1\r(50.0\r", RejectedFrame::NoTerminator),
            (b"(220.1\r\n", RejectedFrame::NoTerminator),
            (b"(\xff\xfe\r", RejectedFrame::NotText),
        ] {
            assert_eq!(VerifiedFrame::text(reply), Err(why), "{reply:?}");
        }
    }
}
