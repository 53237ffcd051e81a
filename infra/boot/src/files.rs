//! How many files the system lets this process have: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are not for connections: the store's, the log's, calls to others.
const RESERVED: u64 = 512;

/// Of few files, this share is for connections.
const SHARE_OF_FEW: u64 = 2;

/// The most connections to have at a time: as many as wished, or as many as the files allow. Asks the system for all the
/// files that it lets a process have.
pub fn most_connections(wished: u32) -> usize {
    let limits = getrlimit(Resource::Nofile);
    let wanted = limits.maximum.unwrap_or(u64::MAX);
    // Where this is refused, there are as many files as before.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limits.maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(room(files)).unwrap_or(usize::MAX).min(usize::try_from(wished).unwrap_or(usize::MAX));
    if most < usize::try_from(wished).unwrap_or(usize::MAX) {
        tracing::warn!(
            files,
            "the system lets this process have {files} files (ulimit -n): it takes {most} connections at a time, not {wished}"
        );
    }
    most
}

fn room(files: u64) -> u64 {
    files.saturating_sub(RESERVED).max(files / SHARE_OF_FEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_keeps_files_of_its_own() {
        assert_eq!([20_000, 1024, 256, 2].map(room), [19_488, 512, 128, 1]);
    }
}
