//! A job has one name in five places: its file, its worker, its row in the docs, and, on AWS, its function and resource.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Jobs that the schedule asks for, so that on AWS no queue does.
const SCHEDULED: [&str; 2] = ["plan_window", "sweep"];

#[test]
fn every_job_has_a_worker_in_the_one_binary() {
    let workers = read("local/src/workers.rs");
    for job in jobs() {
        assert!(workers.contains(&format!("<{}>", camel(&job))), "{job} has no worker in local/src/workers.rs");
    }
}

#[test]
fn every_job_is_in_the_list_of_jobs() {
    assert_eq!(BTreeSet::from(jobs::JOB_NAMES.map(str::to_owned)), jobs());
}

#[test]
fn every_job_has_a_row_in_the_docs_and_every_row_a_job() {
    let rows: BTreeSet<String> = read("docs/JOBS.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(rows, jobs());
}

#[test]
fn every_job_has_a_function_with_its_resource_queue_and_dead_letters() {
    let template = read("template.yaml");
    assert_eq!(stems("functions/src/bin"), jobs());
    for job in jobs() {
        let name = camel(&job);
        let mut expected = vec![
            format!("        Binary: {job}\n"),
            format!("\n  {name}Function:\n"),
            format!("\n  {name}Logs:\n"),
            format!("\n  {name}DeadLetters:\n"),
        ];
        if SCHEDULED.contains(&job.as_str()) {
            expected.push(format!("Destination: !GetAtt {name}DeadLetters.Arn"));
        } else {
            expected.push(format!("\n  {name}Queue:\n"));
            expected.push(format!("deadLetterTargetArn: !GetAtt {name}DeadLetters.Arn"));
            expected.push(format!("TELLTALE_DEAD_LETTERS: !Ref {name}DeadLetters\n"));
        }
        for part in expected {
            assert_eq!(template.matches(&part).count(), 1, "of {job}, template.yaml lacks: {part}");
        }
    }
    assert_eq!(template.matches("Binary: ").count(), jobs().len(), "template.yaml has a resource without a job");
}

#[test]
fn a_job_is_named_like_its_file() {
    for job in jobs() {
        let file = read(&format!("jobs/handlers/src/{job}.rs"));
        assert!(
            file.contains(&format!("const NAME: &'static str = \"{job}\";")),
            "{job}.rs holds a job of another name"
        );
    }
}

/// The files that hold a job.
fn jobs() -> BTreeSet<String> {
    let is_job = |name: &String| read(&format!("jobs/handlers/src/{name}.rs")).contains("\nimpl Job for ");
    stems("jobs/handlers/src").into_iter().filter(is_job).collect()
}

fn stems(folder: &str) -> BTreeSet<String> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn camel(snake: &str) -> String {
    snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
