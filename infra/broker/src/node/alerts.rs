//! What gateway programs warn of, each warning once in five minutes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Mac, NodeName, Timestamp};

/// For how long the same warning says nothing new.
const SAME_FOR: Duration = Duration::from_mins(5);

/// How many are remembered; then all that are old are forgotten.
const MANY: usize = 1000;

/// What makes a warning the same: who warns, of which terminal, of what, in which words.
type Warning = (NodeName, Option<Mac>, String, String);

/// The warnings of late.
#[derive(Debug, Default)]
pub(crate) struct Alerts(Mutex<HashMap<Warning, Timestamp>>);

impl Alerts {
    /// Whether this warning is news at `now`.
    pub(super) fn is_news(&self, node: &str, mac: Option<&Mac>, kind: &str, message: &str, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MANY {
            known.retain(|_, at| is_lately(*at, now));
        }
        if known.len() >= MANY {
            return false;
        }
        let warning = (node.to_owned(), mac.cloned(), kind.to_owned(), message.to_owned());
        let last = known.get(&warning).copied();
        if last.is_some_and(|last| is_lately(last, now)) {
            return false;
        }
        known.insert(warning, now);
        true
    }
}

/// What is of a clock that was set back since is not of late.
fn is_lately(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) < SAME_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_news_once_in_five_minutes() {
        let alerts = Alerts::default();
        let mac = "98D863CC870D".parse().unwrap();
        let is_news =
            |kind: &str, minute: i64| alerts.is_news("n1", Some(&mac), kind, "no answer", Timestamp(minute * 60_000));
        assert!(is_news("AT_TIMEOUT", 10));
        assert!(!is_news("AT_TIMEOUT", 14));
        assert!(is_news("FATAL", 14));
        assert!(is_news("AT_TIMEOUT", 15));
        assert!(is_news("AT_TIMEOUT", 2), "the clock was set back");
    }
}
