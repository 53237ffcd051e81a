//! What a faulty line or device says in place of the honest reply.

use domain::protocol::Line;
use rand::{RngExt as _, rngs::SmallRng};

use super::{modbus, ups};

/// The reply with one to three flipped bits, which no CRC misses; or a text without its end.
pub(crate) fn damaged(line: Line, mut reply: Vec<u8>, dice: &mut SmallRng) -> Vec<u8> {
    match line {
        Line::Rs485 => modbus::flip_bits(&mut reply, dice),
        Line::Rs232 => reply.truncate(dice.random_range(1..reply.len().max(2))),
    }
    reply
}

/// What someone else said, or what was said to something else.
pub(crate) fn foreign(line: Line, request: &[u8], reply: &[u8]) -> Vec<u8> {
    match line {
        Line::Rs485 => modbus::from_neighbour(reply),
        Line::Rs232 => ups::late_answer(request),
    }
}

/// "I cannot."
pub(crate) fn refusing(line: Line, request: &[u8]) -> Vec<u8> {
    match line {
        Line::Rs485 => modbus::device_failure(request),
        Line::Rs232 => ups::REFUSAL.to_vec(),
    }
}
