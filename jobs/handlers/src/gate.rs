//! The gate: whether somebody is told of something on a channel now, later, or not at all.
//!
//! `fan_out` asks for each hearer and channel before it writes a notice. What is told later is held here, and told as one when
//! nothing holds it any more.

mod catch_up;
mod inbox;
mod policies;

use domain::{
    Timestamp,
    alarm::{Change, ChangeKind},
    identity::derived_id,
    routing::{INBOX, Preferences, Verdict, Why},
};
use records::{
    alarms::Transition,
    held::{self, Held},
    inbox as entries, notices, preferences,
    terminals::Terminal,
    users::{self, User},
};

pub(crate) use self::catch_up::catch_up;
pub(crate) use self::inbox::put_in_inbox;
use self::policies::Policies;
use crate::{Context, JobError};

/// How long after it was decided a transition is told as of then: a run that is done again comes to the same end.
const PROMPT: std::time::Duration = std::time::Duration::from_mins(5);

/// What is to be known of everybody who may hear of something that happened at one place.
pub(crate) struct Gate<'a> {
    cx: &'a Context,
    node: Option<String>,
    policies: Policies,
    /// Whether an earlier run may have come to a part of its ends: they stand, whatever people said since.
    is_repeat: bool,
}

impl<'a> Gate<'a> {
    /// What holds for these users and the place that a terminal is.
    pub(crate) async fn read(
        cx: &'a Context,
        terminal: Option<&Terminal>,
        users: impl IntoIterator<Item = &str>,
        is_repeat: bool,
    ) -> Result<Self, JobError> {
        let policies = Policies::read(cx.table.as_ref(), users).await?;
        Ok(Self { cx, node: terminal.map(|terminal| terminal.node.clone()), policies, is_repeat })
    }

    /// What of a transition a user, who has an address on these channels, is told now on one of them; none where that is
    /// nothing. What is told later is held.
    pub(crate) async fn pass(
        &self,
        (user, reachable): (&str, &[&str]),
        channel: &str,
        transition: &Transition,
        place: &str,
    ) -> Result<Option<Transition>, JobError> {
        let decided = Decided::of(self, (user, reachable), channel, transition);
        let held_id = derived_id(transition.at, &["held", &transition.id, user, channel]);
        if self.is_repeat
            && let Some(held) = self.decided_before(user, channel, transition, &held_id).await?
        {
            let told = Transition { changes: decided.without(&held), ..transition.clone() };
            return Ok(Some(told).filter(|told| !told.changes.is_empty()));
        }
        let mut decided = self.keeps_order(user, channel, decided).await?;
        if !decided.told.is_empty() {
            let id = notice_id(transition, user, channel);
            if let Some(until) = limit(self.cx, &self.policies, user, channel, &id).await? {
                decided.hold_all(until, Why::Limit);
            }
        }
        if let Some((until, why)) = decided.holds {
            let held = Held {
                id: held_id,
                user: user.to_owned(),
                channel: channel.to_owned(),
                source: transition.source.clone(),
                node: self.node.clone(),
                place: place.to_owned(),
                transition: transition.id.clone(),
                changes: decided.held,
                why,
                at: transition.at,
            };
            held::hold(self.cx.table.as_ref(), &held, until).await?;
        }
        let told = Transition { changes: decided.told, ..transition.clone() };
        Ok(Some(told).filter(|told| !told.changes.is_empty()))
    }

    /// What an earlier run held, if it came so far; nothing of it where it told all.
    async fn decided_before(
        &self,
        user: &str,
        channel: &str,
        transition: &Transition,
        held: &str,
    ) -> Result<Option<Vec<Change>>, JobError> {
        let table = self.cx.table.as_ref();
        if let Some(held) = held::find(table, channel, user, held).await? {
            return Ok(Some(held.changes));
        }
        let notice = notice_id(transition, user, channel);
        let is_told = if channel == INBOX {
            entries::get(table, user, &notice).await?.is_some()
        } else {
            notices::get(table, user, &notice).await?.is_some()
        };
        Ok(is_told.then(Vec::new))
    }

    /// Of an alarm whose beginning is held, the rest is held with it: nobody is told of an end before the beginning.
    async fn keeps_order(&self, user: &str, channel: &str, mut decided: Decided) -> Result<Decided, JobError> {
        if decided.told.iter().all(|change| change.kind == ChangeKind::Raised) {
            return Ok(decided);
        }
        let held = held::list(self.cx.table.as_ref(), channel, user).await?;
        let is_held =
            |change: &Change| held.iter().flat_map(|held| &held.changes).any(|held| held.alarm == change.alarm);
        if decided.told.iter().any(is_held) {
            decided.hold_all(self.cx.clock.now(), Why::Order);
        }
        Ok(decided)
    }
}

/// What becomes of a transition's changes.
#[derive(Default)]
struct Decided {
    told: Vec<Change>,
    held: Vec<Change>,
    /// Until when, and why, where something is held.
    holds: Option<(Timestamp, Why)>,
}

impl Decided {
    fn of(gate: &Gate<'_>, (user, reachable): (&str, &[&str]), channel: &str, transition: &Transition) -> Self {
        let now = gate.cx.clock.now();
        let now = if now.since(transition.at) < PROMPT { transition.at } else { now };
        let mut decided = Self::default();
        for change in &transition.changes {
            let about = (&transition.source, gate.node.as_deref(), change);
            match gate.policies.verdict((user, reachable), channel, about, (transition.at, now)) {
                Verdict::Tell => decided.told.push(change.clone()),
                Verdict::Hold { until, why } => decided.hold(change.clone(), until, why),
                Verdict::Drop => {}
            }
        }
        decided
    }

    fn hold(&mut self, change: Change, until: Timestamp, why: Why) {
        self.held.push(change);
        let earlier = self.holds.filter(|(earlier, _)| *earlier <= until);
        self.holds = earlier.or(Some((until, why)));
    }

    /// What is not held of it.
    fn without(self, held: &[Change]) -> Vec<Change> {
        let all = self.told.into_iter().chain(self.held);
        all.filter(|change| !held.contains(change)).collect()
    }

    fn hold_all(&mut self, until: Timestamp, why: Why) {
        for change in std::mem::take(&mut self.told) {
            self.hold(change, until, why);
        }
    }
}

/// The notice that tells a user of a transition on a channel.
pub(crate) fn notice_id(transition: &Transition, user: &str, channel: &str) -> String {
    derived_id(transition.at, &["notice", &transition.id, user, channel])
}

/// Counts a notice to a user's address; until when it is held where the address was told as much that day as it may be.
async fn limit(
    cx: &Context,
    policies: &Policies,
    user: &str,
    channel: &str,
    notice: &str,
) -> Result<Option<Timestamp>, JobError> {
    let nothing = Preferences::default();
    let chosen = policies.preferences.get(user).unwrap_or(&nothing);
    let Some(most) = chosen.most_a_day(channel, Some(cx.settings.notices.sms_a_day)) else { return Ok(None) };
    let Some(User { phone: Some(address), .. }) = users::get(cx.table.as_ref(), user).await? else { return Ok(None) };
    let now = cx.clock.now();
    let day = chosen.zone.day(now);
    let counted = preferences::count(cx.table.as_ref(), (channel, &address), (&day, now), notice, most).await?;
    Ok((!counted).then(|| chosen.zone.day_ends(now)))
}
