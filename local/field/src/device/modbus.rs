//! Frames of a Modbus device, from its own side of the line.

use domain::frame::crc16_modbus;
use rand::{RngExt as _, rngs::SmallRng, seq::index};

pub(super) const READ_HOLDING: u8 = 0x03;
pub(super) const READ_INPUT: u8 = 0x04;
pub(super) const WRITE_ONE: u8 = 0x06;

pub(super) const ILLEGAL_FUNCTION: u8 = 1;
pub(super) const ILLEGAL_ADDRESS: u8 = 2;
const DEVICE_FAILURE: u8 = 4;
const EXCEPTION: u8 = 0x80;

/// A request that is whole: eight bytes, which every function a sensor knows has.
pub(super) struct Request {
    pub(super) address: u8,
    pub(super) function: u8,
    pub(super) register: u16,
    /// How many registers to read, or what to write.
    pub(super) operand: u16,
}

/// Reads a request; a device ignores what is damaged.
pub(super) fn read_request(bytes: &[u8]) -> Option<Request> {
    let &[address, function, a, b, c, d, low, high] = bytes else { return None };
    let whole = crc16_modbus(&bytes[..6]) == u16::from_le_bytes([low, high]);
    let [register, operand] = [[a, b], [c, d]].map(u16::from_be_bytes);
    whole.then_some(Request { address, function, register, operand })
}

/// A frame: the bytes and their CRC.
pub(super) fn frame(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc16_modbus(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// The reply that carries registers.
pub(super) fn registers(request: &Request, values: &[u16]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let count = u8::try_from(data.len()).unwrap_or(u8::MAX);
    frame([&[request.address, request.function, count], data.as_slice()].concat())
}

/// The reply that refuses.
pub(super) fn exception(address: u8, function: u8, code: u8) -> Vec<u8> {
    frame(vec![address, function | EXCEPTION, code])
}

/// The refusal of a device that has failed inside.
pub(super) fn device_failure(request: &[u8]) -> Vec<u8> {
    let [address, function] = request.first_chunk().copied().unwrap_or([0, 0]);
    exception(address, function, DEVICE_FAILURE)
}

/// The same reply from the next address of the line, whole in itself.
pub(super) fn from_neighbour(reply: &[u8]) -> Vec<u8> {
    let Some(([address, rest @ ..], _crc)) = reply.split_last_chunk::<2>() else { return reply.to_vec() };
    frame([&[address % 247 + 1], rest].concat())
}

/// Flips one to three bits. CRC-16 finds every such error in a frame of this length.
pub(super) fn flip_bits(reply: &mut [u8], dice: &mut SmallRng) {
    let bits = reply.len() * 8;
    let flips = dice.random_range(1..=3).min(bits);
    for bit in index::sample(dice, bits, flips) {
        reply[bit / 8] ^= 1 << (bit % 8);
    }
}
