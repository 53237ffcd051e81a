//! The heartbeat of the whole path, from a query to a letter that was taken: a dead man's switch in both directions.
//!
//! While readings are stored, [`ProcessResults`](crate::ProcessResults) tells of them once an interval, as evidence of the path
//! itself. The machine looks after that: when nothing more comes, the path is silent, and that is an alarm. And
//! [`EvaluateAlarms`](crate::EvaluateAlarms) has each told on: [`FanOut`](crate::FanOut) makes a notice of it, and
//! [`DeliverNotice`](crate::DeliverNotice) sends that to an address outside, where somebody else notices when it stays away.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use domain::{
    Need, Source, Timestamp,
    alarm::{Condition, Evidence, Fact, Rule, Severity},
    identity::derived_id,
};
use records::notices::{self, EVERYBODY, Notice, NoticeStatus, Way, channel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Context, DeliverNotice, FanOut, Job, JobError, ports::Message};

/// The event that a heartbeat is.
const EVENT: &str = "heartbeat";
/// The rule that the path is watched by.
pub(crate) const SILENT: &str = "silent";

/// Proof that readings come, are stored, and reach people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatSettings {
    /// Where a heartbeat is posted to while readings come, for somebody else to notice when it stays away. None is sent without.
    pub url: Option<String>,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// After how long without any reading administrators are told that nothing comes, in milliseconds; 0 for never.
    pub silent_after_ms: u64,
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        Self { url: None, every_ms: 60_000, silent_after_ms: 900_000 }
    }
}

impl HeartbeatSettings {
    /// Nobody looks after the path.
    pub fn off() -> Self {
        Self { url: None, silent_after_ms: 0, ..Self::default() }
    }

    /// Where it is posted to.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| !url.is_empty())
    }

    fn is_on(&self) -> bool {
        self.every_ms > 0 && (self.silent_after_ms > 0 || self.url().is_some())
    }
}

/// Which interval this process told of last.
#[derive(Debug, Default)]
pub(crate) struct Pulse(AtomicI64);

impl Pulse {
    /// Whether nothing was told of this interval yet.
    fn is_first_of(&self, interval: i64) -> bool {
        self.0.fetch_max(interval, Ordering::Relaxed) < interval
    }
}

/// What is evidence of the path.
pub(crate) fn path() -> Source {
    Source::Platform(Need { part: "path".to_owned(), needs: "readings".to_owned() })
}

/// That readings were stored, where this interval was not told of. Several processes tell it under one name.
pub(crate) fn pulse(cx: &Context) -> Option<Evidence> {
    let settings = &cx.settings.heartbeat;
    let every = i64::try_from(settings.every_ms).ok().filter(|_| settings.is_on())?;
    let interval = cx.clock.now().0.div_euclid(every);
    let at = Timestamp(interval * every);
    let told = || Evidence::new(format!("pulse/{interval}"), path(), at, Fact::Values { values: Vec::new() });
    cx.catalog.pulse.is_first_of(interval).then(told)
}

/// When the path is silent.
pub(crate) fn rule(settings: &HeartbeatSettings) -> Option<Rule> {
    let after = Duration::from_millis(settings.silent_after_ms);
    (!after.is_zero()).then(|| Rule::new(SILENT, Condition::NoData { after }, Severity::Critical))
}

/// What has a pulse told on, where there is somebody to tell.
pub(crate) fn told_on(cx: &Context, evidence: &Evidence) -> Option<Message> {
    let is_pulse = evidence.source == path() && evidence.is_reading();
    let is_wanted = is_pulse && cx.settings.heartbeat.url().is_some();
    is_wanted.then(|| FanOut::Heartbeat { heartbeat: evidence.at }.message())
}

/// Makes the notice of a heartbeat and has it delivered, once.
pub(crate) async fn tell(cx: &Context, at: Timestamp) -> Result<(), JobError> {
    let id = derived_id(at, &[EVENT]);
    let notice = Notice {
        id: id.clone(),
        user: EVERYBODY.to_owned(),
        channel: channel::HEARTBEAT.to_owned(),
        source: path(),
        transition: format!("{EVENT}/{}", at.sortable()),
        transitions: Vec::new(),
        incident: String::new(),
        sequence: 0,
        subject: "Heartbeat".to_owned(),
        text: format!("Readings were stored at {}.\n", at.rfc3339()),
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        // The next one comes soon.
        way: Way { once: true, event: Some(EVENT.to_owned()), ..Way::default() },
        facts: None,
    };
    // Refused when an earlier run wrote it: it is enqueued again all the same, under the same key.
    let _ = cx.table.write(notices::put_new(&notice)?).await?;
    Ok(cx.queue.enqueue(vec![DeliverNotice { user: notice.user, notice: id }.message()]).await?)
}
