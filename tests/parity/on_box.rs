//! A box: the embedded store, and the apalis workers over it, as the one binary has them. Its clock is turned by hand.

mod faults;
mod process;
mod story;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use domain::Timestamp;
use jobs::{
    JOB_NAMES, Job, PlanWindow, Sweep,
    ports::{Enqueue, Inspect, Message},
};
use records::{Clock, Table};
use telltale_tests::{ManualClock, PATIENCE, WebhookReceiver, eventually, flow};
use tempfile::TempDir;
use tokio::time::timeout;

use self::{
    process::Process,
    story::{Faults, Story, Write},
};
use super::{
    broker::Broker,
    home::{Dead, Hang, Home},
};
use crate::functions::cloud::tell_at;

/// Longer than any lease, and than any wait for another run.
const LONG: Duration = Duration::from_mins(6);

/// A box.
pub(super) struct OnBox {
    base: Timestamp,
    clock: Arc<ManualClock>,
    webhook: WebhookReceiver,
    faults: Faults,
    broker: Broker,
    hang: Hang,
    /// None only while one process takes over from another.
    process: Option<Process>,
    folder: TempDir,
}

/// How a box that was left alone came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    NothingIsDue,
    ItDies,
}

impl OnBox {
    pub(super) async fn start(base: Timestamp) -> Result<Self> {
        let (folder, clock) = (TempDir::new()?, Arc::new(ManualClock::at(base)));
        let (faults, broker) = (Faults::default(), Broker::default());
        let webhook = WebhookReceiver::start().await?;
        let process = Process::start(folder.path(), &clock, &faults, &broker)?;
        flow::furnish(process.table.as_ref(), base).await;
        tell_at(process.table.as_ref(), &webhook).await?;
        let (hang, process) = (Hang::Letter, Some(process));
        Ok(Self { base, clock, webhook, faults, broker, hang, process, folder })
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("a process runs")
    }

    fn story<T>(&self, tell: impl FnOnce(&mut Story) -> T) -> T {
        let mut told = None;
        self.faults.send_modify(|story| told = Some(tell(story)));
        told.expect("it was told")
    }

    /// The process is killed. Another takes over as soon as the store is free.
    async fn dies(&mut self) {
        self.process = None;
        self.story(Story::takes_over);
        let open = async || Process::start(self.folder.path(), &self.clock, &self.faults, &self.broker).ok();
        self.process = Some(eventually("the store is free", open).await);
    }

    /// Waits until nothing is left to do now. A job's follow-ups are in the queue before it is settled, and go the way of a
    /// poll but for one step back at most: who looks at the jobs twice in that order misses none.
    async fn rest(&self) -> Rest {
        eventually("the box comes to rest", async || {
            if self.faults.borrow().is_dying {
                return Some(Rest::ItDies);
            }
            for job in JOB_NAMES.into_iter().chain(JOB_NAMES) {
                let depth = self.process().queue.depth(job).await.ok()?;
                let story = self.faults.borrow();
                let waits = depth.waiting > story.put_off(job) && !story.held_back.contains(&job);
                if waits || depth.running > 0 {
                    return None;
                }
            }
            (!self.faults.borrow().is_dying).then_some(Rest::NothingIsDue)
        })
        .await
    }

    async fn until_held(&self) -> Result<()> {
        match self.hang {
            Hang::Letter => self.webhook.until_held().await,
            Hang::Write(_) => {
                let mut story = self.faults.subscribe();
                let hangs = timeout(PATIENCE, story.wait_for(|story| story.write == Write::Hangs)).await;
                hangs.context("no write hangs")?.map(drop)?;
                Ok(())
            }
        }
    }
}

#[async_trait(?Send)]
impl Home for OnBox {
    fn base(&self) -> Timestamp {
        self.base
    }

    fn table(&self) -> &dyn Table {
        self.process().table.as_ref()
    }

    fn webhook(&self) -> &WebhookReceiver {
        &self.webhook
    }

    fn broker(&self) -> &Broker {
        &self.broker
    }

    async fn give(&mut self, messages: Vec<Message>) -> Result<()> {
        Ok(self.process().queue.enqueue(messages).await?)
    }

    /// A box plans windows of five seconds, so a minute's tick is twelve of its own.
    async fn tick(&mut self, at: Timestamp) -> Result<()> {
        let minute = Timestamp((at.0.div_euclid(60_000) + 1) * 60_000);
        let window = |number: u64| minute.plus(Duration::from_secs(5 * number));
        let plans = (0..12).map(|number| PlanWindow { start: window(number), window_ms: 5_000 }.message());
        let sweep = Sweep { at: self.clock.now(), ahead_ms: 0 }.message();
        self.give(plans.chain([sweep]).collect()).await
    }

    async fn settle(&mut self) -> Result<()> {
        while self.rest().await == Rest::ItDies {
            self.dies().await;
        }
        Ok(())
    }

    async fn time_passes(&mut self) -> Result<()> {
        self.clock.advance(LONG);
        self.story(Story::everything_is_due);
        Ok(())
    }

    async fn dies_after(&mut self, job: &'static str) -> Result<()> {
        self.story(|story| story.deaths.push(job));
        Ok(())
    }

    fn deaths_to_come(&self) -> usize {
        self.faults.borrow().deaths.len()
    }

    async fn hold(&mut self, hang: Hang) -> Result<()> {
        self.hang = hang;
        match hang {
            Hang::Write(partition) => self.story(|story| story.write = Write::Hold(partition)),
            Hang::Letter => self.webhook.hold(),
        }
        Ok(())
    }

    async fn settle_until_overdue(&mut self) -> Result<()> {
        self.until_held().await?;
        self.time_passes().await
    }

    async fn settle_until_killed(&mut self) -> Result<()> {
        self.until_held().await?;
        self.dies().await;
        Ok(())
    }

    async fn let_go(&mut self) -> Result<()> {
        self.webhook.let_go();
        if self.faults.borrow().write == Write::Hangs {
            self.story(|story| story.write = Write::GoesOn);
            let mut story = self.faults.subscribe();
            let done = timeout(PATIENCE, story.wait_for(|story| story.write == Write::Nothing)).await;
            done.context("what hung is not done")?.map(drop)?;
        }
        Ok(())
    }

    async fn table_is_away(&mut self, away: bool) -> Result<()> {
        self.story(|story| story.table_is_away = away);
        Ok(())
    }

    fn hold_back(&mut self, job: &'static str) {
        self.story(|story| story.held_back.push(job));
    }

    fn give_out(&mut self, job: &'static str) {
        self.story(|story| story.held_back.retain(|held| *held != job));
    }

    async fn run_backwards(&mut self, job: &'static str) -> Result<()> {
        self.story(|story| story.backwards = Some(job));
        self.give_out(job);
        self.settle().await?;
        self.story(|story| story.backwards = None);
        Ok(())
    }

    fn done(&self) -> Vec<(String, String)> {
        self.faults.borrow().done.clone()
    }

    async fn dead(&mut self) -> Result<Vec<Dead>> {
        let mut dead = Vec::new();
        for job in JOB_NAMES {
            for letter in self.process().queue.dead_letters(job, 100).await? {
                let never = self.faults.borrow().never.contains(&letter.id);
                dead.push(Dead {
                    job: letter.message.job,
                    body: String::from_utf8(letter.message.body.into())?,
                    runs: letter.attempts,
                    never: never.then(|| letter.why.clone()),
                    failed: Some(letter.why),
                });
            }
        }
        Ok(dead)
    }
}
