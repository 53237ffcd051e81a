//! A pace at which gateway programs are let in, so that thousands that come back at once do not stampede the store and the
//! queue: each comes after the other, those that came first first.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How far apart two programs are let in when many come: five hundred a second.
const APART: Duration = Duration::from_millis(2);
/// How many may come at once before the others wait.
const AT_ONCE: u32 = 100;

/// Gives each that comes its turn.
pub(crate) struct Admission(Mutex<Option<Instant>>);

impl Default for Admission {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl Admission {
    /// Returns when it is the turn of who calls.
    pub(crate) async fn turn(&self) {
        let turn = self.next(Instant::now());
        sleep_until(turn).await;
    }

    /// The instant of the next turn. Instants that nobody took are saved up, as many as may come at once.
    fn next(&self, now: Instant) -> Instant {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let saved_up = now.checked_sub(APART * AT_ONCE).unwrap_or(now);
        let turn = last.map_or(saved_up, |last| (last + APART).max(saved_up));
        *last = Some(turn);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_are_let_in_at_once_and_many_one_after_the_other() {
        let admission = Admission::default();
        tokio::time::advance(Duration::from_mins(1)).await;
        let now = Instant::now();
        for _ in 0..=AT_ONCE {
            assert!(admission.next(now) <= now);
        }
        for number in 1..=1000 {
            assert_eq!(admission.next(now), now + APART * number);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_with_a_thousand_others_waits_until_it_is_their_turn() {
        let admission = Admission::default();
        tokio::time::advance(Duration::from_mins(1)).await;
        let began = Instant::now();
        let waits = futures::future::join_all((0..=AT_ONCE + 1000).map(async |_| {
            admission.turn().await;
            began.elapsed()
        }))
        .await;
        let (at_once, one_by_one) = waits.split_at(AT_ONCE as usize + 1);
        assert!(at_once.iter().all(Duration::is_zero), "{at_once:?}");
        for (number, waited) in (1..).zip(one_by_one) {
            // The clock of the runtime goes by milliseconds.
            assert!(
                (APART * number..=APART * number + Duration::from_millis(1)).contains(waited),
                "{number}: {waited:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_alone_never_waits() {
        let admission = Admission::default();
        for _ in 0..1000 {
            tokio::time::advance(APART).await;
            assert!(admission.next(Instant::now()) <= Instant::now());
        }
    }
}
