//! What waits on a way that takes nothing, and what came after it: told as one, once the way is free.
//!
//! Each notice is tried at a pace of its own. Were they told one by one, somebody would read that an alarm is over and a minute later
//! that it is raised. So a notice that is about to go out takes along what the same person was to be told of the incident before, on
//! the same channel, and that one is not tried any more.

mod standing;

use std::{collections::BTreeSet, time::Duration};

use domain::Source;
use records::{
    Table, Versioned,
    facts::{Kind, Part},
    ledger::{self, Claim},
    notices::{self, Attempt, Notice, NoticeStatus, channel},
    preferences,
    users::User,
};

use self::standing::standing;
use super::{
    DeliverNotice,
    event::event_of,
    passing_on::{self, LOOKED_THROUGH},
    sight,
    wording::said_to,
};
use crate::{Context, Job, JobError, fan_out::MOST_SOURCES, gate, ports::Address, whole_incident};

/// The most transitions that a notice names: with more the record would be too large.
const MOST_TRANSITIONS: usize = 2000;

/// How soon it is looked again whether the one before was taken, while that is being delivered.
const LOOKS_AGAIN: Duration = Duration::from_secs(2);

/// So soon each notice is tried for the first time.
const IS_TRIED_WITHIN: Duration = Duration::from_mins(1);

/// Whether people read what goes there. A program gets each event by itself, in the order that `sequence` says.
pub(super) fn may_join(address: &Address) -> bool {
    !matches!(address, Address::Webhook { .. } | Address::Heartbeat { .. })
}

/// Takes along what waits of before. Fails where that is being delivered at this moment.
pub(super) async fn join_earlier(
    cx: &Context,
    notice: &mut Versioned<Notice>,
    user: Option<&User>,
) -> Result<(), JobError> {
    if !notice.value.attempts.is_empty() || notice.value.incident.is_empty() {
        return Ok(());
    }
    let mut last = notice.value.clone();
    while let Some(earlier) = before(cx.table.as_ref(), &last).await? {
        if earlier.status != NoticeStatus::Waiting {
            break;
        }
        // It is about to be told by itself, unless its work was lost.
        if earlier.attempts.is_empty() && cx.clock.now() < earlier.at.plus(IS_TRIED_WITHIN) {
            return Err(JobError::retry_after("the notice before it is not tried yet", LOOKS_AGAIN));
        }
        if !joins(cx, notice, &earlier.id, user).await? {
            break;
        }
        last = earlier;
    }
    for earlier in others_before(cx.table.as_ref(), &notice.value).await? {
        joins(cx, notice, &earlier, user).await?;
    }
    Ok(())
}

/// What else waits there for the same person, was tried in vain, and is of the same: what they are told in another's place, and of
/// incidents of the same sources that are closed by now. The latest first.
async fn others_before(table: &dyn Table, notice: &Notice) -> Result<Vec<String>, JobError> {
    if !notices::may_wait(table, &notice.user, &notice.channel).await? {
        return Ok(Vec::new());
    }
    let sources = |notice: &Notice| -> BTreeSet<Source> {
        notice.facts.iter().flat_map(|facts| &facts.parts).map(|part| part.source.clone()).collect()
    };
    let ours = sources(notice);
    let is_of_the_same = |other: &Notice| other.incident == notice.incident || !sources(other).is_disjoint(&ours);
    let waits = |other: &Notice| other.status == NoticeStatus::Waiting && !other.attempts.is_empty();
    let told = notices::list(table, &notice.user, LOOKED_THROUGH, None).await?.items.into_iter();
    let waiting = told.filter(|other| waits(other) && other.channel == notice.channel && !other.incident.is_empty());
    let before = waiting.filter(|other| (other.at, &other.id) < (notice.at, &notice.id) && is_of_the_same(other));
    Ok(before.map(|other| other.id).collect())
}

/// What the same person was told of the incident before, on the same channel.
async fn before(table: &dyn Table, notice: &Notice) -> Result<Option<Notice>, JobError> {
    if notice.sequence <= 1 {
        return Ok(None);
    }
    match &notice.way.previous {
        Some(previous) => {
            if let Some(found) = notices::get(table, &notice.user, previous).await? {
                return Ok(Some(found.value));
            }
        }
        None if notice.way.instead_of.is_none() => return Ok(None),
        None => {}
    }
    // Something kept the previous one from being told there, or they are told in another's place.
    let told = notices::list(table, &notice.user, LOOKED_THROUGH, None).await?.items.into_iter();
    let told = told.filter(|told| told.incident == notice.incident && told.channel == notice.channel);
    Ok(told.filter(|told| told.sequence < notice.sequence).max_by_key(|told| told.sequence))
}

/// Has a notice tell what an earlier one was to; false where that does not wait any more.
async fn joins(
    cx: &Context,
    notice: &mut Versioned<Notice>,
    earlier: &str,
    user: Option<&User>,
) -> Result<bool, JobError> {
    let (table, now) = (cx.table.as_ref(), cx.clock.now());
    let claimed = match ledger::claim(table, &DeliverNotice::claim(earlier), now, DeliverNotice::LEASE).await? {
        Claim::Ours(claimed) => claimed,
        Claim::Done => return Ok(false),
        Claim::Busy(_) => return Err(JobError::retry_after("the notice before it is being delivered", LOOKS_AGAIN)),
    };
    // Whoever tried it died: it may have been taken, and comes again by itself under its own id.
    if claimed.unfinished_before {
        claimed.leave_unfinished(table, now).await?;
        return Ok(false);
    }
    match takes(cx, notice, earlier, user).await {
        Ok(true) => {
            claimed.done(table, cx.clock.now()).await?;
            Ok(true)
        }
        other => {
            claimed.give_back(table).await?;
            other
        }
    }
}

/// The same, by whoever has the claim of the earlier one.
async fn takes(
    cx: &Context,
    notice: &mut Versioned<Notice>,
    earlier: &str,
    user: Option<&User>,
) -> Result<bool, JobError> {
    let table = cx.table.as_ref();
    let found = notices::get(table, &notice.value.user, earlier).await?;
    let Some(mut earlier) = found.filter(|found| found.value.status == NoticeStatus::Waiting) else { return Ok(false) };
    if passing_on::told_instead(table, &earlier.value).await?.is_some() {
        return Ok(false);
    }
    let incident = whole_incident::incident_of(table, &notice.value).await?;
    let is_by_sight = sight::is_by_sight(&notice.value, incident.as_ref());
    let incident_before = whole_incident::incident_of(table, &earlier.value).await?;
    let was_by_sight = sight::is_by_sight(&earlier.value, incident_before.as_ref());
    // Of what they hear by name nothing may be left out later, since they do not see it.
    if is_by_sight && !was_by_sight || was_by_sight && !sight::leaves_out_what_is_hidden(cx, &mut earlier.value).await?
    {
        return Ok(false);
    }
    let standing = match user.filter(|_| is_by_sight) {
        Some(user) => standing(cx, &notice.value, &earlier.value, user).await?,
        None => Vec::new(),
    };
    let place = incident.map(|incident| incident.place);
    let Some(joined) = joined(&notice.value, &earlier.value, (place, standing)) else { return Ok(false) };
    let joined = said_to(cx, user, joined);
    let outcome = "told together with what came after it".to_owned();
    earlier.value.attempts.push(Attempt { at: cx.clock.now(), outcome });
    earlier.value.status = NoticeStatus::Failed;
    (earlier.value.way.passed_on, earlier.value.way.told_by) = (true, Some(notice.value.id.clone()));
    let both = Versioned { value: joined, version: notice.version };
    let writes = vec![notices::update(&both)?, notices::update(&earlier)?];
    if !table.transact(writes).await?.applied() {
        return Err(JobError::retry("another worker delivers it"));
    }
    *notice = Versioned { version: both.version + 1, ..both };
    not_counted(cx, &earlier.value, user).await?;
    Ok(true)
}

/// What is told by another counts for nothing of what the address may be told a day.
async fn not_counted(cx: &Context, earlier: &Notice, user: Option<&User>) -> Result<(), JobError> {
    let Some(address) = user.and_then(|user| user.phone.as_deref()).filter(|_| earlier.channel == channel::SMS) else {
        return Ok(());
    };
    let chosen = preferences::get(cx.table.as_ref(), &earlier.user).await?;
    let day = gate::zone_of(cx, &chosen).day(earlier.at);
    Ok(preferences::uncount(cx.table.as_ref(), (channel::SMS, address), (&day, cx.clock.now()), &earlier.id).await?)
}

/// A notice that tells what an earlier one was to tell as well; none where it is not kept what that is.
fn joined(notice: &Notice, earlier: &Notice, (place, standing): (Option<String>, Vec<Part>)) -> Option<Notice> {
    let (facts, told) = (notice.facts.clone()?, earlier.facts.clone()?);
    let mut joined = notice.clone();
    let way = &mut joined.way;
    if way.follows.as_ref() == Some(&earlier.id) {
        way.follows.clone_from(&earlier.way.follows);
    }
    if !earlier.way.passed_on {
        way.waits_since = Some(passing_on::waits_since(earlier).min(passing_on::waits_since(notice)));
    }
    // A reminder alone says nothing that was not told before.
    if told.kind == Kind::Repeat && !earlier.way.tells_earlier {
        return Some(joined);
    }
    way.tells_earlier = true;
    let facts = facts.with_earlier(told, place, standing, MOST_SOURCES);
    if !matches!(facts.kind, Kind::Repeat | Kind::PartlyRecovered) {
        way.event = Some(event_of(&facts.changes().collect::<Vec<_>>()).to_owned());
    }
    let earlier = earlier.transitions.iter().filter(|transition| !notice.transitions.contains(*transition));
    joined.transitions = earlier.chain(&notice.transitions).cloned().collect();
    let surplus = joined.transitions.len().saturating_sub(MOST_TRANSITIONS);
    joined.transitions.drain(..surplus);
    joined.facts = Some(facts);
    Some(joined)
}
