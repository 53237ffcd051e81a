//! `fan_out`: who hears of a transition, and on which channels.

mod hearers;
mod push;

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Source,
    alarm::{Change, ChangeKind},
    routing::INBOX,
};
use records::{
    Clock, Table, TableError,
    alarms::{self, Transition},
    held::Due,
    ledger::{self, Claim},
    notices::{self, Notice, NoticeStatus},
    terminals::{self, Terminal},
};
use serde::{Deserialize, Serialize};

pub use self::hearers::channels;
use crate::{
    Context, DeliverNotice, Job, JobError,
    catalog::Model,
    gate::{self, Gate},
    ports::Push,
};

/// Tells everybody concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FanOut {
    /// Of one transition.
    Transition {
        /// The source it is about.
        source: Source,
        /// The transition.
        transition: String,
    },
    /// Somebody of what was held back for them, if nothing holds it any more.
    Held {
        /// Whose, on which channel.
        held: Due,
    },
}

impl Job for FanOut {
    const NAME: &'static str = "fan_out";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    const MAX_ATTEMPTS: u32 = 20;

    fn key(&self) -> String {
        match self {
            Self::Transition { transition, .. } => transition.clone(),
            Self::Held { held } => format!("held/{}/{}/{}", held.at.sortable(), held.channel, held.user),
        }
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        match self {
            Self::Transition { source, transition } => tell_once(cx, source, transition).await,
            Self::Held { held } => gate::catch_up(cx, held).await,
        }
    }
}

async fn tell_once(cx: &Context, source: &Source, transition: &str) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    let now = cx.clock.now();
    let claimed = match ledger::claim(table, &format!("fan_out/{transition}"), now, FanOut::LEASE).await? {
        Claim::Ours(claimed) => claimed,
        Claim::Done => return Ok(()),
        Claim::Busy(until) => return Err(JobError::retry_after("another worker tells it", until.since(now))),
    };
    match tell(cx, source, transition, claimed.unfinished_before).await {
        Ok(shown) => {
            claimed.done(table, cx.clock.now()).await?;
            show(cx, shown).await;
            Ok(())
        }
        Err(error) => {
            // What was told so far is told again under the same names. If this fails too, the lease runs out.
            let _ = claimed.leave_unfinished(table, cx.clock.now()).await;
            Err(error)
        }
    }
}

/// Writes what each hearer is told and has it delivered; gives what their browsers are to show. A repeat is what an earlier run
/// may have done in part.
async fn tell(cx: &Context, source: &Source, transition: &str, is_repeat: bool) -> Result<Vec<Push>, JobError> {
    let table = cx.table.as_ref();
    let Some(mut transition) = alarms::transition(table, source, transition).await? else {
        return Err(JobError::fail("the transition is not stored"));
    };
    transition.changes.retain(|change| !change.shadow);
    let terminal = terminal(table, source).await?;
    let place = place(source, terminal.as_ref());
    let model = model(cx, source, terminal.as_ref()).await?;
    let setups = model.as_ref().map_or(&[][..], |model| &model.setups);
    let users = hearers::users(table, source, &transition, setups).await?;
    let subscribers = cx.settings.notices.topics.then(|| hearers::subscribers(&transition)).flatten();
    let gate = Gate::read(cx, terminal.as_ref(), users.iter().map(|user| user.name.as_str()), is_repeat).await?;
    let mut letters = Vec::new();
    let mut shown = Vec::new();
    for hearer in users.iter().chain(&subscribers) {
        for channel in &hearer.channels {
            let passed = gate.pass((&hearer.name, &hearer.channels), channel, &hearer.transition, &place).await?;
            let Some(told) = passed else { continue };
            let notice = notice(&hearer.name, &told, channel, &place, cx.clock.as_ref());
            // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
            let _ = table.write(notices::put_new(&notice)?).await?;
            letters.push(DeliverNotice { user: notice.user, notice: notice.id }.message());
        }
    }
    for user in &users {
        let passed = gate.pass((&user.name, &user.channels), INBOX, &user.transition, &place).await?;
        let Some(told) = passed else { continue };
        let notice = notice(&user.name, &told, INBOX, &place, cx.clock.as_ref());
        shown.extend(gate::put_in_inbox(cx, &notice, &told.changes).await?);
    }
    cx.queue.enqueue(letters).await?;
    shown.extend(users.iter().map(|user| push::of(&user.name, &user.transition, terminal.as_ref())));
    Ok(shown)
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

fn notice(name: &str, transition: &Transition, channel: &str, place: &str, clock: &dyn Clock) -> Notice {
    let lines: Vec<String> = transition.changes.iter().map(line).collect();
    Notice {
        id: gate::notice_id(transition, name, channel),
        user: name.to_owned(),
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
pub(crate) async fn show(cx: &Context, pushes: Vec<Push>) {
    if let Err(error) = cx.link.publish(pushes).await {
        tracing::warn!(%error, "browsers were not shown a transition");
    }
}
