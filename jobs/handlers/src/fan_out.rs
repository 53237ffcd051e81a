//! `fan_out`: who hears of a transition, and on which channels.

mod push;

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Source,
    alarm::{Change, ChangeKind},
    identity::derived_id,
};
use records::{
    Clock, Table, TableError,
    alarms::{self, Transition},
    ledger::{self, Claim},
    notices::{self, Notice, NoticeStatus},
    terminals::{self, Terminal},
    users::{self, Role, User},
};
use serde::{Deserialize, Serialize};

use crate::{
    Context, DeliverNotice, Job, JobError,
    catalog::{Model, Setup, concerns},
    ports::Push,
};

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
    const MAX_ATTEMPTS: u32 = 20;

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
        let Some(transition) = alarms::transition(table, &self.source, &self.transition).await? else {
            return Err(JobError::fail("the transition is not stored"));
        };
        let hearers = hearers(table, &self.source).await?;
        let terminal = terminal(table, &self.source).await?;
        let place = place(&self.source, terminal.as_ref());
        let model = model(cx, &self.source, terminal.as_ref()).await?;
        let setups = model.as_ref().map_or(&[][..], |model| &model.setups);
        let told = told(&transition, hearers, setups);
        let mut letters = Vec::new();
        for (user, transition) in &told {
            for channel in channels(user) {
                let notice = notice(transition, user, channel, &place, cx.clock.as_ref());
                // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
                let _ = table.write(notices::put_new(&notice)?).await?;
                letters.push(DeliverNotice { user: user.user.clone(), notice: notice.id }.message());
            }
        }
        cx.queue.enqueue(letters).await?;
        Ok(told.iter().map(|(user, transition)| push::of(user, transition, terminal.as_ref())).collect())
    }
}

/// Those a terminal is bound to, and every admin.
async fn hearers(table: &dyn Table, source: &Source) -> Result<Vec<User>, TableError> {
    let bound = match source.mac() {
        Some(mac) => users::of_terminal(table, mac).await?,
        None => Vec::new(),
    };
    let all = users::list(table).await?;
    Ok(all.into_iter().filter(|user| user.role == Role::Admin || bound.contains(&user.user)).collect())
}

fn channels(user: &User) -> impl Iterator<Item = &'static str> {
    let email = user.mail.as_ref().map(|_| "email");
    let webhook = user.webhook.as_ref().map(|_| "webhook");
    email.into_iter().chain(webhook)
}

/// What each of the hearers is told of a transition; those whom nothing of it concerns are left out.
fn told(transition: &Transition, hearers: Vec<User>, setups: &[Setup]) -> Vec<(User, Transition)> {
    let told = hearers.into_iter().map(|user| {
        let changes = transition.changes.iter().filter(|change| concerns(change, &user.user, setups)).cloned();
        let changes = changes.collect();
        (user, Transition { changes, ..transition.clone() })
    });
    told.filter(|(_, transition)| !transition.changes.is_empty()).collect()
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

fn notice(transition: &Transition, user: &User, channel: &str, place: &str, clock: &dyn Clock) -> Notice {
    let lines: Vec<String> = transition.changes.iter().map(line).collect();
    Notice {
        id: derived_id(transition.at, &["notice", &transition.id, &user.user, channel]),
        user: user.user.clone(),
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
        [] => "Recovered",
        raised if raised.iter().all(|change| cleared.contains(change.alarm.as_str())) => "Alarm and recovery",
        _ => "Alarm",
    }
}

fn line(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Raised => "raised",
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
