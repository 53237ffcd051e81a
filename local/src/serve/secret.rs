//! The key that sign-ins are signed with: made at the first start, kept in the data folder, for its owner's eyes only; or in
//! Redis, where those who must know it share no folder.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, ensure};
use engine_redis::Redis;
use jobs::ports::Dice;

const BYTES: usize = 32;

/// The signing key of this data folder.
pub(super) fn signing_key(data: &Path, dice: &dyn Dice) -> anyhow::Result<Vec<u8>> {
    let file = data.join("signing-key");
    match file.try_exists() {
        Ok(false) => make(&file, dice),
        _ => signing_key_of(&file),
    }
}

/// The signing key of all who meet at this Redis. Who can read it there could give gateways orders as well.
pub(super) async fn shared_signing_key(redis: &Redis, dice: &dyn Dice) -> anyhow::Result<Vec<u8>> {
    let name = redis.key("signing-key");
    let key: Vec<u8> = redis.kept(&name, new_key(dice)).await?;
    ensure!(key.len() == BYTES, "{name} in redis is damaged: remove it, and everybody signs in anew");
    Ok(key)
}

fn new_key(dice: &dyn Dice) -> Vec<u8> {
    std::iter::repeat_with(|| dice.roll().to_be_bytes()).flatten().take(BYTES).collect()
}

/// Made whole under another name first: two processes that start at once agree on the one that was there first.
fn make(file: &Path, dice: &dyn Dice) -> anyhow::Result<Vec<u8>> {
    let key = new_key(dice);
    let draft = file.with_extension(format!("{:016x}", dice.roll()));
    let cannot = || format!("cannot make {}", file.display());
    let mut options = OpenOptions::new();
    let mut made = options.write(true).create_new(true).mode(0o600).open(&draft).with_context(cannot)?;
    made.write_all(&key)?;
    made.sync_all()?;
    let placed = fs::hard_link(&draft, file);
    fs::remove_file(&draft).with_context(cannot)?;
    match placed {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => signing_key_of(file),
        Err(error) => Err(error).with_context(cannot),
    }
}

fn signing_key_of(file: &Path) -> anyhow::Result<Vec<u8>> {
    let key = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(key.len() == BYTES, "{} is damaged: remove it, and everybody signs in anew", file.display());
    Ok(key)
}
