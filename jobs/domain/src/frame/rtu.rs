//! Modbus RTU: an instruction, the request it makes and the proof of its reply.

use crc::{CRC_16_MODBUS, Crc};

use super::{Proof, RejectedFrame, VerifiedFrame};
use crate::Pid;

const CRC16: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
/// The fewest bytes a frame can have: address, function, one byte, CRC.
const FEWEST: usize = 5;
/// A confirmed write: address, function, register, value or count, CRC.
const ECHO: usize = 8;
/// The most registers, and the most bits, that one read may ask for.
const MOST_REGISTERS: u16 = 125;
const MOST_BITS: u16 = 2000;
/// Set in the function of a reply that refuses.
const EXCEPTION: u8 = 0x80;

/// The CRC of a Modbus RTU frame; it is sent low byte first.
pub fn crc16_modbus(bytes: &[u8]) -> u16 {
    CRC16.checksum(bytes)
}

/// The request to send, as lower case hex: `hex(pid)`, the body, CRC low byte, CRC high byte.
pub fn rtu_request(pid: Pid, body_hex: &str) -> Result<String, BadInstruction> {
    Ok(RtuInstruction::parse(body_hex)?.request(pid))
}

/// Why a text is not an instruction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadInstruction {
    /// Not pairs of hex digits.
    #[error("an instruction is pairs of hex digits such as 0300000002, this is not: {0:?}")]
    NotHex(String),
    /// A function whose reply cannot be proven.
    #[error(
        "function {0:#04x} is none of 01 to 06, 0f and 10, whose replies can be proven: such an instruction needs a script"
    )]
    Function(u8),
    /// Too many or too few bytes for its function.
    #[error("an instruction of function {function:#04x} has {expected} bytes after the function, this one has {got}")]
    Length {
        /// Its function.
        function: u8,
        /// Bytes it should have after the function.
        expected: usize,
        /// Bytes it has after the function.
        got: usize,
    },
    /// More than one reply can carry, or nothing.
    #[error("an instruction of function {function:#04x} asks for 1 to {most} at a time, this one for {count}")]
    Count {
        /// Its function.
        function: u8,
        /// The most it may ask for.
        most: u16,
        /// What it asks for.
        count: u16,
    },
}

/// An instruction of an RTU line: function and data, without address and CRC, so the same for every device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtuInstruction {
    body: Vec<u8>,
    reply_length: usize,
}

impl RtuInstruction {
    /// Reads an instruction such as `0300000002`: function 3, from register 0, 2 registers.
    pub fn parse(body_hex: &str) -> Result<Self, BadInstruction> {
        let body =
            bytes_of_hex(body_hex.trim()).ok_or_else(|| BadInstruction::NotHex(body_hex.chars().take(40).collect()))?;
        let reply_length = reply_length(&body)?;
        Ok(Self { body, reply_length })
    }

    /// Reads a request back, as [`Self::request`] makes it: whom it is for, and the instruction in it.
    pub fn of_request(request_hex: &str) -> Result<(Pid, Self), BadInstruction> {
        let bad = || BadInstruction::NotHex(request_hex.chars().take(40).collect());
        let frame = bytes_of_hex(request_hex).ok_or_else(bad)?;
        match frame.as_slice() {
            [pid, body @ .., low, high]
                if crc16_modbus(&frame[..frame.len() - 2]) == u16::from_le_bytes([*low, *high]) =>
            {
                Ok((*pid, Self { reply_length: reply_length(body)?, body: body.to_vec() }))
            }
            _ => Err(bad()),
        }
    }

    /// The request to a device, as lower case hex.
    pub fn request(&self, pid: Pid) -> String {
        let mut frame = Vec::with_capacity(self.body.len() + 3);
        frame.push(pid);
        frame.extend_from_slice(&self.body);
        frame.extend_from_slice(&crc16_modbus(&frame).to_le_bytes());
        hex_of_bytes(&frame)
    }

    /// Proves that bytes are this device's reply. The CRC comes first: without it, nothing else in them can be believed.
    pub fn verify<'a>(&self, pid: Pid, reply: &'a [u8]) -> Result<VerifiedFrame<'a>, RejectedFrame> {
        let function = self.body[0];
        self.check_whole(pid, reply)?;
        if reply[0] != pid {
            return Err(RejectedFrame::Foreign { address: reply[0] });
        }
        if reply[1] == function | EXCEPTION && reply.len() == FEWEST {
            return Err(RejectedFrame::Exception(reply[2]));
        }
        if reply[1] != function {
            return Err(RejectedFrame::WrongFunction { function: reply[1] });
        }
        self.check_length(reply.len())?;
        let head = if is_read(function) {
            self.check_length(usize::from(reply[2]) + FEWEST)?;
            3
        } else if reply[1..ECHO - 2] == self.body[..ECHO - 3] {
            2
        } else {
            return Err(RejectedFrame::Echo);
        };
        Ok(VerifiedFrame { proof: Proof::Rtu, bytes: reply, head, tail: 2 })
    }

    fn check_whole(&self, pid: Pid, reply: &[u8]) -> Result<(), RejectedFrame> {
        let short = RejectedFrame::Short { expected: self.reply_length, got: reply.len() };
        let Some((head, &[low, high])) = reply.split_last_chunk::<2>().filter(|_| reply.len() >= FEWEST) else {
            return Err(if reply.is_empty() { RejectedFrame::Empty } else { short });
        };
        let (told, computed) = (u16::from_le_bytes([low, high]), crc16_modbus(head));
        if told == computed {
            return Ok(());
        }
        let begins_well = reply[0] == pid && reply[1] == self.body[0];
        Err(if begins_well && reply.len() < self.reply_length { short } else { RejectedFrame::Crc { told, computed } })
    }

    fn check_length(&self, got: usize) -> Result<(), RejectedFrame> {
        let expected = self.reply_length;
        if got == expected { Ok(()) } else { Err(RejectedFrame::Length { expected, got }) }
    }
}

fn is_read(function: u8) -> bool {
    (1..=4).contains(&function)
}

/// How long the reply to an instruction is, when its form is right: function, place, count or value, and for a block
/// that is written the number of its bytes and the bytes.
fn reply_length(body: &[u8]) -> Result<usize, BadInstruction> {
    let (&function, data) = body.split_first().ok_or_else(|| BadInstruction::NotHex(String::new()))?;
    if !matches!(function, 1..=6 | 15 | 16) {
        return Err(BadInstruction::Function(function));
    }
    let wrong_length = |expected| BadInstruction::Length { function, expected, got: data.len() };
    let &[_, _, high, low, ref block @ ..] = data else { return Err(wrong_length(4)) };
    let count = u16::from_be_bytes([high, low]);
    let (most, carried) = match function {
        1 | 2 | 15 => (MOST_BITS, usize::from(count).div_ceil(8)),
        3 | 4 | 16 => (MOST_REGISTERS, usize::from(count) * 2),
        _ => return if block.is_empty() { Ok(ECHO) } else { Err(wrong_length(4)) },
    };
    if !(1..=most).contains(&count) {
        return Err(BadInstruction::Count { function, most, count });
    }
    match (is_read(function), block) {
        (true, []) => Ok(FEWEST + carried),
        (true, _) => Err(wrong_length(4)),
        (false, [told, bytes @ ..]) if usize::from(*told) == carried && bytes.len() == carried => Ok(ECHO),
        (false, _) => Err(wrong_length(5 + carried)),
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    Some(pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Bytes as lower case hex digits.
pub(crate) fn hex_of_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
