//! `fan_out`: who hears of a transition, in which incident; and what becomes of an incident whose time has come.

mod hearers;
mod incident;
pub(crate) mod place;
pub(crate) mod policies;
mod push;
mod saying;
pub(crate) mod shares;
mod standing;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Source, Timestamp, alarm::Change};
use futures::{StreamExt, stream};
use records::{
    Table, TableError,
    alarms::{self, Transition},
    held,
    incidents::{Audience, Named},
    ledger::{self, Claim},
    terminals,
};
use serde::{Deserialize, Serialize};

use self::{hearers::Hearer, place::Group};
pub(crate) use self::{
    saying::{MOST_SOURCES, raised},
    standing::{as_recorded, aside_of},
};
use crate::{
    Context, Job, JobError,
    gate::{self, Common},
    heartbeat,
    ports::{Message, Push},
};

/// How many audiences are told at a time.
const AT_A_TIME: usize = 16;

/// Tells everybody concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FanOut {
    /// Of one transition.
    Transition {
        /// The source it is about.
        source: Source,
        /// The transition.
        transition: String,
    },
    /// Of an incident whose time has come.
    Due {
        /// The incident.
        incident: Named,
        /// When its time comes.
        at: Timestamp,
    },
    /// Somebody of what was held back for them, if nothing holds it any more.
    Held {
        /// Whose, on which channel.
        held: held::Due,
    },
    /// Somebody outside that readings come.
    Heartbeat {
        /// Which interval's.
        heartbeat: Timestamp,
    },
}

impl Job for FanOut {
    const NAME: &'static str = "fan_out";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    // What follows from what was acknowledged is given up no sooner than that itself.
    const MAX_ATTEMPTS: u32 = 50;

    fn key(&self) -> String {
        match self {
            Self::Transition { transition, .. } => transition.clone(),
            Self::Due { incident, at } => format!("due/{}/{}", at.sortable(), incident.id),
            Self::Held { held } => format!("held/{}/{}/{}", held.at.sortable(), held.channel, held.user),
            Self::Heartbeat { heartbeat } => format!("heartbeat/{}", heartbeat.sortable()),
        }
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        match self {
            Self::Transition { source, transition } => tell_once(cx, source, transition).await,
            Self::Due { incident, .. } => incident::look_at(cx, incident).await,
            Self::Held { held } => gate::catch_up(cx, held).await,
            Self::Heartbeat { heartbeat } => heartbeat::tell(cx, *heartbeat).await,
        }
    }
}

impl FanOut {
    /// Has an incident looked at when its time comes.
    pub(crate) fn due(incident: Named, at: Timestamp, now: Timestamp) -> Message {
        Message { not_before: Some(at).filter(|at| *at > now), ..Self::Due { incident, at }.message() }
    }
}

/// What the ledger calls the telling of a transition.
fn claim(transition: &str) -> String {
    format!("{}/{transition}", FanOut::NAME)
}

/// Whether all were told of a transition whom it concerns: till then more may come to hear of it.
pub(crate) async fn is_over(table: &dyn Table, transition: &str) -> Result<bool, TableError> {
    ledger::is_done(table, &claim(transition)).await
}

async fn tell_once(cx: &Context, source: &Source, transition: &str) -> Result<(), JobError> {
    let (table, now) = (cx.table.as_ref(), cx.clock.now());
    let claimed = match ledger::claim(table, &claim(transition), now, FanOut::LEASE).await? {
        Claim::Ours(claimed) => claimed,
        Claim::Done => return Ok(()),
        Claim::Busy(until) => return Err(JobError::retry_after("another worker tells it", until.since(now))),
    };
    match tell(cx, source, transition).await {
        Ok(shown) => {
            // A crash in between shows it again: browsers know an alarm by its id, and nothing would tell them that one is missing.
            show(cx, shown).await;
            claimed.done(table, cx.clock.now()).await?;
            Ok(())
        }
        Err(error) => {
            // What was told so far is told again under the same names. If this fails too, the lease runs out.
            let _ = claimed.leave_unfinished(table, cx.clock.now()).await;
            Err(error)
        }
    }
}

/// Brings the transition to each incident of each audience; gives what browsers are to show.
async fn tell(cx: &Context, source: &Source, transition: &str) -> Result<Vec<Push>, JobError> {
    let table = cx.table.as_ref();
    let Some(mut transition) = alarms::transition(table, source, transition).await? else {
        return Err(JobError::fail("the transition is not stored"));
    };
    transition.changes.retain(Change::is_told);
    let terminal = match source.mac() {
        Some(mac) => terminals::get(table, mac).await?,
        None => None,
    };
    let policy = policies::of(cx, source, terminal.as_ref()).await?;
    let by = policy.as_ref().map(|policy| policy.value.group_by).unwrap_or_default();
    let site = place::site_of(table, by, source).await?;
    let at = place::At { terminal: terminal.as_ref(), site: site.as_deref() };
    let hearers = hearers::all(cx, &transition, policy, terminal.as_ref()).await?;
    if !hearers.is_empty() {
        let groups = place::kept(cx, &transition, (by, at)).await?;
        bring((cx, &groups), &transition, &hearers).await?;
    }
    let rules = cx.alert_rules().await?;
    let shown = hearers.iter().filter_map(|hearer| push::of(hearer, terminal.as_ref(), &rules));
    Ok(shown.collect())
}

/// Brings a transition to its hearers, one rank after the other. Within one, nobody waits until all the others are told; where
/// one cannot be, the others are all the same.
async fn bring(
    (cx, kept): (&Context, &BTreeMap<String, Group>),
    transition: &Transition,
    hearers: &[Hearer],
) -> Result<(), JobError> {
    let (common, mut behind, mut all) = (Common::default(), BTreeSet::new(), Vec::new());
    for rank in 0..=Hearer::LAST {
        let mut brought = Vec::new();
        for ((audience, group), (place, changes)) in by_incident(transition, hearers, kept, rank) {
            let bring = incident::bring((cx, &common, &behind), audience, (group, place), transition, changes);
            brought.push(async move { (audience, bring.await) });
        }
        let ended: Vec<(&Audience, Result<(), JobError>)> =
            stream::iter(brought).buffer_unordered(AT_A_TIME).collect().await;
        let mut is_policy_behind = false;
        for (audience, ended) in ended {
            match audience {
                Audience::User(user) if ended.is_err() => drop(behind.insert(user.clone())),
                Audience::Policy(_) if ended.is_err() => is_policy_behind = true,
                Audience::User(_) | Audience::Topics | Audience::Policy(_) => {}
            }
            all.push(ended);
        }
        // Whom a policy tells is not known until it is brought there.
        if is_policy_behind {
            break;
        }
    }
    JobError::worst(all)
}

/// What each incident of a rank's audiences hears of, all at once: it hears of a transition once. What began before and what begins now may
/// belong to the same.
fn by_incident<'a>(
    transition: &Transition,
    hearers: &'a [Hearer],
    kept: &BTreeMap<String, Group>,
    rank: usize,
) -> BTreeMap<(&'a Audience, String), (String, Vec<Change>)> {
    let mut incidents: BTreeMap<(&Audience, String), (String, Vec<Change>)> = BTreeMap::new();
    for hearer in hearers.iter().filter(|hearer| hearer.rank() == rank) {
        for ((group, place), changes) in groups_of(hearer, kept) {
            let incident = incidents.entry((&hearer.audience, group)).or_insert_with(|| (place, Vec::new()));
            incident.1.extend(changes);
        }
    }
    let place = |change: &Change| transition.changes.iter().position(|other| other == change);
    for (_, changes) in incidents.values_mut() {
        changes.sort_by_key(place);
    }
    incidents
}

/// The incidents that what somebody hears of belongs to: those of the groups in which its alarms began.
fn groups_of(hearer: &Hearer, kept: &BTreeMap<String, Group>) -> BTreeMap<Group, Vec<Change>> {
    let mut groups: BTreeMap<Group, Vec<Change>> = BTreeMap::new();
    for change in &hearer.transition.changes {
        if let Some(group) = hearer.into.as_ref().or_else(|| kept.get(&change.alarm)) {
            groups.entry(group.clone()).or_default().push(change.clone());
        }
    }
    groups
}

/// Shows each of the hearers their part in their browsers. Nobody waits for it: a browser that misses it asks the API.
pub(crate) async fn show(cx: &Context, pushes: Vec<Push>) {
    if let Err(error) = cx.link.publish(pushes).await {
        tracing::warn!(%error, "browsers were not shown a transition");
    }
}
