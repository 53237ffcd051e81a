//! What names the things in the field.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::Timestamp;

/// A terminal's name: the 12 letters and digits its DTU registers with, upper case. Not always hexadecimal: a DTU
/// that registers with its IMEI is known by the last 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(String);

/// Why a text is not a [`Mac`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a terminal's mac is 12 letters or digits, this is not one: {0:?}")]
pub struct NotAMac(String);

impl Mac {
    /// The mac as the store and the API show it: upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let text = text.trim();
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(NotAMac(text.chars().take(40).collect()))
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = NotAMac;

    fn try_from(text: String) -> Result<Self, NotAMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A device's address on its terminal's line: 1 to 247 for Modbus, 0 for the one device of a 232 line.
pub type Pid = u8;

/// A gateway program's name, as its operator registered it.
pub type NodeName = String;

/// The most bytes that a name may have.
const MOST_NAME_BYTES: usize = 200;

/// Whether people may call something so: 1 to 200 bytes, not blank, none of them a control character.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MOST_NAME_BYTES && !text.contains(char::is_control)
}

/// A device: what answers at `pid` behind terminal `mac`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId {
    /// The terminal the device hangs on.
    pub mac: Mac,
    /// Its address on the line.
    pub pid: Pid,
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mac, self.pid)
    }
}

/// What a part of the platform itself cannot do without: a broker that needs its queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Need {
    /// The part: `broker:8081`, or `broker:<machine>:8081` where there are several.
    pub part: String,
    /// What it needs: `queue`, `store`, `spool`.
    pub needs: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.needs)
    }
}

/// What an alarm can be about. Its text form (`device:<mac>/<pid>`, `terminal:<mac>`, `node:<name>`,
/// `platform:<part>/<what it needs>`) is its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A device on a terminal's line.
    Device(DeviceId),
    /// A terminal.
    Terminal(Mac),
    /// A gateway program.
    Node(NodeName),
    /// A part of the platform, by something that it needs.
    Platform(Need),
}

impl Source {
    /// The terminal this is or hangs on; none for a node or a part of the platform.
    pub fn mac(&self) -> Option<&Mac> {
        match self {
            Self::Device(device) => Some(&device.mac),
            Self::Terminal(mac) => Some(mac),
            Self::Node(_) | Self::Platform(_) => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(f, "device:{device}"),
            Self::Terminal(mac) => write!(f, "terminal:{mac}"),
            Self::Node(name) => write!(f, "node:{name}"),
            Self::Platform(need) => write!(f, "platform:{need}"),
        }
    }
}

/// An id derived from what it names, so that doing the same thing again makes the same id: a ULID text whose time is
/// `at` and whose random part is the start of the SHA-256 of `parts`.
pub fn derived_id(at: Timestamp, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length goes first, so that ["ab", "c"] and ["a", "bc"] differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut random = [0; 16];
    random[6..].copy_from_slice(&digest[..10]);
    Ulid::from_parts(u64::try_from(at.0).unwrap_or(0), u128::from_be_bytes(random)).to_string()
}

/// What is no greater than any id that [`derived_id`] made of that time or a later one: where a range of ids begins.
pub fn least_id_of(at: Timestamp) -> String {
    Ulid::from_parts(u64::try_from(at.0).unwrap_or(0), 0).to_string()
}

/// The time in an id that [`derived_id`] made; none when the text is no such id.
pub fn time_of(id: &str) -> Option<Timestamp> {
    let ulid = Ulid::from_string(id).ok()?;
    i64::try_from(ulid.timestamp_ms()).ok().map(Timestamp)
}
