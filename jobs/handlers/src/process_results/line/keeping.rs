//! What of a batch is kept, and how it is stored.

use domain::{reading::Reading, time::CLOCKS_DIFFER};
use futures::future;
use records::{
    Outcome, Write, readings,
    terminals::{self, Standing},
};

use super::Line;
use crate::{Context, JobError};

/// Which batch stores a reading.
pub(super) enum Whose {
    /// This one, which may have done so in an earlier run.
    Ours,
    /// This one did in an earlier run. Newer ones came since, so what it was then is what counts.
    StoredByUs {
        /// Whether it came too late for an alarm.
        late: bool,
    },
    /// Another.
    Anothers,
}

impl Line<'_> {
    /// Whether a reading says what the one before said, not long ago, and such ones are not kept. The same reading again,
    /// from an earlier run of the batch, is no repeat: it may not be in the history yet.
    pub(super) fn repeats(&self, reading: &Reading, known: &Reading) -> bool {
        reading.asked > known.asked
            && reading.values == known.values
            && reading.late == known.late
            && self.silence.is_some_and(|silence| reading.arrived.since(known.arrived) < silence)
    }

    /// Whose a reading is to store. A gateway that hears no answer posts again, also to another broker; and what is older
    /// than the latest may be that, or late, or of a batch that runs again.
    pub(super) async fn whose(&self, cx: &Context, reading: &Reading) -> Result<Whose, JobError> {
        let pid = reading.device.pid;
        let Some(known) = self.latest.value.devices.get(&pid) else { return Ok(Whose::Ours) };
        if reading.asked == known.asked {
            let is_ours = self.latest.value.batches.get(&pid).is_some_and(|batch| batch == self.batch);
            return Ok(if is_ours { Whose::Ours } else { Whose::Anothers });
        }
        if self.displaced.contains(&(pid, reading.asked)) {
            return Ok(Whose::Anothers);
        }
        let is_older = reading.asked < known.asked;
        let stored = if is_older { readings::find(cx.table.as_ref(), reading).await? } else { None };
        Ok(match stored {
            None => Whose::Ours,
            Some((batch, stored)) if batch == self.batch => Whose::StoredByUs { late: stored.late },
            Some(_) => Whose::Anothers,
        })
    }

    /// Takes a reading as the latest, if it is newer: so it is this batch's to store, whoever else brings it. One that was
    /// asked in the future is of a clock that was set back since.
    pub(super) fn claim(&mut self, reading: &Reading) {
        let latest = &mut self.latest.value;
        let pid = reading.device.pid;
        let known = latest.devices.get(&pid);
        let is_newer =
            |known: &Reading| reading.asked > known.asked || known.asked > reading.arrived.plus(CLOCKS_DIFFER);
        if known.is_none_or(is_newer) {
            // Another reading of the batch was, and is no more.
            self.unclaimed |= self.readings.iter().any(|earlier| earlier.device == reading.device);
            let displaced = latest.devices.insert(pid, reading.clone());
            let whose = latest.batches.insert(pid, self.batch.to_owned());
            if let Some(displaced) = displaced.filter(|_| whose.is_some_and(|whose| whose != self.batch)) {
                self.displaced.push((pid, displaced.asked));
            }
            self.moved = true;
        } else if known.is_some_and(|known| known.asked != reading.asked) {
            self.unclaimed = true;
        }
    }

    /// Stores what the batch brought; false when another worker changed the line meanwhile.
    ///
    /// First what says whose the readings are, which is refused where it is not what was read, then the history, of which an
    /// item is put where nothing is: both come out the same when an earlier run did a part. One transaction over all costs
    /// twice as much on an engine that is paid by the write, and is for readings that are not the latest any more.
    pub(super) async fn store(&self, cx: &Context) -> Result<bool, JobError> {
        let table = cx.table.as_ref();
        let items = readings::append(&self.terminal.mac, self.batch, self.began, &self.readings)?;
        let changes = self.changes()?;
        if self.unclaimed {
            match table.transact([&*changes, &*items].concat()).await? {
                Outcome::Applied => return Ok(true),
                Outcome::Refused { index, .. } if index < changes.len() => return Ok(false),
                // An earlier run stored some of it.
                Outcome::Refused { .. } => {}
            }
        }
        if !table.transact(changes).await?.applied() {
            return Ok(false);
        }
        let _: Vec<Outcome> = future::try_join_all(items.into_iter().map(|item| table.write(item))).await?;
        Ok(true)
    }

    /// What else than the history is to be written.
    fn changes(&self) -> Result<Vec<Write>, JobError> {
        let mac = &self.terminal.mac;
        let mut writes = Vec::new();
        // Of two batches that store what the latest does not tell of, one looks for it after the other stored it.
        if self.moved || self.unclaimed {
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
