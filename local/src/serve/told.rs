//! What was told of and has not ended, in a file: whoever comes after this process tells the end.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use broker::{Memory, Outage};

/// A file, and what is in it.
pub(super) struct ToldFile {
    file: PathBuf,
    told: Mutex<Vec<Outage>>,
}

impl ToldFile {
    /// What is in `file`; nothing when it is not there, or cannot be understood.
    pub(super) fn open(file: PathBuf) -> Self {
        let told = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "{} says nothing of what was told", file.display());
                Vec::new()
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "{} cannot be read", file.display());
                Vec::new()
            }
        };
        Self { file, told: Mutex::new(told) }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Outage>)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut told);
        if let Err(error) = write(&self.file, &told) {
            // The disk may be what is away. Who comes after tells no end then.
            tracing::warn!(%error, "what was told cannot be written to {}", self.file.display());
        }
    }
}

impl Memory for ToldFile {
    fn told(&self) -> Vec<Outage> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, outage: &Outage) {
        self.change(|told| told.push(outage.clone()));
    }

    fn forget(&self, outage: &Outage) {
        self.change(|told| told.retain(|other| other != outage));
    }
}

/// All of it, or nothing; no file where nothing is told.
fn write(file: &Path, told: &[Outage]) -> std::io::Result<()> {
    if told.is_empty() {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let draft = file.with_extension("new");
    fs::write(&draft, serde_json::to_vec(told)?)?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use domain::{Need, Timestamp};

    use super::*;

    #[test]
    fn what_was_told_is_known_to_the_next_process_until_its_end_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("8081.told");
        let outage = |needs: &str| Outage {
            need: Need { part: "broker:8081".to_owned(), needs: needs.to_owned() },
            since: Timestamp(1_700_000_000_000),
            why: "it does not answer".to_owned(),
        };
        let (queue, store) = (outage("queue"), outage("store"));
        let told = ToldFile::open(file.clone());
        told.keep(&queue);
        told.keep(&store);
        drop(told);

        let told = ToldFile::open(file.clone());
        assert_eq!(told.told(), [queue.clone(), store.clone()]);
        told.forget(&queue);
        assert_eq!(ToldFile::open(file.clone()).told(), std::slice::from_ref(&store));
        told.forget(&store);
        assert!(!file.exists());

        fs::write(&file, "{").unwrap();
        assert_eq!(ToldFile::open(file).told(), []);
    }
}
