//! A queue whose one taker waits when it is empty.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Things that wait to be taken, by one task, in order.
pub(crate) struct Waiting<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { items: VecDeque::new(), closed: false }), changed: Notify::new() }
    }
}

impl<T> Waiting<T> {
    /// Puts it last.
    pub(crate) fn push_back(&self, item: T) {
        self.state().items.push_back(item);
        self.changed.notify_one();
    }

    /// Puts it first.
    pub(crate) fn push_front(&self, item: T) {
        self.state().items.push_front(item);
        self.changed.notify_one();
    }

    /// Puts it last and, when more than `most` wait now, takes the first out to make room.
    pub(crate) fn push_back_within(&self, most: usize, item: T) -> Option<T> {
        let mut state = self.state();
        state.items.push_back(item);
        let displaced = if state.items.len() > most { state.items.pop_front() } else { None };
        drop(state);
        self.changed.notify_one();
        displaced
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Nothing more will come: the taker gets what waits, and then nothing.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    /// Takes the first, when there is one; none once closed and empty. May be dropped without losing anything.
    pub(crate) async fn next(&self) -> Option<T> {
        loop {
            {
                let mut state = self.state();
                let first = state.items.pop_front();
                if first.is_some() || state.closed {
                    return first;
                }
            }
            self.changed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn things_come_out_in_order_and_urgent_ones_first() {
        let waiting = Waiting::default();
        waiting.push_back(1);
        waiting.push_back(2);
        waiting.push_front(0);
        assert_eq!(waiting.len(), 3);
        for expected in 0..3 {
            assert_eq!(waiting.next().await, Some(expected));
        }
    }

    #[tokio::test]
    async fn a_full_queue_gives_up_its_oldest() {
        let waiting = Waiting::default();
        assert_eq!(waiting.push_back_within(1, 1), None);
        assert_eq!(waiting.push_back_within(1, 2), Some(1));
    }

    #[tokio::test]
    async fn the_taker_wakes_for_what_comes_and_stops_when_closed_and_empty() {
        let waiting = Waiting::default();
        let (taken, ()) =
            tokio::join!(async { [waiting.next().await, waiting.next().await, waiting.next().await] }, async {
                tokio::task::yield_now().await;
                waiting.push_back(7);
                tokio::task::yield_now().await;
                waiting.push_back(8);
                waiting.close();
            });
        assert_eq!(taken, [Some(7), Some(8), None]);
    }
}
