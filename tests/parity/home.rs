//! Where the jobs run, and what can happen to them there.

use anyhow::{Context, Result};
use async_trait::async_trait;
use boot::SystemClock;
use domain::Timestamp;
use jobs::ports::Message;
use records::{Clock, Table};
use telltale_tests::WebhookReceiver;

use super::{
    broker::Broker,
    on_aws::OnAws,
    on_box::OnBox,
    outcome::{Outcome, outcome},
};

/// What a run may hang at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hang {
    /// The next transaction that writes to a partition whose name begins so. It is done once it is let go.
    Write(&'static str),
    /// The next letter: its receiver has it, and does not answer.
    Letter,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dead {
    pub(super) job: String,
    pub(super) body: String,
    /// How often it was run.
    pub(super) runs: u32,
    /// What the job said: none for one that might have worked another time.
    pub(super) never: Option<String>,
    /// Why its last run failed, where anybody can tell.
    pub(super) failed: Option<String>,
}

/// A site with a sensor and a technician, who has a webhook; the jobs, their queues, their table.
#[async_trait(?Send)]
pub(super) trait Home {
    /// The instant of which a scenario counts.
    fn base(&self) -> Timestamp;

    /// What is remembered.
    fn table(&self) -> &dyn Table;

    /// The technician's.
    fn webhook(&self) -> &WebhookReceiver;

    /// The node's.
    fn broker(&self) -> &Broker;

    /// Puts messages into the queues of their jobs.
    async fn give(&mut self, messages: Vec<Message>) -> Result<()>;

    /// The schedule ticks. The time of the tick is this.
    async fn tick(&mut self, at: Timestamp) -> Result<()>;

    /// Runs what is due, and what follows from it, until nothing more is. What is to come again later does not.
    async fn settle(&mut self) -> Result<()>;

    /// So much time goes by that every lease has run out, and all that was put off is due.
    async fn time_passes(&mut self) -> Result<()>;

    /// The process dies when the next run of this job has had its effect, before the queue hears of it. Another takes over.
    async fn dies_after(&mut self, job: &'static str) -> Result<()>;

    /// How many such deaths are still to come.
    fn deaths_to_come(&self) -> usize;

    /// The next run that comes to this hangs there.
    async fn hold(&mut self, hang: Hang) -> Result<()>;

    /// Runs what is due until one hangs, and its time runs out.
    async fn settle_until_overdue(&mut self) -> Result<()>;

    /// Runs what is due until one hangs, and the process is killed.
    async fn settle_until_killed(&mut self) -> Result<()>;

    /// What hangs goes on, if anybody is left.
    async fn let_go(&mut self) -> Result<()>;

    /// The table is away, or there again.
    async fn table_is_away(&mut self, away: bool) -> Result<()>;

    /// Nothing of this job is run from now on.
    fn hold_back(&mut self, job: &'static str);

    /// What was held back of a job may be run.
    fn give_out(&mut self, job: &'static str);

    /// What was held back of a job is run, one after another, the latest first.
    async fn run_backwards(&mut self, job: &'static str) -> Result<()>;

    /// The work that is done: a job and its key each, in some order.
    fn done(&self) -> Vec<(String, String)>;

    /// What was given up so far.
    async fn dead(&mut self) -> Result<Vec<Dead>>;
}

/// Plays a scenario in both homes. What comes of it is as expected in each, and names the same alarms.
pub(super) async fn in_both_homes(
    scenario: impl AsyncFn(&mut dyn Home) -> Result<()>,
    expected: Outcome,
) -> Result<()> {
    let base = SystemClock.now();
    let (mut on_box, mut on_aws) = tokio::try_join!(Box::pin(OnBox::start(base)), Box::pin(OnAws::start(base)))?;
    let (on_box, on_aws) = tokio::join!(play(&scenario, &mut on_box), play(&scenario, &mut on_aws));
    let (on_box, on_aws) = (on_box.context("on a box")?, on_aws.context("on AWS")?);
    assert_eq!(on_box.0, expected, "on a box");
    assert_eq!(on_aws.0, expected, "on AWS");
    assert_eq!(on_box.1, on_aws.1, "the alarms' ids, on a box and on AWS");
    Ok(())
}

async fn play(
    scenario: &impl AsyncFn(&mut dyn Home) -> Result<()>,
    home: &mut dyn Home,
) -> Result<(Outcome, Vec<String>)> {
    scenario(home).await?;
    assert_eq!(home.deaths_to_come(), 0, "all that was to go wrong went wrong");
    outcome(home).await
}
