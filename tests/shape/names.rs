//! A job has one name in five places: its file, its worker, its row in the docs, and, on AWS, its function and resource.
//! What `template.yaml` has of it, `tests/template` looks at.

use std::collections::BTreeSet;

use crate::sources::{camel, job_rows, read, stems};

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
    let rows: BTreeSet<String> = job_rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(rows, jobs());
}

#[test]
fn every_job_has_a_program_for_lambda() {
    let programs = stems("functions/src/bin");
    for job in jobs() {
        assert!(programs.contains(&job), "{job} has no program in functions/src/bin");
    }
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
