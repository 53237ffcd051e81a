//! What goes wrong, and how often: a world has its own mixture.

use std::time::Duration;

use jobs::ports::Leased;

use super::{
    chance::Chance,
    gate::{Call, Fate, Moment},
};

/// Each is: once in so many times, never when it is 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// A run dies while it waits at its gate.
    crash: u64,
    /// A port is away, before its effect or after.
    away: u64,
    /// A call is sent twice on its way.
    twice: u64,
    /// A run is held up at its gate.
    stall: u64,
    /// A message lies for a while before it is run.
    hold: u64,
    /// A lease is short, so that the message is given out again while its first run goes on.
    short_lease: u64,
    /// A run ends, and the queue does not hear of it.
    unsettled: u64,
    /// A message that is done comes again.
    again: u64,
    /// How many runs are under way at once, at most.
    pub(super) at_once: usize,
}

/// A message that is disturbed more often than this would use up its attempts.
const MOST_DISTURBED: u32 = 6;

impl Faults {
    /// Some mixture: each kind is absent from some worlds, so that what it hides is seen.
    pub(super) fn some(chance: &mut Chance) -> Self {
        let mut rate = |rates: [u64; 3]| *chance.one_of(&rates);
        Self {
            crash: rate([0, 60, 200]),
            away: rate([0, 40, 150]),
            twice: rate([0, 40, 100]),
            stall: rate([0, 25, 100]),
            hold: rate([0, 5, 25]),
            short_lease: rate([0, 10, 40]),
            unsettled: rate([0, 20, 60]),
            again: rate([0, 8, 30]),
            at_once: usize::try_from(chance.between(2, 4)).unwrap_or(2),
        }
    }

    /// None of it, and as many runs at once.
    pub(super) fn healed(&self) -> Self {
        Self { at_once: self.at_once, ..Self::default() }
    }

    /// Whether a run that waits dies.
    pub(super) fn crashes(&self, chance: &mut Chance, leased: &Leased) -> bool {
        may_be_disturbed(leased) && chance.once_in(self.crash)
    }

    /// Whether what a run ended with is not heard of.
    pub(super) fn is_unsettled(&self, chance: &mut Chance, leased: &Leased) -> bool {
        may_be_disturbed(leased) && chance.once_in(self.unsettled)
    }

    /// What becomes of a call that waits.
    pub(super) fn fate(&self, chance: &mut Chance, leased: &Leased, moment: Moment) -> Fate {
        if may_be_disturbed(leased) && chance.once_in(self.away) {
            return Fate::Away;
        }
        let is_sent = matches!(moment, Moment::Before(Call::Write | Call::Enqueue));
        if is_sent && chance.once_in(self.twice) { Fate::Twice } else { Fate::GoOn }
    }

    /// How long a run is held up, if it is.
    pub(super) fn stall(&self, chance: &mut Chance) -> Option<Duration> {
        chance.once_in(self.stall).then(|| Duration::from_millis(*chance.one_of(&[20, 300, 2_000, 6_000])))
    }

    /// How long a message lies before it is run, if it does.
    pub(super) fn hold(&self, chance: &mut Chance) -> Option<Duration> {
        chance.once_in(self.hold).then(|| Duration::from_millis(*chance.one_of(&[20, 300, 1_500, 5_000])))
    }

    /// For how long a message is leased. A job that is tried a few times only has the usual lease.
    pub(super) fn lease(&self, chance: &mut Chance, job: &str) -> Duration {
        let is_hardy = !matches!(job, "sweep" | "plan_window" | "dispatch_queries");
        let is_short = is_hardy && chance.once_in(self.short_lease);
        if is_short { Duration::from_millis(chance.between(5, 2_000)) } else { LEASE }
    }

    /// After how long a message that is done comes again, if it does.
    pub(super) fn again(&self, chance: &mut Chance) -> Option<Duration> {
        chance.once_in(self.again).then(|| Duration::from_millis(*chance.one_of(&[0, 100, 2_000, 9_000])))
    }
}

/// The usual lease, after which a run is stopped.
pub(super) const LEASE: Duration = Duration::from_secs(30);

fn may_be_disturbed(leased: &Leased) -> bool {
    leased.attempt < leased.message.max_attempts && leased.attempt <= MOST_DISTURBED
}
