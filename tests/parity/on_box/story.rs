//! What is to go wrong on a box, and what went on so far.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jobs::{
    JOB_NAMES,
    ports::{Leased, Settlement, Ticket},
};
use tokio::sync::watch;

/// The story of a box. It outlives its processes.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// After a run of which job the process dies next, and then.
    pub(super) deaths: Vec<&'static str>,
    /// Whether it is to die now.
    pub(super) is_dying: bool,
    /// Jobs of which nothing is run.
    pub(super) held_back: Vec<&'static str>,
    /// A job whose messages are run one after another, the latest first.
    pub(super) backwards: Option<&'static str>,
    /// What is to happen to a write.
    pub(super) write: Write,
    /// Whether the table is away.
    pub(super) table_is_away: bool,
    leased: HashMap<Ticket, Run>,
    /// What is to be run again later: the job and key of each.
    put_off: HashSet<(String, String)>,
    /// The job and key of what is done.
    pub(super) done: Vec<(String, String)>,
    /// The ids of the messages that can never be done.
    pub(super) never: HashSet<String>,
}

/// What is to happen to a write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Write {
    /// Nothing, or nothing more.
    #[default]
    Nothing,
    /// The next one to a partition whose name begins so hangs.
    Hold(&'static str),
    /// It hangs.
    Hangs,
    /// It is to be done.
    GoesOn,
}

/// A run that has not ended.
#[derive(Debug)]
struct Run {
    job: String,
    key: String,
    is_last: bool,
}

/// The story, for all who take part in it.
pub(super) type Faults = Arc<watch::Sender<Story>>;

impl Story {
    /// How many messages of a job are to be run again later.
    pub(super) fn put_off(&self, job: &str) -> usize {
        self.put_off.iter().filter(|(of, _)| of == job).count()
    }

    /// All that was put off is due.
    pub(super) fn everything_is_due(&mut self) {
        self.put_off.clear();
    }

    /// Whether messages of a job are given out. Until the process dies after a run of a job, what follows from that run waits:
    /// who takes over has it all to do.
    pub(super) fn gives(&self, job: &str) -> bool {
        let place = |job: &str| JOB_NAMES.iter().position(|name| *name == job);
        let comes_before = self.deaths.first().is_none_or(|dying| place(job) <= place(dying));
        let has_its_turn = self.backwards != Some(job) || !self.leased.values().any(|run| run.job == job);
        !self.is_dying && !self.held_back.contains(&job) && comes_before && has_its_turn
    }

    pub(super) fn begin(&mut self, leased: &Leased) {
        let (job, key) = (leased.message.job.clone(), leased.message.key.clone());
        self.put_off.remove(&(job.clone(), key.clone()));
        let is_last = leased.attempt >= leased.message.max_attempts;
        self.leased.insert(leased.ticket.clone(), Run { job, key, is_last });
    }

    /// Whether the process dies before the queue hears of the end of these runs.
    pub(super) fn dies_before(&mut self, settlements: &[Settlement]) -> bool {
        let is_of =
            |job: &str| settlements.iter().any(|end| self.leased.get(ticket(end)).is_some_and(|run| run.job == job));
        if self.deaths.first().is_some_and(|dying| is_of(dying)) {
            self.deaths.remove(0);
            self.is_dying = true;
        }
        self.is_dying
    }

    /// What the queue is about to hear. It is told first, lest the process is killed in between: a run of which the queue did
    /// not hear after all is told again.
    pub(super) fn tell(&mut self, settlement: &Settlement) {
        match settlement {
            Settlement::Done(ticket) => {
                self.done.extend(self.leased.get(ticket).map(|run| (run.job.clone(), run.key.clone())));
            }
            Settlement::Dead { ticket, .. } => {
                self.never.insert(message_of(ticket).to_owned());
            }
            Settlement::Again { .. } => {}
        }
    }

    /// The queue has heard.
    pub(super) fn end(&mut self, settlement: &Settlement) {
        let Some(Run { job, key, is_last }) = self.leased.remove(ticket(settlement)) else { return };
        if matches!(settlement, Settlement::Again { .. }) && !is_last {
            self.put_off.insert((job, key));
        }
    }

    /// Another process takes over: the runs of this one are gone.
    pub(super) fn takes_over(&mut self) {
        self.is_dying = false;
        self.write = Write::Nothing;
        self.leased.clear();
    }
}

fn ticket(settlement: &Settlement) -> &Ticket {
    let (Settlement::Done(ticket) | Settlement::Again { ticket, .. } | Settlement::Dead { ticket, .. }) = settlement;
    ticket
}

/// The id of a ticket's message.
fn message_of(ticket: &Ticket) -> &str {
    ticket.0.split('-').next().unwrap_or_default()
}
