//! `fan_out`: who hears of a transition, and on which channels.

mod hearers;
mod push;

use std::sync::Arc;

use domain::{Source, identity::derived_id};
use records::{
    Table, TableError, alarms,
    facts::Facts,
    ledger::{self, Claim},
    notices::{self, Notice, NoticeStatus},
    terminals::{self, Terminal},
};
use serde::{Deserialize, Serialize};

use self::hearers::Hearer;
use crate::{
    Context, DeliverNotice, Job, JobError,
    catalog::Model,
    ports::Push,
    words::{self, Enclosed, Reader},
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
                let notice = notice(cx, hearer, channel, &place);
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

fn notice(cx: &Context, hearer: &Hearer, channel: &str, place: &str) -> Notice {
    let Hearer { name, transition, locale, .. } = hearer;
    let facts = Facts::of_source(transition.source.clone(), place.to_owned(), transition.changes.clone());
    let words = words::compose(&facts, &Reader::new(locale, &cx.settings.words), &Enclosed::default());
    Notice {
        id: derived_id(transition.at, &["notice", &transition.id, name, channel]),
        user: name.clone(),
        channel: channel.to_owned(),
        source: transition.source.clone(),
        transition: transition.id.clone(),
        subject: words.subject,
        text: words.text,
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        facts: Some(facts),
    }
}

/// Shows each of the hearers their part in their browsers. Nobody waits for it: a browser that misses it asks the API.
async fn show(cx: &Context, pushes: Vec<Push>) {
    if let Err(error) = cx.link.publish(pushes).await {
        tracing::warn!(%error, "browsers were not shown a transition");
    }
}
