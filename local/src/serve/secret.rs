//! The key that sign-ins are signed with: made at the first start, kept in the data folder, for its owner's eyes only.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, ensure};
use jobs::ports::Dice;

const BYTES: usize = 32;

/// The signing key of this data folder.
pub(super) fn signing_key(data: &Path, dice: &dyn Dice) -> anyhow::Result<Vec<u8>> {
    let file = data.join("signing-key");
    match fs::read(&file) {
        Ok(key) => {
            ensure!(key.len() == BYTES, "{} is damaged: remove it, and everybody signs in anew", file.display());
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => make(&file, dice),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn make(file: &Path, dice: &dyn Dice) -> anyhow::Result<Vec<u8>> {
    let key: Vec<u8> = std::iter::repeat_with(|| dice.roll().to_be_bytes()).flatten().take(BYTES).collect();
    let mut options = OpenOptions::new();
    let mut made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot make {}", file.display()))?;
    made.write_all(&key)?;
    made.sync_all()?;
    Ok(key)
}
