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
    /// When each device was asked whose answer is the newest of it.
    newest: HashMap<(NodeName, Mac, Pid), Timestamp>,
}

impl Recent {
    /// Whether an answer is durable, to be looked at and to be set; and whether a newer one of its device came first.
    pub(super) fn of(&self, id: AnswerId, now: Timestamp) -> (Durable, bool) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let overtaken = remembered.is_overtaken(&id, now);
        if let Some(durable) = remembered.answers.get(&id) {
            return (Arc::clone(durable), overtaken);
        }
        remembered.make_room();
        remembered.oldest_first.push_back(id.clone());
        (Arc::clone(remembered.answers.entry(id).or_default()), overtaken)
    }
}

impl Remembered {
    fn make_room(&mut self) {
        if self.oldest_first.len() < MOST {
            return;
        }
        let Some(oldest) = self.oldest_first.pop_front() else { return };
        self.answers.remove(&oldest);
        let (node, mac, pid, asked) = oldest;
        let device = (node, mac, pid);
        if self.newest.get(&device) == Some(&asked) {
            self.newest.remove(&device);
        }
    }

    /// Nothing is asked in the future: who claims that, or was asked before the clock was set back, overtakes nobody.
    fn is_overtaken(&mut self, (node, mac, pid, asked): &AnswerId, now: Timestamp) -> bool {
        let newest = self.newest.entry((node.clone(), mac.clone(), *pid)).or_insert(*asked);
        let overtaken = asked < newest && *newest <= now;
        if !overtaken {
            *newest = *asked;
        }
        overtaken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1000);

    fn id(number: usize) -> AnswerId {
        ("n1".to_owned(), format!("{number:012}").parse().unwrap(), 1, Timestamp(1))
    }

    #[test]
    fn an_answer_is_remembered_until_many_others_came() {
        let recent = Recent::default();
        recent.of(id(0), NOW).0.set(()).unwrap();
        assert!(recent.of(id(0), NOW).0.initialized());
        (1..=MOST).for_each(|number| drop(recent.of(id(number), NOW)));
        assert!(!recent.of(id(0), NOW).0.initialized());
        assert_eq!(recent.0.into_inner().unwrap().newest.len(), MOST);
    }

    #[test]
    fn an_older_answer_of_the_same_device_is_overtaken() {
        let recent = Recent::default();
        let overtaken = |asked, pid| {
            let (node, mac, _, _) = id(0);
            recent.of((node, mac, pid, Timestamp(asked)), NOW).1
        };
        assert_eq!([overtaken(500, 1), overtaken(400, 1), overtaken(400, 2)], [false, true, false]);
        assert_eq!([overtaken(600, 1), overtaken(550, 1)], [false, true]);
        assert_eq!([overtaken(500, 1), overtaken(600, 1)], [true, false], "posted again");
        assert!(!overtaken(5000, 1), "the future");
        assert!(!overtaken(650, 1), "the future overtakes nobody");
    }
}
