//! What devices said: the latest, and the history.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Latest`], of all the terminal's devices | `terminal#` mac | `latest` |
//! | a batch's readings of one terminal | `history#` mac | arrival, `#`, batch id |
//!
//! A history item holds what one batch brought of one terminal; it is put where nothing is, so a batch that is
//! processed twice is stored once. A reading's identity is its device and the instant it was asked: of a reply that came
//! in two batches, [`Latest`] or [`find`] tell which one stores it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use domain::{Mac, Pid, Timestamp, reading::Reading};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, record};

/// How long raw readings are kept.
pub const RAW_RETENTION: Duration = Duration::from_hours(30 * 24);

/// Each device's newest reading on one terminal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latest {
    /// By address on the line.
    pub devices: BTreeMap<Pid, Reading>,
    /// The batch that brought it, and that stores it in the history, by address.
    pub batches: BTreeMap<Pid, String>,
}

/// The latest of a terminal's devices.
pub async fn latest(table: &dyn Table, mac: &Mac) -> Result<Versioned<Latest>, TableError> {
    record::get_or_default(table, &latest_key(mac)).await
}

/// The write that stores the latest.
pub fn put_latest(mac: &Mac, latest: &Versioned<Latest>) -> Result<Write, TableError> {
    latest.put_back(latest_key(mac), None)
}

/// How many values one history item holds at most, so that it fits. Of more, an item is made for each part.
const MOST_VALUES: usize = 4000;

/// The writes that store a batch's readings of one terminal. Each is refused when an earlier run of the batch did it.
pub fn append(mac: &Mac, batch: &str, arrived: Timestamp, readings: &[Reading]) -> Result<Vec<Write>, TableError> {
    let expires = Some(arrived.plus(RAW_RETENTION));
    let put = |(part, readings): (usize, &[Reading])| {
        let part = if part == 0 { String::new() } else { format!("#{part:03}") };
        record::put_new(Key::new(history_pk(mac), format!("{}#{batch}{part}", arrived.sortable())), &readings, expires)
    };
    parts(readings).into_iter().enumerate().map(put).collect()
}

/// Readings in parts that each fit into an item.
fn parts(readings: &[Reading]) -> Vec<&[Reading]> {
    let mut parts = Vec::new();
    let (mut begin, mut values) = (0, 0);
    for (index, reading) in readings.iter().enumerate() {
        if index > begin && values + reading.values.len() > MOST_VALUES {
            parts.push(&readings[begin..index]);
            (begin, values) = (index, 0);
        }
        values += reading.values.len();
    }
    if begin < readings.len() {
        parts.push(&readings[begin..]);
    }
    parts
}

/// Which part of a device's history is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first instant of arrival.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// The most readings.
    pub limit: usize,
    /// Where an earlier page ended.
    pub after: Option<String>,
}

/// A page of readings, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// The readings.
    pub items: Vec<Reading>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
}

/// A device's readings, newest first. A page ends with a whole batch, so it may hold a few more than asked.
///
/// Two batches may hold the same reading, where a worker stood still before it stored the one and the other was posted again and
/// worked off meanwhile. It is shown once, as the one that was in time where one was, also where they are on two pages.
pub async fn history(table: &dyn Table, mac: &Mac, pid: Pid, span: &Span) -> Result<HistoryPage, TableError> {
    let mut range = Range::all(history_pk(mac), span.limit.clamp(1, 1000))
        .between(span.from.sortable(), format!("{}#~", span.to.sortable()))
        .newest_first()
        .after(span.after.clone());
    let shown = match &span.after {
        Some(after) => near(table, mac, (after, Side::After), (span.from, span.to)).await?,
        None => Vec::new(),
    };
    let mut once = Once::but(&shown);
    loop {
        let page = table.query(&range).await?;
        let mut last = None;
        for item in &page.items {
            let batch: Versioned<Vec<Reading>> = record::decode(item)?;
            for reading in batch.value.into_iter().rev().filter(|reading| reading.device.pid == pid) {
                once.add(reading);
            }
            last = Some(item.key.sk.clone());
            if once.readings.len() >= span.limit {
                break;
            }
        }
        let exhausted = page.next.is_none() && page.items.last().map(|item| &item.key.sk) == last.as_ref();
        if exhausted || once.readings.len() >= span.limit {
            let next = last.filter(|_| !exhausted);
            once.looks_on(table, mac, (next.as_ref(), Side::Before), (span.from, span.to)).await?;
            return Ok(HistoryPage { items: once.readings, next });
        }
        range.after = page.next;
    }
}

/// Which side of a place in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// What the batches hold that arrived so near to one, that one among them, within a span, that the same may be in both.
async fn near(
    table: &dyn Table,
    mac: &Mac,
    (place, side): (&String, Side),
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Reading>, TableError> {
    let Some(at) = place.split('#').next().and_then(|at| at.parse().ok()).map(Timestamp) else {
        return Ok(Vec::new());
    };
    let (first, last) = match side {
        Side::Before => (from.max(at.minus(SENT_AGAIN)).sortable(), place.clone()),
        Side::After => (place.clone(), format!("{}#~", to.min(at.plus(SENT_AGAIN)).sortable())),
    };
    let batches: Vec<Vec<Reading>> =
        record::all(table, Range::all(history_pk(mac), REPLAYED).between(first, last)).await?;
    Ok(batches.into_iter().flatten().collect())
}

/// Readings of one terminal, each once.
#[derive(Default)]
struct Once {
    readings: Vec<Reading>,
    places: HashMap<(Pid, Timestamp), usize>,
    /// Those that another page has.
    elsewhere: HashSet<(Pid, Timestamp)>,
}

impl Once {
    /// But for those that the page before has.
    fn but(shown: &[Reading]) -> Self {
        let elsewhere = shown.iter().map(|reading| (reading.device.pid, reading.asked)).collect();
        Self { elsewhere, ..Self::default() }
    }

    /// One that came late may be on the page that follows as well, in time.
    async fn looks_on(
        &mut self,
        table: &dyn Table,
        mac: &Mac,
        (next, side): (Option<&String>, Side),
        span: (Timestamp, Timestamp),
    ) -> Result<(), TableError> {
        let Some(next) = next.filter(|_| self.readings.iter().any(|reading| reading.late)) else { return Ok(()) };
        for reading in near(table, mac, (next, side), span).await? {
            let place = self.places.get(&(reading.device.pid, reading.asked));
            if let Some(known) = place.and_then(|place| self.readings.get_mut(*place)) {
                known.late &= reading.late;
            }
        }
        Ok(())
    }

    fn add(&mut self, reading: Reading) {
        if self.elsewhere.contains(&(reading.device.pid, reading.asked)) {
            return;
        }
        let place = *self.places.entry((reading.device.pid, reading.asked)).or_insert(self.readings.len());
        match self.readings.get_mut(place) {
            Some(known) => known.late &= reading.late,
            None => self.readings.push(reading),
        }
    }
}

/// How long before or after another a reply may have arrived that is the same one. A gateway gives a post up after minutes.
const SENT_AGAIN: Duration = Duration::from_mins(15);

/// The same reading, with the batch that stored it, if one did.
pub async fn find(table: &dyn Table, reading: &Reading) -> Result<Option<(String, Reading)>, TableError> {
    let (first, last) = (reading.arrived.minus(SENT_AGAIN), reading.arrived.plus(SENT_AGAIN));
    let mut range = Range::all(history_pk(&reading.device.mac), REPLAYED)
        .between(first.sortable(), format!("{}#~", last.sortable()));
    loop {
        let page = table.query(&range).await?;
        for item in &page.items {
            let stored: Versioned<Vec<Reading>> = record::decode(item)?;
            let is_same = |stored: &Reading| stored.device == reading.device && stored.asked == reading.asked;
            if let Some(stored) = stored.value.into_iter().find(is_same) {
                let batch = item.key.sk.split('#').nth(1).unwrap_or_default().to_owned();
                return Ok(Some((batch, stored)));
            }
        }
        if page.next.is_none() {
            return Ok(None);
        }
        range.after = page.next;
    }
}

/// A page of what a terminal's devices said, in the order of arrival, and where to go on.
pub async fn replayed(
    table: &dyn Table,
    mac: &Mac,
    (from, to): (Timestamp, Timestamp),
    after: Option<String>,
) -> Result<Listed<Reading>, TableError> {
    let shown = match &after {
        Some(after) => near(table, mac, (after, Side::Before), (from, to)).await?,
        None => Vec::new(),
    };
    let range =
        Range::all(history_pk(mac), REPLAYED).between(from.sortable(), format!("{}#~", to.sortable())).after(after);
    let page: Listed<Vec<Reading>> = record::page(table, &range).await?;
    let mut once = Once::but(&shown);
    page.items.into_iter().flatten().for_each(|reading| once.add(reading));
    once.looks_on(table, mac, (page.next.as_ref(), Side::After), (from, to)).await?;
    Ok(Listed { items: once.readings, next: page.next })
}

/// How many batches are replayed at once.
const REPLAYED: usize = 200;

pub(crate) fn latest_key(mac: &Mac) -> Key {
    Key::new(format!("terminal#{mac}"), "latest")
}

fn history_pk(mac: &Mac) -> String {
    format!("history#{mac}")
}
