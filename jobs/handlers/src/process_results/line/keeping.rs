//! What of a batch is kept, and how it is stored.

use std::time::Duration;

use domain::{reading::Reading, time::CLOCKS_DIFFER};
use futures::future;
use records::{
    Outcome, Write, readings,
    terminals::{self, Standing},
};

use super::Line;
use crate::{Context, JobError};

/// For how long a latest value that does not move is not written again, where every reading is kept.
const SILENCE: Duration = Duration::from_mins(5);

impl Line<'_> {
    /// Whether a reading says what the one before said, not long ago. The same reading again, from an earlier run of the
    /// batch, is no repeat: it may not be in the history yet.
    pub(super) fn repeats(&self, reading: &Reading, known: &Reading) -> bool {
        let silence = self.silence.unwrap_or(SILENCE);
        reading.asked > known.asked
            && reading.values == known.values
            && reading.late == known.late
            && reading.arrived.since(known.arrived) < silence
    }

    /// Whether a reading takes the place of the latest that is known. One that was asked in the future is of a clock that was
    /// set back since.
    pub(super) fn replaces(&self, reading: &Reading, known: &Reading) -> bool {
        let newer = reading.asked > known.asked || known.asked > reading.arrived.plus(CLOCKS_DIFFER);
        newer && !self.repeats(reading, known)
    }

    /// Stores what the batch brought; false when another worker changed the line meanwhile.
    ///
    /// The history goes its own way, beside the rest: an item of it is put where nothing is, the rest is refused where it
    /// is not what was read, and both come out the same when an earlier run did a part. One transaction over all would cost
    /// twice as much on an engine that is paid by the write.
    pub(super) async fn store(&self, cx: &Context, batch: &str) -> Result<bool, JobError> {
        let table = cx.table.as_ref();
        let items = match self.readings.first() {
            Some(first) => readings::append(&self.terminal.mac, batch, first.arrived, &self.readings)?,
            None => Vec::new(),
        };
        let history = future::try_join_all(items.into_iter().map(|item| table.write(item)));
        let (_, rest): (Vec<Outcome>, _) = future::try_join(history, table.transact(self.changes()?)).await?;
        Ok(rest.applied())
    }

    /// What else than the history is to be written.
    fn changes(&self) -> Result<Vec<Write>, JobError> {
        let mac = &self.terminal.mac;
        let mut writes = Vec::new();
        if self.moved {
            writes.push(readings::put_latest(mac, &self.latest)?);
        }
        if self.linked || worth_storing(&self.stood, &self.standing.value) {
            writes.push(terminals::put_standing(mac, &self.standing)?);
        }
        if let Some(record) = &self.record {
            writes.push(terminals::update(record)?);
        }
        Ok(writes)
    }
}

/// That time went on is no change: it alone is not worth a write per reading. It is when the terminal came or went, lest
/// an older report, which another worker may bring late, undo that.
fn worth_storing(before: &Standing, after: &Standing) -> bool {
    Standing { newest: before.newest, ..after.clone() } != *before
}
