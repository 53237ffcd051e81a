//! Telling what was held, when nothing holds it any more: all of it as one notice, once.
//!
//! What is told together is sealed in the transaction that stores the notice. Whoever comes next, after a crash as well, has
//! what is sealed delivered and forgotten before anything else is told.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind, Severity},
    identity::derived_id,
    routing::{Held as HeldChange, INBOX, Summary, Verdict, Why},
};
use records::{
    Table, TableError, Versioned, alarms,
    channels::Channels,
    facts::Facts,
    held::{self, Due, Held, Seal},
    inbox::{self, Entry},
    notices::{self, EVERYBODY, Notice, NoticeStatus, Way, channel},
    users::{self, User},
};

use super::{About, Common, Policies, limit};
use crate::{
    Context, DeliverNotice, Job, JobError, comes_and_goes,
    deliver_notice::event_of_held,
    fan_out::aside_of,
    inbox_events, told_by_name,
    words::{self, Enclosed, Reader},
};

/// Within so long somebody sees what was held for them since they are to see it.
const BOUND_WITHIN: Duration = Duration::from_mins(1);

/// How many alarms are named on a channel that has room, and on one that has not.
const MOST_LINES: usize = 100;
const MOST_LINES_OF_SMS: usize = 3;

/// Tells a user on a channel what was held for them and nothing holds any more. What is held still gets another timer.
pub(crate) async fn catch_up(cx: &Context, due: &Due) -> Result<(), JobError> {
    let Due { user, channel, .. } = due;
    let table = cx.table.as_ref();
    loop {
        let seal = finish(cx, due, held::seal(table, channel, user).await?).await?;
        let held = held::list(table, channel, user).await?;
        let common = Common::default();
        let policies = Policies::read(table, &common, [user.as_str()]).await?;
        let (free, later) = sort(cx, due, &policies, held).await?;
        if free.is_empty() {
            return end(cx, due, later).await;
        }
        let id = derived_id(due.at, &["catch-up", user, channel, &seal.version.to_string()]);
        if let Some(until) = limit(cx, policies.chosen_by(user), user, channel, &id).await? {
            return end(cx, due, later.into_iter().chain([until]).min()).await;
        }
        tell(cx, due, seal, id, free).await?;
    }
}

/// What may be told, and when to look at the rest. What concerns nobody any more is forgotten.
async fn sort(
    cx: &Context,
    due: &Due,
    policies: &Policies<'_>,
    held: Vec<Held>,
) -> Result<(Vec<Held>, Option<Timestamp>), JobError> {
    let Due { user, channel, .. } = due;
    let (table, now) = (cx.table.as_ref(), cx.clock.now());
    let hearer = users::get(table, user).await?;
    let channels = match &hearer {
        Some(hearer) => Channels::of(table, hearer).await?.all(),
        None => Vec::new(),
    };
    let reachable: Vec<&str> = channels.iter().map(String::as_str).collect();
    let verdict = |notice: &Held, change: &Change| {
        let about = (notice.node.as_deref(), About::change(&notice.source, change));
        policies.verdict((user, &reachable), channel, about, (notice.at, now))
    };
    let loud = loud(&held, verdict);
    let (mut free, mut forgotten, mut later) = (Vec::new(), Vec::new(), None::<Timestamp>);
    for mut notice in held {
        let (mut until, mut wanted) = (None, Vec::new());
        let is_loud = is_of_any(&notice, &loud);
        for change in std::mem::take(&mut notice.changes) {
            match verdict(&notice, &change) {
                Verdict::Hold { .. } if is_loud => wanted.push(change),
                Verdict::Tell => wanted.push(change),
                Verdict::Hold { until: change_until, .. } => {
                    until = until.max(Some(change_until));
                    wanted.push(change);
                }
                Verdict::Drop => {}
            }
        }
        let is_dropped = wanted.is_empty();
        notice.changes = wanted;
        let is_theirs = may_hear(table, user, hearer.as_ref(), &notice).await?;
        if !is_theirs && is_about_to_be(&notice, now) {
            let soon = bound_by(&notice);
            later = Some(later.map_or(soon, |later| later.min(soon)));
            continue;
        }
        if is_dropped || !is_theirs {
            forgotten.push(notice);
        } else if let Some(until) = until {
            later = Some(later.map_or(until, |later| later.min(until)));
        } else {
            free.push(notice);
        }
    }
    held::let_go(table, &forgotten, now).await?;
    Ok((free, later))
}

/// The alarms of which something is told now that came after what is held, as that one matters more: what was held of them goes with
/// it, and is not told once more when nothing would hold it. An end frees nothing.
fn loud(held: &[Held], verdict: impl Fn(&Held, &Change) -> Verdict) -> BTreeSet<String> {
    let changes = held.iter().flat_map(|held| held.changes.iter().map(move |change| (held, change)));
    let told = changes.filter(|(held, change)| !change.ends() && verdict(held, change) == Verdict::Tell);
    let mut loud: BTreeSet<String> = told.map(|(_, change)| change.told_as().to_owned()).collect();
    loop {
        // What one notice tells of goes together: of what ends in it, the beginning does not stay behind.
        let freed = held.iter().filter(|held| is_of_any(held, &loud)).flat_map(|held| &held.changes);
        let more: BTreeSet<String> = freed.map(|change| change.told_as().to_owned()).collect();
        if more.is_subset(&loud) {
            return loud;
        }
        loud.extend(more);
    }
}

/// Whether something of these alarms is held there. What somebody put off comes again when they said.
fn is_of_any(held: &Held, alarms: &BTreeSet<String>) -> bool {
    held.why != Why::Snooze && held.changes.iter().any(|change| alarms.contains(change.told_as()))
}

/// Whether they are told of it since they are given it to see, which is done next: whatever wakes them may come in between.
fn is_about_to_be(held: &Held, now: Timestamp) -> bool {
    held.why == Why::Bound && now < bound_by(held)
}

fn bound_by(held: &Held) -> Timestamp {
    held.at.plus(BOUND_WITHIN)
}

async fn may_hear(table: &dyn Table, name: &str, user: Option<&User>, held: &Held) -> Result<bool, TableError> {
    match user {
        None => Ok(name == EVERYBODY),
        // Whoever could put it off: what they may see, or are named for, may be another by now.
        Some(user) if held.why == Why::Snooze => {
            Ok(users::may_see_source(table, user, &held.source).await? || is_named(table, name, held).await?)
        }
        Some(_) if held.is_by_name => Ok(true),
        Some(user) => users::may_see_source(table, user, &held.source).await,
    }
}

/// Whether somebody was told by name of what is held for them.
async fn is_named(table: &dyn Table, name: &str, held: &Held) -> Result<bool, TableError> {
    let ids: BTreeSet<&String> = held.changes.iter().map(|change| &change.alarm).collect();
    let alarms = alarms::get_many(table, ids).await?;
    Ok(!told_by_name::among(table, name, &alarms.iter().collect::<Vec<_>>()).await?.is_empty())
}

/// Stores what is told together with what it tells, and has it delivered.
async fn tell(cx: &Context, due: &Due, seal: Versioned<Seal>, id: String, free: Vec<Held>) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    let summary = summary(table, &free).await?;
    let severity = summary.severity().unwrap_or(Severity::Info);
    let Some(first) = free.first().filter(|_| !summary.is_empty()) else {
        return Ok(held::let_go(table, &free, cx.clock.now()).await?);
    };
    let most = if due.channel == channel::SMS { MOST_LINES_OF_SMS } else { MOST_LINES };
    let since = free.iter().map(|held| held.at).min().unwrap_or(first.at);
    let mut facts = Facts::of_held(summary, free.len(), since, most);
    facts.rules = cx.alert_rules().await?.names_of(facts.changes().map(|change| change.rule.as_str()));
    // What was put off was told before, and is told of by its alarms.
    let begun = free.iter().filter(|held| held.why != Why::Snooze).flat_map(Held::all_transitions);
    let transitions: BTreeSet<&String> = begun.collect();
    let transitions = transitions.into_iter().cloned().collect();
    let locale = users::get(table, &due.user).await?.map(|user| user.locale).unwrap_or_default();
    let words = words::compose(&facts, &Reader::new(&locale, &cx.settings.words), &Enclosed::default());
    let notice = Notice {
        id: id.clone(),
        user: due.user.clone(),
        channel: due.channel.clone(),
        source: first.source.clone(),
        transition: first.transition.clone(),
        transitions,
        incident: String::new(),
        sequence: 0,
        subject: words.subject,
        text: words.text,
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way { event: Some(event_of_held(&facts).to_owned()), ..Way::default() },
        facts: Some(facts),
    };
    let sealed = Seal { notice: Some(id), held: free.iter().map(|held| held.id.clone()).collect() };
    let mut writes = vec![held::put_seal(&due.channel, &due.user, &Versioned { value: sealed, ..seal })?];
    if due.channel == INBOX {
        writes.extend(inbox::put_new(&due.user, &entry(&notice, severity))?);
    } else {
        writes.push(notices::put_new(&notice)?);
    }
    // Refused when another worker tells it at this moment: what it sealed is finished first.
    let _ = table.transact(writes).await?;
    Ok(())
}

fn entry(notice: &Notice, severity: Severity) -> Entry {
    Entry {
        id: notice.id.clone(),
        category: None,
        severity,
        title: notice.subject.clone(),
        content: notice.text.clone(),
        source: None,
        transition: None,
        alarms: super::inbox::alarms(notice),
        at: notice.at,
        read_at: None,
    }
}

async fn summary(table: &dyn Table, held: &[Held]) -> Result<Summary, TableError> {
    let changes = || held.iter().flat_map(|held| &held.changes);
    let ids: BTreeSet<&str> = changes().map(|change| change.alarm.as_str()).collect();
    let mut active = alarms::active_of(table, ids.clone()).await?;
    let over: BTreeSet<&str> = ids.into_iter().filter(|id| !active.contains(*id)).collect();
    // What comes and goes stands under the name of a later alarm; that it does holds until it is calm.
    let flaps: BTreeSet<&str> =
        changes().filter(|change| change.kind == ChangeKind::Flapping).map(Change::told_as).collect();
    let going_on = comes_and_goes::going_on(table, &over).await?;
    active.extend(going_on.into_iter().filter(|(id, stands)| *stands || flaps.contains(id.as_str())).map(|(id, _)| id));
    // How that stands is told when it is off the shelf, or in service.
    let aside = aside_of(table, &active).await?;
    let changes = held.iter().flat_map(|held| held.changes.iter().map(move |change| (held, change)));
    let changes = changes.filter(|(_, change)| !aside.contains(&change.alarm));
    let changes =
        changes.map(|(held, change)| HeldChange { source: &held.source, place: &held.place, change, why: held.why });
    let summary = Summary::of(changes.collect::<Vec<_>>(), |alarm| active.contains(alarm));
    let sources: BTreeSet<Source> = summary.standing.iter().map(|line| line.source.clone()).collect();
    let watches = alarms::watches(table, &sources.iter().collect()).await?;
    let is_unknown = |source: &Source| watches.get(source).is_some_and(|watch| watch.state.unknown.is_some());
    Ok(summary.unseen_where(is_unknown))
}

/// Has what is sealed delivered, and forgets what it tells.
async fn finish(cx: &Context, due: &Due, seal: Versioned<Seal>) -> Result<Versioned<Seal>, JobError> {
    let Some(notice) = seal.value.notice.clone() else { return Ok(seal) };
    let (table, Due { user, channel, .. }) = (cx.table.as_ref(), due);
    if channel == INBOX {
        if let Some(entry) = inbox::get(table, user, &notice).await? {
            let push = inbox_events::new(user, &entry.value, inbox::unread(table, user).await?);
            crate::fan_out::show(cx, vec![push]).await;
        }
    } else {
        cx.queue.enqueue(vec![DeliverNotice { user: user.clone(), notice }.message()]).await?;
    }
    held::let_go(table, &held::sealed(table, channel, user, &seal.value).await?, cx.clock.now()).await?;
    let mut open = Versioned { value: Seal::default(), version: seal.version };
    if !table.write(held::put_seal(channel, user, &open)?).await?.applied() {
        return Err(JobError::retry("another worker tells it"));
    }
    open.version += 1;
    Ok(open)
}

/// Sets the next timer and removes the one that was due. What was held meanwhile has set another one of its own.
async fn end(cx: &Context, due: &Due, later: Option<Timestamp>) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    // Nothing is looked at again at the instant that was just looked at.
    let later = later.map(|later| later.max(due.at.plus(Duration::from_secs(1))));
    if let Some(at) = later {
        held::wake(table, &Due { at, ..due.clone() }).await?;
    }
    held::unset(table, due).await?;
    if later.is_none() && !held::list(table, &due.channel, &due.user).await?.is_empty() {
        held::wake(table, &Due { at: cx.clock.now(), ..due.clone() }).await?;
    }
    Ok(())
}
