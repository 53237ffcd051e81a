//! Why bytes are not a reply.

use crate::Pid;

/// Why bytes that came back cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectedFrame {
    /// Nothing came.
    #[error("the reply is empty")]
    Empty,
    /// The beginning of a reply.
    #[error("the reply is cut off: {got} bytes where {expected} were asked for")]
    Short {
        /// Bytes asked for.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// More than any device says.
    #[error("the reply has {got} bytes, the most that is read is {most}")]
    TooLong {
        /// Bytes that came.
        got: usize,
        /// Bytes that are read.
        most: usize,
    },
    /// Damaged on the way.
    #[error("the CRC is wrong: {told:04x} in the reply, {computed:04x} over its bytes")]
    Crc {
        /// The CRC at the reply's end.
        told: u16,
        /// The CRC of the bytes before it.
        computed: u16,
    },
    /// Whole, but from another device of the line.
    #[error("device {address} answered instead")]
    Foreign {
        /// Who answered.
        address: Pid,
    },
    /// The device says that it cannot answer.
    #[error("the device refuses: Modbus exception {0}{name}", name = exception_name(*.0))]
    Exception(u8),
    /// Whole, but the answer to another instruction of the same protocol, which came too late for that one.
    #[error("an earlier instruction was answered instead: the reply came late")]
    Late,
    /// Whole, but an answer to another function.
    #[error("function {function:#04x} was answered instead")]
    WrongFunction {
        /// The function that was answered.
        function: u8,
    },
    /// Whole, but not as long as asked for.
    #[error("the reply has {got} bytes where {expected} were asked for")]
    Length {
        /// Bytes asked for.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The echo of a write names another place or value than was written.
    #[error("the device confirms another write than was asked for")]
    Echo,
    /// A text without its end, or with something after it.
    #[error("the reply's first carriage return is not its last byte")]
    NoTerminator,
    /// A text line brought bytes that are no text.
    #[error("the reply is not UTF-8 text")]
    NotText,
    /// A text with fewer words than the protocol reads: words were lost, so the others may stand in the wrong place.
    #[error("the reply has {got} words where the protocol reads {expected}")]
    Words {
        /// Words the protocol reads.
        expected: usize,
        /// Words that came.
        got: usize,
    },
    /// The protocol's script does not believe it.
    #[error("the protocol's script refuses the reply")]
    ScriptRefused,
    /// The protocol's script came to nothing over it.
    #[error("the protocol's script failed on the reply: {0}")]
    ScriptFailed(String),
    /// A reply to something that the protocol does not ask of this device.
    #[error("the protocol asks no such instruction of this device")]
    UnknownInstruction,
}

impl RejectedFrame {
    /// A name for counters; it never changes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Short { .. } => "short",
            Self::TooLong { .. } => "too_long",
            Self::Crc { .. } => "crc",
            Self::Foreign { .. } => "foreign",
            Self::Exception(_) => "exception",
            Self::Late => "late",
            Self::WrongFunction { .. } => "wrong_function",
            Self::Length { .. } => "length",
            Self::Echo => "echo",
            Self::NoTerminator => "no_terminator",
            Self::NotText => "not_text",
            Self::Words { .. } => "words",
            Self::ScriptRefused => "script_refused",
            Self::ScriptFailed(_) => "script_failed",
            Self::UnknownInstruction => "unknown_instruction",
        }
    }
}

/// What the standard calls an exception code.
fn exception_name(code: u8) -> &'static str {
    match code {
        1 => " (illegal function)",
        2 => " (illegal data address)",
        3 => " (illegal data value)",
        4 => " (device failure)",
        5 => " (acknowledge, still working)",
        6 => " (device busy)",
        8 => " (memory parity error)",
        10 => " (gateway path unavailable)",
        11 => " (gateway target does not respond)",
        _ => "",
    }
}
