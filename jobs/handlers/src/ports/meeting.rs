//! Where a process meets others, and what it sees of that.

/// By how many milliseconds a process's clock may be apart from that of its meeting point: two processes differ by twice as much at most,
/// which is how much later than now an instant may be.
pub const MOST_APART_MS: i64 = 5000;
/// From how many on it is said.
pub const SAID_APART_MS: i64 = 1000;

/// What was seen last of the queue that processes meet over. Each text says what is wrong, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingState {
    /// Why it is away.
    pub away: Option<String>,
    /// Why it is not the one that belongs to the store any more: nothing is given to it, and nothing taken.
    pub lost: Option<String>,
    /// By what it may lose what it is given.
    pub forgets: Option<String>,
    /// By how many milliseconds our clock is ahead of its own; negative behind.
    pub clock_ahead_ms: Option<i64>,
}

/// Something that is wrong: a code, and a sentence.
pub type Amiss = (&'static str, String);

impl MeetingState {
    /// That our clock is wrong, or that of the meeting point, if they are so many milliseconds apart.
    pub fn apart(&self, from_ms: i64) -> Option<String> {
        let ahead = self.clock_ahead_ms.filter(|ahead| ahead.abs() >= from_ms)?;
        let (by, way) = (ahead.abs() / 1000, if ahead > 0 { "ahead of" } else { "behind" });
        let rest = ahead.abs() % 1000 / 100;
        Some(format!(
            "the clock here is {by}.{rest} s {way} that of redis: see which of both is wrong, and set it (NTP)"
        ))
    }

    /// Why a process cannot do its work, if it cannot. One that spools takes what gateways say without a queue.
    pub fn why_not_ready(&self, spools: bool) -> Option<Amiss> {
        let apart = self.apart(MOST_APART_MS).map(|why| ("clock-apart", why));
        let lost = || self.lost.clone().map(|why| ("queue-lost", why));
        let away = || self.away.as_ref().map(|why| ("queue-away", format!("the queue is away: {why}")));
        apart.or_else(|| if spools { None } else { lost().or_else(away) })
    }

    /// All that is wrong.
    pub fn amiss(&self) -> Vec<Amiss> {
        let away = self.away.as_ref().map(|why| ("queue-away", format!("the queue is away: {why}")));
        let lost = self.lost.clone().map(|why| ("queue-lost", why));
        let forgets = self.forgets.clone().map(|why| ("queue-forgets", why));
        let apart = self.apart(SAID_APART_MS).map(|why| ("clock-apart", why));
        [away, lost, forgets, apart].into_iter().flatten().collect()
    }
}

/// Looks at where a process meets others.
pub trait MeetingPoint: Send + Sync {
    /// What was seen last.
    fn state(&self) -> MeetingState;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_said_from_a_second_on_and_are_no_work_from_five() {
        let at = |ahead: i64| MeetingState { clock_ahead_ms: Some(ahead), ..MeetingState::default() };
        assert!(at(-999).amiss().is_empty());
        assert_eq!(at(4900).why_not_ready(true), None);
        let (code, why) = &at(4900).amiss()[0];
        assert_eq!((*code, why.contains("is 4.9 s ahead of that of redis")), ("clock-apart", true), "{why}");
        assert!(at(-3_600_000).why_not_ready(true).is_some_and(|(_, why)| why.contains("3600.0 s behind")));
    }

    #[test]
    fn who_spools_is_ready_without_a_queue_and_nobody_else() {
        let away = MeetingState { away: Some("it hangs".to_owned()), ..MeetingState::default() };
        assert_eq!(away.why_not_ready(true), None);
        assert_eq!(away.why_not_ready(false).map(|(code, _)| code), Some("queue-away"));
        let forgets = MeetingState { forgets: Some("everysec".to_owned()), ..MeetingState::default() };
        assert_eq!((forgets.why_not_ready(false), forgets.amiss().len()), (None, 1));
    }
}
