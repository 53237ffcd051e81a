//! The files of the repository, for tests about them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The text of a file.
pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names of the Rust files in a folder, without their ending.
pub(crate) fn stems(folder: &str) -> BTreeSet<String> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// `plan_window` as a type or a resource is called: `PlanWindow`.
pub(crate) fn camel(snake: &str) -> String {
    snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// The cells of the rows of `docs/JOBS.md`, a row for each job.
pub(crate) fn job_rows() -> Vec<Vec<String>> {
    let docs = read("docs/JOBS.md");
    let rows = docs.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).skip(1).collect()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
