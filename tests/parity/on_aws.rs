//! AWS: the functions' real programs, each given what its queue holds, over DynamoDB and SQS as moto plays them. Its clock is
//! the real one, so time is made to pass where it is written down: in the queues, and in the ledger.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use domain::Timestamp;
use jobs::{DeliverNotice, FanOut, Job, ports::Message};
use records::{
    Table,
    ledger::{self, Claim},
    notices,
};
use telltale_tests::{LambdaHost, QUEUES, Received, Taken, WebhookReceiver, lambda_events};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    broker::Broker,
    home::{Dead, Hang, Home},
    outcome::transitions,
};
use crate::functions::cloud::Cloud;

/// More often than anything is tried.
const FOR_LONG: u32 = 1_000_000;

/// AWS, and the inbox of the node's broker.
pub(super) struct OnAws {
    base: Timestamp,
    cloud: Cloud,
    /// The functions that the schedule invokes.
    scheduled: [LambdaHost; 2],
    broker: Broker,
    _inbox: AbortOnDropHandle<()>,
    hang: Hang,
    held_back: Vec<&'static str>,
    table_is_away: bool,
    forgotten: Vec<(&'static str, Received)>,
    dead: Vec<Dead>,
}

impl OnAws {
    pub(super) async fn start(base: Timestamp) -> Result<Self> {
        let cloud = Cloud::start().await?;
        let scheduled = [cloud.aws.function("plan_window", &[]).await?, cloud.aws.function("sweep", &[]).await?];
        let (_, inbox) = cloud.aws.link("b1").await?;
        let (sender, told) = mpsc::channel(100);
        let broker = Broker::default();
        let reading = broker.clone().read(told);
        let inbox = tokio::spawn(async move {
            tokio::join!(inbox.run(sender, CancellationToken::new()), reading);
        });
        Ok(Self {
            base,
            cloud,
            scheduled,
            broker,
            _inbox: AbortOnDropHandle::new(inbox),
            hang: Hang::Letter,
            held_back: Vec::new(),
            table_is_away: false,
            forgotten: Vec::new(),
            dead: Vec::new(),
        })
    }

    /// The function of a job, and its queue.
    fn function(&self, job: &str) -> Result<(Arc<LambdaHost>, &'static str)> {
        let place = QUEUES.iter().position(|(name, _)| *name == job);
        self.cloud.functions.get(place.context("a job with a queue")?).cloned().context("its function")
    }

    fn note(&mut self, taken: impl IntoIterator<Item = (&'static str, Taken)>) {
        let forgotten = taken.into_iter().filter(|(_, taken)| taken.is_forgotten);
        self.forgotten.extend(forgotten.map(|(job, taken)| (job, taken.message)));
    }

    /// Runs what is due until one hangs, and does `then` to the functions.
    async fn settle_until_held(&mut self, then: fn(&LambdaHost)) -> Result<()> {
        let held: Pin<Box<dyn Future<Output = Result<()>>>> = match self.hang {
            Hang::Write(_) => Box::pin(self.cloud.aws.until_held()),
            Hang::Letter => Box::pin(self.cloud.webhook.until_held()),
        };
        let functions: Vec<Arc<LambdaHost>> =
            self.cloud.functions.iter().map(|(function, _)| Arc::clone(function)).collect();
        let befalls = async {
            held.await?;
            for function in &functions {
                then(function);
            }
            Ok(())
        };
        let (settled, befell) = tokio::join!(self.settle(), befalls);
        settled.and(befell)
    }

    /// The claims that nobody has finished run out.
    async fn claims_run_out(&self) -> Result<()> {
        let table = &self.cloud.table;
        let later = self.base.plus(Duration::from_hours(1));
        let notices = notices::list(table, "tech", 100, None).await?.items;
        let notices = notices.iter().map(|notice| format!("{}/{}", DeliverNotice::NAME, notice.id));
        let transitions = transitions(table).await?;
        let transitions = transitions.iter().map(|transition| format!("{}/{}", FanOut::NAME, transition.id));
        for work in notices.chain(transitions) {
            if let Claim::Ours(claimed) = ledger::claim(table, &work, later, Duration::ZERO).await? {
                claimed.give_back(table).await?;
            }
        }
        Ok(())
    }

    /// Why a message's last run failed, as its function logged it.
    fn logged(&self, job: &str, id: &str) -> Result<Option<String>> {
        let log = self.function(job)?.0.log();
        let mut lines = log.iter().rev().filter(|line| line["message.id"] == id);
        let why = lines.find_map(|line| line["message"].as_str()?.strip_prefix("a job failed: "));
        Ok(why.map(str::to_owned))
    }
}

#[async_trait(?Send)]
impl Home for OnAws {
    fn base(&self) -> Timestamp {
        self.base
    }

    fn table(&self) -> &dyn Table {
        &self.cloud.table
    }

    fn webhook(&self) -> &WebhookReceiver {
        &self.cloud.webhook
    }

    fn broker(&self) -> &Broker {
        &self.broker
    }

    async fn give(&mut self, messages: Vec<Message>) -> Result<()> {
        // Where the table is away, the queues take nothing either.
        let away = self.table_is_away;
        self.table_is_away(false).await?;
        self.cloud.enqueue(messages).await?;
        self.table_is_away(away).await
    }

    async fn tick(&mut self, at: Timestamp) -> Result<()> {
        let seconds = Timestamp(at.0 / 1000 * 1000);
        let event = lambda_events::tick(&seconds.rfc3339().replace(".000Z", "Z"));
        for function in &self.scheduled {
            function.invoke(event.clone()).await?.map_err(|error| anyhow!("a tick failed: {error}"))?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<()> {
        let taken = self.cloud.settle_but(&self.held_back).await?;
        self.note(taken);
        Ok(())
    }

    async fn time_passes(&mut self) -> Result<()> {
        for (_, queue) in QUEUES {
            self.cloud.aws.show(queue).await?;
        }
        if self.table_is_away { Ok(()) } else { self.claims_run_out().await }
    }

    async fn dies_after(&mut self, job: &'static str) -> Result<()> {
        self.function(job)?.0.loses_an_answer();
        Ok(())
    }

    fn deaths_to_come(&self) -> usize {
        self.cloud.functions.iter().map(|(function, _)| function.answers_to_lose()).sum()
    }

    async fn hold(&mut self, hang: Hang) -> Result<()> {
        self.hang = hang;
        match hang {
            Hang::Write(partition) => self.cloud.aws.hold(partition).await?,
            Hang::Letter => self.cloud.webhook.hold(),
        }
        Ok(())
    }

    async fn settle_until_overdue(&mut self) -> Result<()> {
        self.settle_until_held(LambdaHost::time_is_up).await?;
        self.time_passes().await
    }

    async fn settle_until_killed(&mut self) -> Result<()> {
        self.settle_until_held(LambdaHost::dies).await
    }

    async fn let_go(&mut self) -> Result<()> {
        self.cloud.webhook.let_go();
        self.cloud.aws.let_go().await
    }

    async fn table_is_away(&mut self, away: bool) -> Result<()> {
        self.table_is_away = away;
        self.cloud.aws.be_busy(if away { FOR_LONG } else { 0 }).await
    }

    fn hold_back(&mut self, job: &'static str) {
        self.held_back.push(job);
    }

    fn give_out(&mut self, job: &'static str) {
        self.held_back.retain(|held| *held != job);
    }

    async fn run_backwards(&mut self, job: &'static str) -> Result<()> {
        let (function, queue) = self.function(job)?;
        for message in self.cloud.aws.receive(queue).await?.into_iter().rev() {
            let taken = self.cloud.aws.deliver(&function, queue, vec![message]).await?;
            self.note(taken.into_iter().map(|taken| (job, taken)));
        }
        self.give_out(job);
        Ok(())
    }

    fn done(&self) -> Vec<(String, String)> {
        // What can never be done is forgotten as well, once it is a dead letter.
        let is_dead = |job: &str, message: &Received| {
            self.dead.iter().any(|dead| dead.never.is_some() && dead.job == job && dead.body == message.body)
        };
        let done = self.forgotten.iter().filter(|(job, message)| !is_dead(job, message));
        done.map(|(job, message)| {
            ((*job).to_owned(), message.attributes["key"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
    }

    async fn dead(&mut self) -> Result<Vec<Dead>> {
        for (job, queue) in QUEUES {
            for letter in self.cloud.aws.receive(&queue.replace("Queue", "DeadLetters")).await? {
                let never = letter.attributes["why"].as_str().map(str::to_owned);
                // A message that SQS moved keeps its count, and this look is one more.
                let runs = letter.receives.parse::<u32>()?.saturating_sub(1);
                let failed = match &never {
                    Some(why) => Some(why.clone()),
                    None => self.logged(job, &letter.id)?,
                };
                self.dead.push(Dead { job: job.to_owned(), body: letter.body, runs, never, failed });
            }
        }
        Ok(self.dead.clone())
    }
}
