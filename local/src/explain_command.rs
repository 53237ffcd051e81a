//! `telltale explain`: how an alarm came about, and who was told.

use anyhow::Context as _;
use api::explanation::as_json;
use boot::SystemClock;
use domain::{
    alarm::{Change, Frames, Observed, SourceState},
    identity::time_of,
    reading::Quality,
};
use records::{
    Clock, Table,
    alarms::{self, Alarm, Cause, CausingFact, CausingRule},
    explanation::{ExplainedStep, Explanation, could_hear, explain},
    notices::{Attempt, Notice, NoticeStatus},
};

use crate::{cli::ExplainArguments, config::Config, site::table_of};

/// `telltale explain`.
pub(crate) async fn command(arguments: ExplainArguments) -> anyhow::Result<()> {
    boot::init_log("warn");
    let id = arguments.alarm.to_ascii_uppercase();
    anyhow::ensure!(
        time_of(&id).is_some(),
        "{:?} is no alarm's id: those have 26 letters and digits, as GET /api/alarms and notices show them",
        arguments.alarm
    );
    let config = Config::load(arguments.config.as_deref())?;
    let table = table_of(&config).await?;
    let explanation = explanation(table.as_ref(), &id).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&as_json(explanation, SystemClock.now())?)?);
    } else {
        print!("{}", text(&explanation));
    }
    Ok(())
}

async fn explanation(table: &dyn Table, id: &str) -> anyhow::Result<Explanation> {
    let alarm = alarms::get(table, id).await?.with_context(|| format!("there is no alarm {id} in this store"))?.value;
    let people = could_hear(table, &alarm).await?;
    Ok(explain(table, alarm, &people).await?)
}

fn text(explanation: &Explanation) -> String {
    let Explanation { alarm, state, steps, is_whole } = explanation;
    let nothing = "no transition of it is kept: they are for 90 days".to_owned();
    let end = if *is_whole { None } else { Some("more than this: some of it was left out".to_owned()) };
    let lines: Vec<String> = head(alarm)
        .into_iter()
        .chain(standing(alarm, state))
        .chain(steps.iter().flat_map(step_lines))
        .chain(steps.is_empty().then_some(nothing))
        .chain(end)
        .collect();
    // What others said may hold what a terminal would obey.
    let lines: Vec<String> = lines.iter().map(|line| line.replace(char::is_control, " ")).collect();
    lines.join("\n") + "\n"
}

fn head(alarm: &Alarm) -> [String; 3] {
    let Alarm { id, source, rule, severity, detail, raised_at, cleared_at, .. } = alarm;
    let end = cleared_at.map_or("it stands".to_owned(), |at| format!("over at {}", at.rfc3339()));
    [
        format!("alarm {id}  {severity}  {source}  {rule}"),
        format!("  {detail}"),
        format!("  since {}, {end}", raised_at.rfc3339()),
    ]
}

/// What an active alarm's source says of it beside.
fn standing(alarm: &Alarm, state: &SourceState) -> Vec<String> {
    let is_active = alarm.cleared_at.is_none();
    let unknown = state.unknown.as_ref().filter(|_| is_active);
    let unknown = unknown.map(|cause| format!("  nothing is known of it at present: {cause} is lost"));
    let quiet = state.out_of_service(&alarm.rule, SystemClock.now());
    let quiet = quiet.filter(|_| is_active).map(|quiet| format!("  out of service, by {}", quiet.by));
    unknown.into_iter().chain(quiet).collect()
}

fn step_lines(step: &ExplainedStep) -> Vec<String> {
    let ExplainedStep { transition, notices } = step;
    let title = format!("{}  transition {}", transition.at.rfc3339(), transition.id);
    let cause = match &transition.cause {
        Some(cause) => cause_lines(cause),
        None => vec!["  why was not kept".to_owned()],
    };
    let told: Vec<String> = match notices.as_slice() {
        [] => vec!["  told nobody".to_owned()],
        notices => notices.iter().flat_map(notice_lines).collect(),
    };
    let changes = transition.changes.iter().map(change_line);
    [String::new(), title].into_iter().chain(cause).chain(changes).chain(told).collect()
}

fn cause_lines(cause: &Cause) -> Vec<String> {
    let rules = cause.rules.iter().flat_map(rule_lines);
    cause.facts.iter().flat_map(fact_lines).chain(rules).collect()
}

fn fact_lines(seen: &CausingFact) -> Vec<String> {
    let began = if seen.began { "began with " } else { "" };
    let words = seen.words().map(|words| format!(": {words}")).unwrap_or_default();
    let title = format!("  seen   {began}{} of {}{words}", seen.fact.kind(), seen.at.rfc3339());
    let more = Some(seen.values_left_out).filter(|count| *count > 0).map(|count| format!("  value  and {count} more"));
    let values = seen.fact.values().iter().map(value_line);
    [title].into_iter().chain(frame_lines(&seen.frames)).chain(values).chain(more).collect()
}

fn frame_lines(frames: &Frames) -> Vec<String> {
    let Frames { kept, left_out } = frames;
    let lines = kept.iter().map(|frame| {
        let rejected = frame.rejected.as_ref().map(|why| format!("  not believed: {why}")).unwrap_or_default();
        format!("  frame  {} -> {}{rejected}", frame.sent, frame.reply)
    });
    let more =
        Some(*left_out).filter(|count| *count > 0).map(|count| format!("  frame  and {count} that are not kept"));
    lines.chain(more).collect()
}

fn value_line(value: &Observed) -> String {
    let quality = if value.quality == Quality::Good { "" } else { "  not believed" };
    format!("  value  {} {} {}{quality}", value.name, value.display, value.unit).trim_end().to_owned()
}

fn rule_lines(rule: &CausingRule) -> Vec<String> {
    let which = match (rule.version, &rule.fingerprint) {
        (Some(version), _) => format!("version {version}"),
        (None, Some(fingerprint)) => format!("fingerprint {fingerprint}"),
        (None, None) => String::new(),
    };
    let definition = rule.definition.iter().map(|definition| format!("         {definition}"));
    [format!("  rule   {} {which}", rule.id)].into_iter().chain(definition).collect()
}

fn change_line(change: &Change) -> String {
    let kind = serde_json::to_value(change.kind).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
    let by = change.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let untold = if change.is_told() { "" } else { "  (for the record)" };
    let Change { severity, at, detail, .. } = change;
    format!("  change {}{by} at {}, {severity}: {detail}{untold}", kind.unwrap_or_default(), at.rfc3339())
}

fn notice_lines(notice: &Notice) -> Vec<String> {
    let Notice { id, user, channel, at, status, attempts, .. } = notice;
    let status = match status {
        NoticeStatus::Waiting => "waiting",
        NoticeStatus::Sent => "sent",
        NoticeStatus::Failed => "failed",
    };
    let said = |attempt: &Attempt| format!("         {} {}", attempt.at.rfc3339(), attempt.outcome);
    let receipts = attempts.iter().map(said);
    [format!("  told   {user} by {channel} at {}: {status}  notice {id}", at.rfc3339())]
        .into_iter()
        .chain(receipts)
        .collect()
}
