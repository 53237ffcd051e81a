//! What each job is asked by: a queue, or the schedule. And where its work goes when it is given up.

use serde_json::{Value, json};

use super::stack::{Job, all, jobs, properties, target};

/// How often Lambda runs what a schedule asked for, at most.
const MOST_RUNS: u64 = 3;
const FOURTEEN_DAYS: u64 = 14 * 24 * 60 * 60;

#[test]
fn a_queue_gives_its_job_batches_of_ten_each_message_of_which_may_fail_alone() {
    for job in queued() {
        let mapping = only("AWS::Lambda::EventSourceMapping", |mapping| is(&mapping["FunctionName"], &job, "Function"));
        assert_eq!(target(&mapping["EventSourceArn"]), Some(&*format!("{}Queue", job.resource)), "{}", job.name);
        assert_eq!(mapping["BatchSize"], 10, "{}", job.name);
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{}", job.name);
        assert_ne!(mapping["Enabled"], false, "{}", job.name);
    }
    assert_eq!(all("AWS::Lambda::EventSourceMapping").len(), queued().len());
}

#[test]
fn a_message_comes_again_only_after_six_times_the_timeout_of_the_function() {
    for job in queued() {
        let timeout = properties("AWS::Lambda::Function", &format!("{}Function", job.resource))["Timeout"].as_u64();
        let queue = properties("AWS::SQS::Queue", &format!("{}Queue", job.resource));
        assert_eq!(queue["VisibilityTimeout"].as_u64(), timeout.map(|timeout| 6 * timeout), "{}", job.name);
    }
}

#[test]
fn a_message_is_a_dead_letter_of_its_job_after_as_many_attempts_as_the_docs_say() {
    for job in queued() {
        let redrive = &properties("AWS::SQS::Queue", &format!("{}Queue", job.resource))["RedrivePolicy"];
        assert!(is(&redrive["deadLetterTargetArn"], &job, "DeadLetters"), "{}: {redrive}", job.name);
        assert_eq!(redrive["maxReceiveCount"], job.attempts, "{}", job.name);
    }
}

#[test]
fn the_schedule_asks_for_its_jobs_each_minute() {
    for job in scheduled() {
        let rule = only("AWS::Events::Rule", |rule| is(&rule["Targets"][0]["Arn"], &job, "Function"));
        assert_eq!(rule["ScheduleExpression"], "cron(* * * * ? *)", "{}", job.name);
        assert_eq!(rule["Targets"].as_array().map(Vec::len), Some(1), "{}", job.name);
        let permission =
            only("AWS::Lambda::Permission", |permission| is(&permission["FunctionName"], &job, "Function"));
        assert_eq!(permission["Principal"], "events.amazonaws.com", "{}", job.name);
    }
    assert_eq!(all("AWS::Events::Rule").len(), scheduled().len());
}

#[test]
fn a_tick_that_fails_as_often_as_the_docs_say_is_a_dead_letter_of_its_job() {
    for job in scheduled() {
        let config = only("AWS::Lambda::EventInvokeConfig", |config| is(&config["FunctionName"], &job, "Function"));
        assert_eq!(config["MaximumRetryAttempts"], job.attempts.min(MOST_RUNS) - 1, "{}", job.name);
        // Lambda waits a minute before the second run, and two before the third.
        assert!(config["MaximumEventAgeInSeconds"].as_u64() > Some(60 + 120), "{}: {config}", job.name);
        let destination = &config["DestinationConfig"]["OnFailure"]["Destination"];
        assert!(is(destination, &job, "DeadLetters"), "{}: {destination}", job.name);
    }
}

#[test]
fn dead_letters_are_kept_for_fourteen_days() {
    for job in jobs() {
        let letters = properties("AWS::SQS::Queue", &format!("{}DeadLetters", job.resource));
        assert_eq!(letters["MessageRetentionPeriod"], FOURTEEN_DAYS, "{}", job.name);
        assert!(letters.get("RedrivePolicy").is_none(), "dead letters of {} go on", job.name);
    }
}

#[test]
fn every_queue_belongs_to_a_job_and_is_encrypted() {
    for (name, queue) in all("AWS::SQS::Queue") {
        let owner = name.strip_suffix("Queue").or(name.strip_suffix("DeadLetters"));
        assert!(jobs().iter().any(|job| Some(job.resource.as_str()) == owner), "{name} belongs to no job");
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
}

#[test]
fn the_table_is_paid_by_use_forgets_what_is_due_and_can_be_set_back() {
    let table = properties("AWS::DynamoDB::Table", "Table");
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "ttl", "Enabled": true }));
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({ "PointInTimeRecoveryEnabled": true }));
    for (name, table) in all("AWS::DynamoDB::Table") {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(table[policy], "Retain", "{policy} of {name}");
        }
    }
}

fn queued() -> Vec<Job> {
    jobs().into_iter().filter(|job| !job.is_scheduled).collect()
}

fn scheduled() -> Vec<Job> {
    let scheduled: Vec<Job> = jobs().into_iter().filter(|job| job.is_scheduled).collect();
    assert!(!scheduled.is_empty(), "docs/JOBS.md says which jobs the schedule asks for");
    scheduled
}

/// Whether a value speaks of a job's resource of that kind.
fn is(value: &Value, job: &Job, kind: &str) -> bool {
    target(value) == Some(&*format!("{}{kind}", job.resource))
}

/// The properties of the one resource of a type that is wanted.
fn only(kind: &str, wanted: impl Fn(&Value) -> bool) -> &'static Value {
    let mut found = all(kind).into_iter().map(|(_, resource)| &resource["Properties"]).filter(|found| wanted(found));
    match (found.next(), found.next()) {
        (Some(found), None) => found,
        (one, _) => panic!("there is {} {kind}", if one.is_some() { "more than one" } else { "no" }),
    }
}
