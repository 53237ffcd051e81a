//! What stands for bytes that are not kept.

use sha2::{Digest, Sha256};

/// The SHA-256 of bytes, as lower case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}
