//! A notifier for tests of other crates: it keeps the letters in memory and fails when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use jobs::ports::{Delivery, Letter, Notifier, Receipt};

/// Takes every letter, except those it was told to fail.
#[derive(Debug, Default)]
pub struct RecordingNotifier {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Letter>,
    /// What the next attempts get instead of a receipt.
    failures: VecDeque<Delivery>,
    /// What a channel's attempts get until it is taken back.
    refusals: BTreeMap<&'static str, Delivery>,
}

impl RecordingNotifier {
    /// Nothing sent, nothing to fail.
    pub fn new() -> Self {
        Self::default()
    }

    /// The letters it took, oldest first. A failed attempt leaves nothing here.
    pub fn sent(&self) -> Vec<Letter> {
        self.state().sent.clone()
    }

    /// Answers the next `attempts` with `with`, after the failures it already owes.
    pub fn fail_next(&self, attempts: usize, with: &Delivery) {
        self.state().failures.extend(std::iter::repeat_n(with.clone(), attempts));
    }

    /// Answers every attempt on a channel with this, after the failures it owes; none takes that back.
    pub fn refuse_channel(&self, channel: &'static str, with: Option<Delivery>) {
        let mut state = self.state();
        state.refusals.remove(channel);
        state.refusals.extend(with.map(|with| (channel, with)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn send(&self, letter: &Letter) -> Delivery {
        let mut state = self.state();
        if let Some(failure) = state.failures.pop_front() {
            return failure;
        }
        if let Some(refusal) = state.refusals.get(letter.address.channel()) {
            return refusal.clone();
        }
        state.sent.push(letter.clone());
        Delivery::Sent(Receipt(format!("recorded as number {}", state.sent.len())))
    }
}

#[cfg(test)]
mod tests {
    use jobs::ports::{Address, Forms};
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn it_fails_as_often_as_told_and_then_takes_the_letter() {
        let notifier = RecordingNotifier::new();
        let letter = Letter {
            id: "n1".to_owned(),
            address: Address::Email { to: "a@example.com".to_owned() },
            subject: String::new(),
            text: String::new(),
            data: Value::Null,
            forms: Forms::default(),
        };
        let busy = Delivery::TryLater { after: None, why: "busy".to_owned() };
        notifier.fail_next(2, &busy);

        assert_eq!(notifier.send(&letter).await, busy);
        assert_eq!(notifier.send(&letter).await, busy);
        assert!(notifier.sent().is_empty());
        assert!(matches!(notifier.send(&letter).await, Delivery::Sent(_)));
        assert_eq!(notifier.sent(), [letter]);
    }
}
