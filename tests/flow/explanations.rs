//! From the bytes on the line to the receipt: why an alarm is, and who was told.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use boot::SystemClock;
use domain::alarm::{Comparison, Condition, Frame, Rule, Severity, Target};
use engine_embedded::Engine;
use jobs::{EvaluateAlarms, Job, ProcessResults, report::Event};
use records::{
    Clock,
    alarms::{self, Alarm, Cause, CausingFact, Which},
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Scope, rule_id},
    explanation::{ExplainedStep, could_hear, explain},
    notices::NoticeStatus,
    protocols,
};
use serde_json::{Value, json};
use table::EmbeddedTable;
use telltale_tests::{
    ManualClock,
    flow::{CLIMATE, Flow, device, mac},
    telltale_command,
};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";
/// The sensor's reply at 25.0 ℃ and 60.0 %, as it comes over the line.
const AT_25: &str = "01030400fa0258da98";
/// The same at 40.0 ℃.
const AT_40: &str = "01030401900258fb78";

fn warm(to: f64, version: u64) -> AlertRule {
    let condition = Condition::Compare { name: "temperature".to_owned(), is: Comparison::Greater, to, deadband: 0.0 };
    AlertRule {
        id: ID.to_owned(),
        name: "Warm".to_owned(),
        owner: None,
        target: Target::Device,
        scope: Scope::Everywhere,
        replaces: None,
        enabled: true,
        recipients: Recipients::default(),
        rule: Rule::new(rule_id(None, ID), condition, Severity::Warning),
        version,
        changed_at: domain::Timestamp(0),
        changed_by: "root".to_owned(),
    }
}

/// Changes a rule, and waits until that is in force.
async fn change(flow: &Flow, change: Change) {
    let changed = alert_rules::change(flow.cx.table.as_ref(), &[change], flow.now()).await.unwrap();
    assert_eq!(changed, Changed::Done);
    flow.after(Duration::from_secs(11)).await;
}

/// The newest alarm.
async fn newest(flow: &Flow) -> Alarm {
    alarms::list(flow.cx.table.as_ref(), Which::All, 1, None).await.unwrap().items.remove(0)
}

/// What changed the newest alarm, with the notices of all who could hear.
async fn steps(flow: &Flow) -> Vec<ExplainedStep> {
    let (table, alarm) = (flow.cx.table.as_ref(), newest(flow).await);
    let people = could_hear(table, &alarm).await.unwrap();
    let explanation = explain(table, alarm, &people).await.unwrap();
    assert!(explanation.is_whole);
    explanation.steps
}

fn cause(step: &ExplainedStep) -> &Cause {
    step.transition.cause.as_ref().unwrap()
}

/// What was seen, in short: its kind, whether it was before, how many frames it has, and its values.
fn seen(fact: &CausingFact) -> (&str, bool, usize, String) {
    let values: Vec<String> = fact.fact.values().iter().map(|it| format!("{} {}", it.name, it.display)).collect();
    (fact.fact.kind(), fact.began, fact.frames.kept.len(), values.join(", "))
}

#[tokio::test]
async fn an_alarm_leads_back_to_the_bytes_on_the_line_and_on_to_its_receipts() {
    let flow = Flow::new().await;
    change(&flow, Change::create(warm(24.0, 1))).await;
    flow.sensor_says(25.0).await;
    let steps = steps(&flow).await;
    assert_eq!(steps.len(), 1);
    let facts = &cause(&steps[0]).facts;
    assert_eq!(facts.iter().map(seen).collect::<Vec<_>>(), [("values", false, 1, "temperature 25".to_owned())]);
    let frame = Frame { sent: CLIMATE.to_owned(), reply: AT_25.to_owned(), rejected: None };
    assert_eq!((facts[0].frames.kept.as_slice(), facts[0].frames.left_out), ([frame].as_slice(), 0));
    let mut told: Vec<_> = steps[0].notices.iter().map(|it| (it.user.as_str(), it.channel.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [("tech", "email"), ("tech", "webhook")]);
    for notice in &steps[0].notices {
        assert_eq!((notice.status, notice.attempts.len()), (NoticeStatus::Sent, 1), "{notice:?}");
        assert!(!notice.attempts[0].outcome.is_empty());
    }
}

#[tokio::test]
async fn a_rule_that_was_changed_since_is_shown_as_it_was() {
    let flow = Flow::new().await;
    change(&flow, Change::create(warm(24.0, 1))).await;
    flow.sensor_says(25.0).await;
    change(&flow, Change::replace(warm(24.0, 1), warm(20.0, 2))).await;
    flow.sensor_says(19.0).await;
    let rules: Vec<(Option<u64>, Value)> = steps(&flow)
        .await
        .iter()
        .map(|step| &cause(step).rules[0])
        .map(|rule| (rule.version, rule.definition.clone().unwrap()["condition"]["to"].clone()))
        .collect();
    assert_eq!(rules, [(Some(1), json!(24.0)), (Some(2), json!(20.0))]);
}

#[tokio::test]
async fn a_common_rule_is_told_from_what_it_is_later_by_its_fingerprint() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    let mut constants = serde_json::from_str::<Value>(include_str!("../fixtures/th-modbus.constants.json")).unwrap();
    constants["Threshold"][0]["max"] = json!(35);
    protocols::put_constants(flow.cx.table.as_ref(), &serde_json::from_value(constants).unwrap()).await.unwrap();
    flow.after(Duration::from_secs(11)).await;
    flow.sensor_says(25.0).await;
    let steps = steps(&flow).await;
    let [before, after] = [&steps[0], &steps[1]].map(|step| cause(step).rules[0].clone());
    assert_eq!((before.id.as_str(), before.version), ("threshold:temperature", None));
    let (one, other) = (before.fingerprint.unwrap(), after.fingerprint.unwrap());
    assert_eq!((one.len(), one.chars().all(|digit| digit.is_ascii_hexdigit())), (12, true), "{one}");
    assert_ne!(one, other);
    let [before, after] = [before.definition, after.definition].map(|rule| rule.unwrap()["condition"]["max"].clone());
    assert_eq!((before, after), (json!(30.0), json!(35.0)));
}

#[tokio::test]
async fn an_alarm_that_time_raised_shows_the_reading_that_began_it() {
    let flow = Flow::new().await;
    let rule = warm(24.0, 1);
    let patient = AlertRule { rule: rule.rule.clone().held_for(Duration::from_secs(20)), ..rule };
    change(&flow, Change::create(patient)).await;
    flow.sensor_says(25.0).await;
    flow.after(Duration::from_secs(5)).await;
    flow.sensor_says(26.0).await;
    flow.after(Duration::from_secs(20)).await;
    let steps = steps(&flow).await;
    let facts: Vec<_> = cause(&steps[0]).facts.iter().map(seen).collect();
    let began = ("values", true, 1, "temperature 25".to_owned());
    assert_eq!(facts, [began, ("tick", false, 0, String::new())]);
    assert_eq!(cause(&steps[0]).facts[0].frames.kept[0].reply, AT_25);
    assert_eq!(cause(&steps[0]).facts[0].at, newest(&flow).await.raised_at);
    let watch = alarms::watch(flow.cx.table.as_ref(), &newest(&flow).await.source).await.unwrap().value;
    assert_eq!(watch.began, [], "it is remembered no longer than it is needed");
}

#[tokio::test]
async fn silence_has_no_frames_and_what_nobody_said_is_time_that_passed() {
    let flow = Flow::new().await;
    let rule = warm(0.0, 1);
    let condition = Condition::NoData { after: Duration::from_secs(30) };
    change(&flow, Change::create(AlertRule { rule: Rule { condition, ..rule.rule.clone() }, ..rule })).await;
    flow.sensor_says(25.0).await;
    flow.after(Duration::from_secs(32)).await;
    let raised = steps(&flow).await.remove(0);
    assert_eq!(cause(&raised).facts.iter().map(seen).collect::<Vec<_>>(), [("tick", false, 0, String::new())]);
    assert_eq!(cause(&raised).facts[0].words().as_deref(), Some("time passed"));
    flow.sensor_misses(11).await;
    let timeout = steps(&flow).await.remove(0);
    assert_eq!(cause(&timeout).facts.iter().map(seen).collect::<Vec<_>>(), [("missed", false, 0, String::new())]);
    assert_eq!(cause(&timeout).rules[0].id, "timeout");
}

#[tokio::test]
async fn a_newer_reading_that_was_known_already_is_part_of_why() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    flow.sleeps(Duration::from_secs(5));
    flow.reports([flow.answer(40.0)]).await;
    let hot = flow.takes_out(ProcessResults::NAME, EvaluateAlarms::NAME).await;
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(25.0).await;
    flow.cx.queue.enqueue(hot).await.unwrap();
    flow.settle().await;
    let step = steps(&flow).await.remove(0);
    assert_eq!(step.transition.changes.len(), 2, "it was raised, and is over");
    let facts: Vec<_> = cause(&step).facts.iter().map(seen).collect();
    // Frames are not kept with the latest values.
    let newer = ("values", false, 0, "temperature 25".to_owned());
    assert_eq!(facts, [("values", false, 1, "temperature 40".to_owned()), newer]);
}

#[tokio::test]
async fn a_late_reading_says_what_came_over_the_line_and_a_miss_says_nothing() -> Result<()> {
    let flow = Flow::new().await;
    let Event::Answered(answer) = flow.answer(40.0) else { anyhow::bail!("it is an answer") };
    let late = Event::Answered(jobs::report::Answer { overtaken: true, ..answer });
    let missed = Event::Missed { mac: mac(), pid: 1, count: Some(3), asked: None };
    flow.reports([late, missed]).await;
    let taken = flow.takes_out(ProcessResults::NAME, EvaluateAlarms::NAME).await;
    let evidence: Vec<_> = taken
        .iter()
        .flat_map(|message| serde_json::from_slice::<EvaluateAlarms>(&message.body).unwrap().evidence)
        .filter(|evidence| evidence.source == domain::Source::Device(device(1)))
        .collect();
    let frames: Vec<(&str, bool, Vec<&str>)> = evidence
        .iter()
        .map(|it| (it.fact.kind(), it.late, it.frames.kept.iter().map(|frame| frame.reply.as_str()).collect()))
        .collect();
    assert_eq!(frames, [("values", true, vec![AT_40]), ("missed", false, Vec::new())]);
    Ok(())
}

#[tokio::test]
async fn the_command_line_explains_an_alarm_of_a_store_at_rest() -> Result<()> {
    let data = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let alarm = {
        let engine = Engine::open(data.path().join("store"))?;
        let table = Arc::new(EmbeddedTable::new(engine, Arc::clone(&clock) as _)?);
        let flow = Flow::on(table, clock, |_| {}).await;
        flow.sensor_says(40.0).await;
        newest(&flow).await.id
    };
    let text = told(data.path(), &[&alarm])?;
    let lines = [
        format!("alarm {alarm}  warning  device:98D863CC870D/1  threshold:temperature"),
        format!("  frame  {CLIMATE} -> {AT_40}"),
        "  value  temperature 40 ℃".to_owned(),
        "  rule   threshold:temperature fingerprint ".to_owned(),
        "  change raised at ".to_owned(),
        "  told   tech by email at ".to_owned(),
    ];
    for line in lines {
        assert!(text.contains(&line), "{line:?} is missing in\n{text}");
    }
    let json: Value = serde_json::from_str(&told(data.path(), &["--json", &alarm.to_lowercase()])?)?;
    assert_eq!(json["steps"][0]["cause"]["facts"][0]["frames"][0]["reply"], AT_40);
    assert_eq!((&json["alarm"]["id"], &json["whole"]), (&json!(alarm), &json!(true)));
    for (id, why) in [("nonsense", "\"nonsense\" is no alarm's id"), (ID, "there is no alarm 01JZ")] {
        let error = told(data.path(), &[id]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    Ok(())
}

/// What `telltale explain` prints; what it complains of is the error.
fn told(data: &Path, arguments: &[&str]) -> Result<String> {
    let output = telltale_command()?.arg("explain").args(arguments).env_clear().env("TELLTALE_DATA", data).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
