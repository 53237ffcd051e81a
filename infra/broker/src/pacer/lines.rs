//! Which terminal may be asked now. One query is on a terminal's line at a time; the others wait their turn.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use domain::{Mac, NodeName, Pid, Timestamp};
use jobs::ports::PlannedQuery;

/// For how long a terminal that called itself busy is believed: the word that it is free again may get lost.
const BUSY_FOR: Duration = Duration::from_mins(1);

/// How far ahead of the clock the instant of a query that was due may lie.
const AHEAD: Duration = Duration::from_secs(1);

/// With so many lines, the word that another one is busy that was never asked is not kept.
const MOST_UNASKED: usize = 50_000;

/// A query planned for an instant before the last one sent is a repeat of it, unless it lies further back than this.
const REPEATS_WITHIN: Duration = Duration::from_mins(5);

/// A query whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    /// The node it goes to.
    pub node: NodeName,
    /// The query.
    pub query: PlannedQuery,
}

/// A query to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    /// The query.
    pub due: Due,
    /// When: with mac and pid, it names the answer.
    pub asked: Timestamp,
}

/// What a change means for the line: perhaps something to send, and how many queries were given up.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Turn {
    /// To be sent now.
    pub ask: Option<Ask>,
    /// How many were dropped: repeats, and those whose time is over or whose terminal is busy.
    pub dropped: usize,
}

/// A query that is on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InFlight {
    pid: Pid,
    asked: Timestamp,
}

/// Whether a node's word that a query failed says something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    New,
    /// We waited for that query in vain, and said so.
    Known,
}

#[derive(Debug, Default)]
struct Line {
    node: NodeName,
    in_flight: Option<InFlight>,
    waiting: VecDeque<Due>,
    busy_since: Option<Timestamp>,
    /// The device that was given up on last, until its node says what became of the query.
    given_up: Option<Pid>,
    /// For what instant each device's last query was planned.
    planned: BTreeMap<Pid, Timestamp>,
    last_asked: Timestamp,
}

/// Every terminal's line.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<Mac, Line>);

impl Lines {
    /// A query's time has come.
    pub(super) fn due(&mut self, due: Due, now: Timestamp) -> Turn {
        let line = self.0.entry(due.query.mac.clone()).or_default();
        line.node.clone_from(&due.node);
        if line.is_repeat(&due.query, now) {
            return Turn { ask: None, dropped: 1 };
        }
        line.waiting_or_new(due);
        line.next(now)
    }

    /// The answer to the query sent at `asked` is there.
    pub(super) fn answered(&mut self, node: &str, mac: &Mac, asked: Timestamp, now: Timestamp) -> Option<Turn> {
        self.free(node, mac, now, |in_flight| in_flight.asked == asked)
    }

    /// The node says that a device answered nothing.
    pub(super) fn missed(&mut self, node: &str, mac: &Mac, pid: Pid, now: Timestamp) -> (Miss, Option<Turn>) {
        if let Some(line) = self.of(node, mac).filter(|line| line.given_up == Some(pid)) {
            line.given_up = None;
            return (Miss::Known, None);
        }
        (Miss::New, self.free(node, mac, now, |in_flight| in_flight.pid == pid))
    }

    /// The query sent at `asked` was waited for long enough. The device, if it is still on the line.
    pub(super) fn overdue(&mut self, mac: &Mac, asked: Timestamp, now: Timestamp) -> Option<(Pid, Turn)> {
        let line = self.0.get_mut(mac)?;
        let pid = line.in_flight.take_if(|in_flight| in_flight.asked == asked)?.pid;
        line.given_up = Some(pid);
        Some((pid, line.next(now)))
    }

    /// The node says whether a terminal has too much to do. It may say so of one that was not asked yet.
    pub(super) fn busy(&mut self, node: &str, mac: &Mac, load: Load, now: Timestamp) {
        if load == Load::Busy && !self.0.contains_key(mac) && self.0.len() < MOST_UNASKED {
            self.0.insert(mac.clone(), Line { node: node.to_owned(), ..Line::default() });
        }
        if let Some(line) = self.of(node, mac) {
            line.busy_since = (load == Load::Busy).then_some(now);
        }
    }

    /// Whether a terminal was last asked through this node.
    pub(super) fn is_on(&self, node: &str, mac: &Mac) -> bool {
        self.0.get(mac).is_some_and(|line| line.node == node)
    }

    /// The terminal left, or could not be sent to. How many queries are dropped with it.
    pub(super) fn forget(&mut self, mac: &Mac) -> usize {
        self.0.remove(mac).map_or(0, |line| line.waiting.len())
    }

    /// A node's lines are gone with it. How many queries are dropped.
    pub(super) fn forget_node(&mut self, node: &str) -> usize {
        let gone = self.0.extract_if(|_, line| line.node == node);
        gone.map(|(_, line)| line.waiting.len()).sum()
    }

    /// The node of a terminal that was asked before.
    pub(super) fn node_of(&self, mac: &Mac) -> Option<&NodeName> {
        self.0.get(mac).map(|line| &line.node)
    }

    /// The line of a terminal that was last asked through this node: what another says of it does not count.
    fn of(&mut self, node: &str, mac: &Mac) -> Option<&mut Line> {
        self.0.get_mut(mac).filter(|line| line.node == node)
    }

    fn free(&mut self, node: &str, mac: &Mac, now: Timestamp, is_it: impl Fn(&InFlight) -> bool) -> Option<Turn> {
        let line = self.of(node, mac)?;
        line.in_flight.take_if(|in_flight| is_it(in_flight))?;
        Some(line.next(now))
    }
}

/// Whether a terminal has too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Free,
    Busy,
}

impl Line {
    fn is_repeat(&self, query: &PlannedQuery, now: Timestamp) -> bool {
        // A query is due when its instant has come. One whose instant lies ahead was due before the clock was set back.
        let last = self.planned.get(&query.pid).filter(|last| **last <= now.plus(AHEAD));
        last.is_some_and(|last| query.at <= *last && last.since(query.at) < REPEATS_WITHIN)
    }

    /// A device waits once: a newer query takes the place of the one that waits.
    fn waiting_or_new(&mut self, due: Due) {
        self.planned.insert(due.query.pid, due.query.at);
        match self.waiting.iter_mut().find(|waiting| waiting.query.pid == due.query.pid) {
            Some(waiting) => *waiting = due,
            None => self.waiting.push_back(due),
        }
    }

    fn next(&mut self, now: Timestamp) -> Turn {
        let mut turn = Turn::default();
        while self.in_flight.is_none()
            && let Some(due) = self.waiting.pop_front()
        {
            if self.is_busy(now) || now.since(due.query.at) > Duration::from_millis(due.query.interval) {
                turn.dropped += 1;
                continue;
            }
            let asked = now.max(Timestamp(self.last_asked.0.saturating_add(1)));
            self.last_asked = asked;
            self.given_up.take_if(|given_up| *given_up == due.query.pid);
            self.in_flight = Some(InFlight { pid: due.query.pid, asked });
            turn.ask = Some(Ask { due, asked });
        }
        turn
    }

    fn is_busy(&self, now: Timestamp) -> bool {
        self.busy_since.is_some_and(|since| now.since(since) < BUSY_FOR)
    }
}

#[cfg(test)]
mod tests;
