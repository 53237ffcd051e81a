//! Which answers are durable already: a program that saw no answer to its post sends it again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Mac, NodeName, Pid, Timestamp};
use tokio::sync::OnceCell;

/// How many answers are remembered.
const MOST: usize = 20_000;

/// What names an answer. One node cannot speak for another's.
pub(super) type AnswerId = (NodeName, Mac, Pid, Timestamp);

/// Set once an answer is durable. Who finds it in the making waits for it.
pub(super) type Durable = Arc<OnceCell<()>>;

/// The answers of late.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    answers: HashMap<AnswerId, Durable>,
    oldest_first: VecDeque<AnswerId>,
}

impl Recent {
    /// Whether an answer is durable, to be looked at and to be set.
    pub(super) fn of(&self, id: AnswerId) -> Durable {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(durable) = remembered.answers.get(&id) {
            return Arc::clone(durable);
        }
        if remembered.oldest_first.len() == MOST
            && let Some(oldest) = remembered.oldest_first.pop_front()
        {
            remembered.answers.remove(&oldest);
        }
        remembered.oldest_first.push_back(id.clone());
        Arc::clone(remembered.answers.entry(id).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> AnswerId {
        ("n1".to_owned(), format!("{number:012}").parse().unwrap(), 1, Timestamp(1))
    }

    #[test]
    fn an_answer_is_remembered_until_many_others_came() {
        let recent = Recent::default();
        recent.of(id(0)).set(()).unwrap();
        assert!(recent.of(id(0)).initialized());
        (1..=MOST).for_each(|number| drop(recent.of(id(number))));
        assert!(!recent.of(id(0)).initialized());
    }
}
