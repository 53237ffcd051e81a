//! `fan_out`: who hears of a transition, and on which channels.

mod hearers;
mod push;

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Source,
    alarm::{Change, ChangeKind},
    identity::derived_id,
};
use records::{
    Clock, Table, TableError, alarms,
    ledger::{self, Claim},
    notices::{self, Notice, NoticeStatus},
    terminals::{self, Terminal},
};
use serde::{Deserialize, Serialize};

use self::hearers::Hearer;
pub(crate) use self::hearers::channels;
use crate::{Context, DeliverNotice, Job, JobError, catalog::Model, ports::Push};

/// Tells everybody concerned of one transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FanOut {
    /// The source it is about.
    pub source: Source,
    /// The transition.
    pub transition: String,
}

impl Job for FanOut {
    const NAME: &'static str = "fan_out";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    // What follows from what was acknowledged is given up no sooner than that itself.
    const MAX_ATTEMPTS: u32 = 50;

    fn key(&self) -> String {
        self.transition.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let table = cx.table.as_ref();
        let now = cx.clock.now();
        let claimed = match ledger::claim(table, &format!("fan_out/{}", self.transition), now, Self::LEASE).await? {
            Claim::Ours(claimed) => claimed,
            Claim::Done => return Ok(()),
            Claim::Busy(until) => return Err(JobError::retry_after("another worker tells it", until.since(now))),
        };
        match self.tell(cx).await {
            Ok(shown) => {
                claimed.done(table, cx.clock.now()).await?;
                show(cx, shown).await;
                Ok(())
            }
            Err(error) => {
                // What was told so far is told again under the same names. If this fails too, the lease runs out.
                let _ = claimed.give_back(table).await;
                Err(error)
            }
        }
    }
}

impl FanOut {
    /// Writes what each hearer is told and has it delivered; gives what their browsers are to show.
    async fn tell(&self, cx: &Context) -> Result<Vec<Push>, JobError> {
        let table = cx.table.as_ref();
        let Some(mut transition) = alarms::transition(table, &self.source, &self.transition).await? else {
            return Err(JobError::fail("the transition is not stored"));
        };
        transition.changes.retain(|change| !change.shadow);
        let terminal = terminal(table, &self.source).await?;
        let place = place(&self.source, terminal.as_ref());
        let model = model(cx, &self.source, terminal.as_ref()).await?;
        let setups = model.as_ref().map_or(&[][..], |model| &model.setups);
        let users = hearers::users(table, &self.source, &transition, setups).await?;
        let subscribers = cx.settings.notices.topics.then(|| hearers::subscribers(&transition)).flatten();
        let mut letters = Vec::new();
        for hearer in users.iter().chain(&subscribers) {
            for channel in &hearer.channels {
                let notice = notice(hearer, channel, &place, cx.clock.as_ref());
                // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
                let _ = table.write(notices::put_new(&notice)?).await?;
                letters.push(DeliverNotice { user: notice.user, notice: notice.id }.message());
            }
        }
        cx.queue.enqueue(letters).await?;
        let shown = users.iter().map(|user| push::of(&user.name, &user.transition, terminal.as_ref()));
        Ok(shown.collect())
    }
}

async fn terminal(table: &dyn Table, source: &Source) -> Result<Option<Terminal>, TableError> {
    match source.mac() {
        Some(mac) => terminals::get(table, mac).await,
        None => Ok(None),
    }
}

/// What is known of the devices like this one.
async fn model(cx: &Context, source: &Source, terminal: Option<&Terminal>) -> Result<Option<Arc<Model>>, TableError> {
    let (Source::Device(device), Some(terminal)) = (source, terminal) else { return Ok(None) };
    match terminal.device(device.pid) {
        Some(mounted) => cx.model(&mounted.protocol).await,
        None => Ok(None),
    }
}

/// What people call the source.
fn place(source: &Source, terminal: Option<&Terminal>) -> String {
    match (source, terminal) {
        (Source::Device(device), Some(terminal)) => {
            let model = terminal.device(device.pid).map_or("?", |mounted| mounted.model.as_str());
            format!("{} / {} {model}", terminal.name, device.pid)
        }
        (Source::Terminal(_), Some(terminal)) => terminal.name.clone(),
        (source, _) => source.to_string(),
    }
}

fn notice(hearer: &Hearer, channel: &str, place: &str, clock: &dyn Clock) -> Notice {
    let Hearer { name, transition, .. } = hearer;
    let lines: Vec<String> = transition.changes.iter().map(line).collect();
    Notice {
        id: derived_id(transition.at, &["notice", &transition.id, name, channel]),
        user: name.clone(),
        channel: channel.to_owned(),
        source: transition.source.clone(),
        transition: transition.id.clone(),
        subject: format!("{}: {place}", heading(&transition.changes)),
        text: format!("{place}\n{}\n{}\n", lines.join("\n"), transition.source),
        at: clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
    }
}

fn heading(changes: &[Change]) -> &'static str {
    let is = |kind: ChangeKind| move |change: &&Change| change.kind == kind;
    let cleared: BTreeSet<&str> =
        changes.iter().filter(is(ChangeKind::Cleared)).map(|change| change.alarm.as_str()).collect();
    let raised: Vec<&Change> = changes.iter().filter(is(ChangeKind::Raised)).collect();
    match raised.as_slice() {
        [] if changes.iter().any(|change| change.kind == ChangeKind::SeverityChanged) => "Alarm changed",
        [] => "Recovered",
        raised if raised.iter().all(|change| cleared.contains(change.alarm.as_str())) => "Alarm and recovery",
        _ => "Alarm",
    }
}

fn line(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Raised => "raised",
        ChangeKind::SeverityChanged => {
            return format!("now {} {}: {}", change.severity, change.at.rfc3339(), change.detail);
        }
        ChangeKind::Cleared => "cleared",
    };
    format!("{kind} {}: {}", change.at.rfc3339(), change.detail)
}

/// Shows each of the hearers their part in their browsers. Nobody waits for it: a browser that misses it asks the API.
async fn show(cx: &Context, pushes: Vec<Push>) {
    if let Err(error) = cx.link.publish(pushes).await {
        tracing::warn!(%error, "browsers were not shown a transition");
    }
}
