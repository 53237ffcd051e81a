//! The next person, where no channel reaches somebody.

use std::collections::{BTreeMap, BTreeSet};

use domain::{alarm::Change, routing::incident::Open};
use records::{
    Table, TableError,
    channels::Channels,
    facts::Facts,
    incidents::{self, Audience, Begun, Incident},
    notices::{self, Notice},
    users::{self, User},
};

use super::{LOOKED_THROUGH, Passed, due, event, gate_of, happened, instead, is_let_through, tell, was_held};
use crate::{
    Context, JobError,
    fan_out::{
        self, as_recorded,
        policies::{Steps, bound},
    },
    gate::Common,
    whole_incident,
};

/// How often an incident is tried anew when another worker stepped it meanwhile.
const TRIES: usize = 8;

/// A notice may tell of many alarms: of so many it is asked who else hears of them.
const MOST_ASKED: usize = 20;

/// Tells the next person, if there is one, and has them counted among those who were told.
pub(super) async fn to_the_next_person(cx: &Context, notice: &Notice) -> Result<Passed, JobError> {
    let table = cx.table.as_ref();
    let Some(notice) = &what_waits(cx, notice).await? else { return Ok(Passed::On) };
    let Some(others) = others(cx, notice).await? else { return Ok(Passed::On) };
    for (index, other) in others.iter().enumerate() {
        let Some(user) = users::get(table, other).await? else { continue };
        let (channels, common, happened) = (Channels::of(table, &user).await?, Common::default(), happened(notice));
        let gate = gate_of(cx, &common, &user, &happened).await?;
        let mut notices = Vec::new();
        for channel in channels.told_first(event(notice), gate.chosen_by(&user.user), &happened) {
            let mut instead = instead(cx, notice, &user, channel);
            instead.way.others = Some(others[index + 1..].to_vec());
            if is_let_through(&gate, &channels.all(), (&instead, cx.clock.now()), &happened).await? {
                notices.push(instead);
            }
        }
        if !notices.is_empty() {
            // A run that ends between the two tells the same letters again, and whoever was counted would be left untold.
            tell(cx, notices).await?;
            joins_incidents(cx, notice, &user.user).await?;
            return Ok(Passed::On);
        }
    }
    if notice.way.others.is_none() && cx.clock.now() < due(notice) && !is_told_to_all(cx.table.as_ref(), notice).await?
    {
        return Ok(Passed::NotYet);
    }
    tracing::error!(user.name = notice.user, notice.id, "nobody could be told: no channel took it");
    Ok(Passed::On)
}

/// A notice, with what of it waits for somebody still: nobody else is called for what is over by now, or taken on, or put aside, or
/// spoken for by what it hangs on. None where nothing does.
async fn what_waits(cx: &Context, notice: &Notice) -> Result<Option<Notice>, TableError> {
    let mut waiting = notice.clone();
    let names_alarms = |facts: &&mut Facts| !was_held(facts) && !facts.parts.is_empty();
    let Some(facts) = waiting.facts.as_mut().filter(names_alarms) else { return Ok(Some(waiting)) };
    let alarms = facts.changes().map(|change| change.alarm.clone()).collect();
    let (known, pace) = (as_recorded(cx, &alarms, true).await?, cx.settings.notices.pace());
    for part in &mut facts.parts {
        let source = &part.source;
        part.changes.retain(|change| {
            let (rule, severity, flaps) = (change.rule.clone(), change.severity, change.flaps());
            let open = Open { source: source.clone(), rule, severity, since: change.since, flaps };
            known.get(&change.alarm).is_none_or(|known| !known.is_had_on(&open, &pace, cx.clock.now()))
        });
    }
    facts.parts.retain(|part| !part.changes.is_empty());
    facts.has_a_place_of_several();
    let is_left = !facts.parts.is_empty();
    Ok(is_left.then_some(waiting))
}

/// Whether what a notice tells of came to all whom it concerns. Who sees it by what is bound to them hears before a policy does, and
/// a channel may refuse within milliseconds.
async fn is_told_to_all(table: &dyn Table, notice: &Notice) -> Result<bool, JobError> {
    for transition in notice.transitions.iter().rev().take(MOST_ASKED).chain([&notice.transition]) {
        if !fan_out::is_over(table, transition).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Has the policies of what a notice tells of count somebody among those who were told: they may take it on, and hear of its end.
async fn joins_incidents(cx: &Context, notice: &Notice, user: &str) -> Result<(), JobError> {
    let everybody = users::list(cx.table.as_ref()).await?;
    for incident in escalated(cx.table.as_ref(), notice).await? {
        let bound = bound(cx, &incident, []).await?;
        if named_by(cx, &incident, 0, (notice, &everybody, &bound)).await?.iter().any(|named| named == user) {
            joins(cx, &incident, (notice, user)).await?;
        }
    }
    Ok(())
}

async fn joins(cx: &Context, incident: &Incident, (notice, user): (&Notice, &str)) -> Result<(), JobError> {
    let (table, now) = (cx.table.as_ref(), cx.clock.now());
    let mut told = BTreeMap::new();
    for change in stand(notice) {
        let at = told.entry(change.told_as()).or_insert(change.at);
        *at = change.at.max(*at);
    }
    for _ in 0..TRIES {
        let Some(mut incident) = incidents::get(table, &incident.named()).await? else { return Ok(()) };
        let Incident { state, people, called, .. } = &mut incident.value;
        if state.closed || !people.insert(user.to_owned()) {
            return Ok(());
        }
        called.insert(user.to_owned(), now);
        state.was_told_early(&told, now);
        // What is due by now depends on who hears.
        let before = incident.value.timer.replace(now);
        if table.transact(incidents::put(&incident, before, None, now)?).await?.applied() {
            let _ = table.transact(incidents::put_told(user, &incident.value, now)?).await?;
            return Ok(());
        }
    }
    Err(JobError::retry("the incident is stepped by many at once"))
}

/// Who may be told in the place of somebody: those whom the steps to come of its incidents name. Of ends nobody else hears. None where
/// somebody is by now: who comes behind them is not called once more for each of those whom nothing reaches, and of what was told before
/// they were, they hear.
async fn others(cx: &Context, notice: &Notice) -> Result<Option<Vec<String>>, JobError> {
    if let Some(known) = &notice.way.others {
        return Ok(Some(known.clone()));
    }
    let (mut others, mut is_told): (Vec<String>, bool) = (Vec::new(), false);
    let everybody = users::list(cx.table.as_ref()).await?;
    for incident in escalated(cx.table.as_ref(), notice).await? {
        let mut called = incident.called.clone();
        called.remove(&notice.user);
        if !called.is_empty() {
            is_told = true;
            // What is told since then, they are told as well.
            called.retain(|name, since| notice.at <= *since && !others.contains(name));
            for name in called.into_keys() {
                if !has_heard(cx.table.as_ref(), &name, notice).await? {
                    others.push(name);
                }
            }
            continue;
        }
        let (level, bound) = (incident.state.level, bound(cx, &incident, []).await?);
        let named = named_by(cx, &incident, level, (notice, &everybody, &bound)).await?;
        let next = named.into_iter().filter(|name| !incident.people.contains(name) && !others.contains(name));
        others.extend(next.collect::<Vec<_>>());
    }
    Ok((!others.is_empty() || !is_told).then_some(others))
}

/// Whether somebody was told before of all that a notice tells of.
async fn has_heard(table: &dyn Table, user: &str, notice: &Notice) -> Result<bool, TableError> {
    let heard = notices::list(table, user, LOOKED_THROUGH, None).await?.items;
    let mut transitions = notice.transitions.iter().chain([&notice.transition]);
    Ok(transitions.all(|transition| heard.iter().any(|heard| heard.tells_of(transition))))
}

/// Whom the steps of a policy's incident name, from one on, where it wants what a notice tells of.
async fn named_by(
    cx: &Context,
    incident: &Incident,
    level: usize,
    (notice, everybody, bound): (&Notice, &[User], &BTreeSet<String>),
) -> Result<Vec<String>, TableError> {
    let steps = Steps::of(cx, &incident.audience).await?;
    if !stand(notice).any(|change| steps.concern(change.severity)) {
        return Ok(Vec::new());
    }
    let at = (cx.table.as_ref(), cx.clock.now());
    let mut named = steps.named_from(level, at, (everybody, bound)).await?;
    named.retain(|name| *name != notice.user);
    Ok(named)
}

/// The incidents of policies, and of rules' recipients, in which what a notice tells of is escalated: its own, or where somebody
/// hears by what they see, those of the same alarms.
async fn escalated(table: &dyn Table, notice: &Notice) -> Result<Vec<Incident>, JobError> {
    let Some(own) = whole_incident::incident_of(table, notice).await? else { return Ok(Vec::new()) };
    if own.state.is_over() || stand(notice).next().is_none() {
        return Ok(Vec::new());
    }
    match own.audience {
        Audience::Policy(_) => return Ok(vec![own]),
        Audience::Topics => return Ok(Vec::new()),
        Audience::User(_) => {}
    }
    let alarms: BTreeSet<&str> = stand(notice).map(Change::told_as).take(MOST_ASKED).collect();
    let mut begun = BTreeSet::new();
    for alarm in alarms {
        begun.extend(incidents::begun(table, alarm).await?);
    }
    let mut found = Vec::new();
    for Begun { audience, group, .. } in begun {
        found.extend(incidents::current(table, &audience, &group).await?.map(|incident| incident.value));
    }
    Ok(found)
}

/// What a notice tells of that does not end.
fn stand(notice: &Notice) -> impl Iterator<Item = &Change> {
    happened(notice).into_iter().map(|(_, change)| change).filter(|change| !change.ends())
}
