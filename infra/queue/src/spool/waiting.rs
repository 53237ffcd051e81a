//! What lies in a spool, by number: first what the queue does not have yet, then what it has.

use std::collections::VecDeque;

/// How many messages are given to the queue at once, and how many bytes of them at most.
const GIVEN_AT_ONCE: usize = 100;
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;
/// How many are removed from the disk at once: after one that was full for long they are many.
const REMOVED_AT_ONCE: usize = 1000;

#[derive(Default)]
pub(super) struct Waiting {
    /// What waits for the queue, the oldest first: numbers and sizes in bytes.
    rows: VecDeque<(u64, u64)>,
    /// The bytes of that.
    bytes: u64,
    /// What the queue has, and which is on the disk still: numbers and sizes in bytes.
    given: VecDeque<(u64, u64)>,
    /// The bytes of that.
    given_bytes: u64,
    last: u64,
}

impl Waiting {
    /// So many numbers of which none was used before; the first of them.
    pub(super) fn number(&mut self, count: usize) -> u64 {
        let first = self.last + 1;
        self.last += count as u64;
        first
    }

    pub(super) fn push(&mut self, number: u64, size: usize) {
        self.rows.push_back((number, size as u64));
        self.bytes += size as u64;
        self.last = self.last.max(number);
    }

    /// How many wait for the queue.
    pub(super) fn messages(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many bytes wait for the queue.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing waits for the queue.
    pub(super) fn all_is_given(&self) -> bool {
        self.rows.is_empty()
    }

    /// The oldest that wait, as many as are given at once.
    pub(super) fn oldest(&self) -> Vec<u64> {
        let mut bytes = 0;
        let fits = |(_, size): &&(u64, u64)| {
            bytes += usize::try_from(*size).unwrap_or(usize::MAX);
            bytes <= BYTES_AT_ONCE || bytes == usize::try_from(*size).unwrap_or(usize::MAX)
        };
        self.rows.iter().take(GIVEN_AT_ONCE).take_while(fits).map(|(number, _)| *number).collect()
    }

    /// The queue has these, which were looked at before: copies may have come before them meanwhile. Whether it has all.
    pub(super) fn give(&mut self, numbers: &[u64]) -> bool {
        for (number, size) in take(&mut self.rows, numbers) {
            self.bytes -= size;
            self.given.push_back((number, size));
            self.given_bytes += size;
        }
        self.all_is_given()
    }

    /// The queue has this, of which a copy is kept here.
    pub(super) fn copy(&mut self, number: u64, size: usize) {
        self.given.push_back((number, size as u64));
        self.given_bytes += size as u64;
    }

    /// What the queue has is given to it again, before all else.
    pub(super) fn give_again(&mut self) {
        for (number, size) in std::mem::take(&mut self.given).into_iter().rev() {
            self.rows.push_front((number, size));
            self.bytes += size;
        }
        self.given_bytes = 0;
    }

    /// What the queue has, the oldest first, as much as is removed from the disk at once, and no more than leaves so many bytes of it.
    pub(super) fn given(&self, leaves: u64) -> Vec<u64> {
        let mut left = self.given_bytes;
        let goes = |(_, size): &&(u64, u64)| {
            let goes = left > leaves;
            left = left.saturating_sub(*size);
            goes
        };
        self.given.iter().take(REMOVED_AT_ONCE).take_while(goes).map(|(number, _)| *number).collect()
    }

    /// These, which were looked at before, are not on the disk any more, and so cannot be given again either.
    pub(super) fn removed(&mut self, numbers: &[u64]) {
        let removed = take(&mut self.given, numbers);
        self.given_bytes -= bytes_of(&removed);
        if removed.len() < numbers.len() {
            self.bytes -= bytes_of(&take(&mut self.rows, numbers));
        }
    }
}

/// Takes out those of these numbers, which stand in this order, wherever they stand.
fn take(rows: &mut VecDeque<(u64, u64)>, numbers: &[u64]) -> Vec<(u64, u64)> {
    let mut wanted = numbers.iter().peekable();
    let (mut taken, mut others) = (Vec::with_capacity(numbers.len()), Vec::new());
    while let Some(number) = wanted.peek() {
        match rows.pop_front() {
            Some(row) if row.0 == **number => {
                wanted.next();
                taken.push(row);
            }
            Some(row) => others.push(row),
            None => break,
        }
    }
    for row in others.into_iter().rev() {
        rows.push_front(row);
    }
    taken
}

fn bytes_of(rows: &[(u64, u64)]) -> u64 {
    rows.iter().map(|(_, size)| size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers 1 to 4, of which the queue has the first two.
    fn half_given() -> Waiting {
        let mut waiting = Waiting::default();
        (1..=4).for_each(|number| waiting.push(number, 10));
        waiting.give(&[1, 2]);
        waiting
    }

    #[test]
    fn what_is_given_again_while_other_things_are_given_waits_still() {
        let mut waiting = half_given();
        let given = waiting.oldest();
        waiting.give_again();
        assert!(!waiting.give(&given));
        assert_eq!((waiting.oldest(), waiting.bytes(), waiting.given(0)), (vec![1, 2], 20, vec![3, 4]));
    }

    #[test]
    fn what_is_given_again_while_it_is_removed_waits_no_more() {
        let mut waiting = half_given();
        let removed = waiting.given(0);
        waiting.give_again();
        waiting.removed(&removed);
        assert_eq!((waiting.oldest(), waiting.bytes(), waiting.given(0)), (vec![3, 4], 20, vec![]));
    }

    #[test]
    fn a_copy_that_comes_while_others_are_removed_stays() {
        let mut waiting = half_given();
        let removed = waiting.given(0);
        waiting.copy(5, 10);
        waiting.removed(&removed);
        assert_eq!((waiting.given(0), waiting.given(10)), (vec![5], vec![]));
    }
}
