//! Where a notice goes that a channel does not take: to the person's next channel, and behind the last to the next person.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Source, Timestamp,
    alarm::Change,
    identity::{derived_id, time_of},
};
use records::{
    Table, TableError,
    channels::Channels,
    facts::{Facts, Instead, Kind},
    incidents::{self, Audience, Begun, Incident},
    notices::{self, EVERYBODY, Notice, NoticeStatus, Way},
    users::{self, User},
};

use super::{DeliverNotice, event};
use crate::{
    Context, Job, JobError,
    fan_out::{
        self,
        policies::{Steps, bound},
    },
    gate::{Asked, Common, Gate},
    whole_incident,
    words::{self, Enclosed, Reader},
};

/// How long a channel may take before a notice goes on to the next one.
const PATIENCE: Duration = Duration::from_mins(2);

/// How soon it is asked again who is next.
pub(super) const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// How often an incident is tried anew when another worker stepped it meanwhile.
const TRIES: usize = 8;

/// A notice may tell of many alarms: of so many it is asked who else hears of them.
const MOST_ASKED: usize = 20;

/// How far back it is looked for what else somebody was told of the same.
const LOOKED_THROUGH: usize = 200;

/// When a notice that was not taken goes on.
pub(super) fn due(notice: &Notice) -> Timestamp {
    notice.tried_since().plus(PATIENCE)
}

/// Whether a notice went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// It did, or need not, or there is nobody.
    On,
    /// Who is next is not known yet.
    NotYet,
}

/// Tells it on the next channel, or the next person, if there is one. Doing it again tells nobody twice.
pub(super) async fn pass_on(cx: &Context, notice: &Notice) -> Result<Passed, JobError> {
    if notice.way.once || notice.user == EVERYBODY {
        return Ok(Passed::On);
    }
    let table = cx.table.as_ref();
    let told = of_the_same(table, notice).await?;
    if told.iter().any(|told| told.status == NoticeStatus::Sent) {
        return Ok(Passed::On);
    }
    if let Some(user) = users::get(table, &notice.user).await? {
        let channels = Channels::of(table, &user).await?;
        let mut wanting = channels.wanting(event(notice));
        wanting.retain(|channel| !told.iter().any(|told| told.channel == *channel));
        let (common, happened) = (Common::default(), happened(notice));
        let gate = gate_of(cx, &common, &user, &happened).await?;
        let tried: Vec<&str> = told.iter().map(|told| told.channel.as_str()).collect();
        let reachable = channels.without(&tried);
        for channel in wanting {
            let next = instead(cx, notice, &user, channel);
            // What its first channel let through is judged as of then.
            if is_let_through(&gate, &reachable, (&next, notice.at), &happened).await? {
                tell(cx, vec![next]).await?;
                return Ok(Passed::On);
            }
        }
    }
    let now = cx.clock.now();
    let waits = |other: &Notice| other.status == NoticeStatus::Waiting && !other.way.passed_on && now < due(other);
    if told.iter().any(|other| other.id != notice.id && waits(other)) {
        // Of several that are told at once, the last to fail goes on.
        return Ok(Passed::On);
    }
    to_the_next_person(cx, notice).await
}

/// What holds for somebody who may be told of what happened.
async fn gate_of<'a>(
    cx: &'a Context,
    common: &'a Common,
    user: &User,
    happened: &[(&Source, &Change)],
) -> Result<Gate<'a>, JobError> {
    Gate::read(cx, common, happened.iter().map(|(source, _)| *source), [user.user.as_str()], false).await
}

/// Whether somebody may be told so in another's place, by the channels that are left: neither where they want nothing of it or
/// are left alone, nor beyond what an address is told a day.
async fn is_let_through(
    gate: &Gate<'_>,
    reachable: &[String],
    (notice, at): (&Notice, Timestamp),
    happened: &[(&Source, &Change)],
) -> Result<bool, JobError> {
    let reachable: Vec<&str> = reachable.iter().map(String::as_str).collect();
    let asked = Asked {
        user: &notice.user,
        reachable: &reachable,
        channel: &notice.channel,
        notice: &notice.id,
        at,
        is_by_name: false,
        has_next: true,
    };
    // What was held back is due: what held it does not hold it again.
    let was_held = notice.facts.as_ref().is_some_and(|facts| matches!(facts.kind, Kind::HeldBack | Kind::Digest));
    let is_told = if was_held {
        !gate.chosen_by(asked.user).is_off(happened, asked.channel, asked.reachable)
    } else {
        gate.is_told_now(asked, happened)
    };
    Ok(is_told && gate.limit(asked).await?.is_none())
}

/// What a notice tells of, and where it happened.
fn happened(notice: &Notice) -> Vec<(&Source, &Change)> {
    let parts = notice.facts.iter().flat_map(|facts| &facts.parts);
    parts.flat_map(|part| part.changes.iter().map(move |change| (&part.source, change))).collect()
}

/// The channel that a notice went on to, if that took it: the person was told, and is not told once more.
pub(super) async fn told_instead(table: &dyn Table, notice: &Notice) -> Result<Option<String>, JobError> {
    // What is replayed was asked for.
    if !notice.way.passed_on || notice.way.since.is_some() {
        return Ok(None);
    }
    let mut told = of_the_same(table, notice).await?.into_iter();
    let instead = |told: &Notice| told.status == NoticeStatus::Sent && told.way.instead_of.as_ref() == Some(&notice.id);
    Ok(told.find(instead).map(|told| told.channel))
}

async fn to_the_next_person(cx: &Context, notice: &Notice) -> Result<Passed, JobError> {
    let table = cx.table.as_ref();
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
            joins_incidents(cx, notice, &user.user).await?;
            tell(cx, notices).await?;
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
    for _ in 0..TRIES {
        let Some(mut incident) = incidents::get(table, &incident.named()).await? else { return Ok(()) };
        let Incident { state, people, stand_ins, .. } = &mut incident.value;
        if state.closed || !people.insert(user.to_owned()) {
            return Ok(());
        }
        stand_ins.insert(user.to_owned());
        state.was_told_early(stand(notice).map(Change::told_as), now);
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
/// somebody is by now: who comes behind them is not called once more for each of those whom nothing reaches.
async fn others(cx: &Context, notice: &Notice) -> Result<Option<Vec<String>>, JobError> {
    if let Some(known) = &notice.way.others {
        return Ok(Some(known.clone()));
    }
    let (mut others, mut is_told): (Vec<String>, bool) = (Vec::new(), false);
    let everybody = users::list(cx.table.as_ref()).await?;
    for incident in escalated(cx.table.as_ref(), notice).await? {
        if incident.stand_ins.iter().any(|name| *name != notice.user) {
            is_told = true;
            continue;
        }
        let (level, bound) = (incident.state.level, bound(cx, &incident, []).await?);
        let named = named_by(cx, &incident, level, (notice, &everybody, &bound)).await?;
        let next = named.into_iter().filter(|name| !incident.people.contains(name) && !others.contains(name));
        others.extend(next.collect::<Vec<_>>());
    }
    Ok((!others.is_empty() || !is_told).then_some(others))
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

/// What the person was told of the same, this notice among it: a repeat tells of the same transition, and is another telling.
async fn of_the_same(table: &dyn Table, notice: &Notice) -> Result<Vec<Notice>, JobError> {
    let mut told = notices::list(table, &notice.user, LOOKED_THROUGH, None).await?.items;
    let is_of_one = |told: &Notice| told.incident == notice.incident && told.sequence == notice.sequence;
    let is_same = |told: &Notice| !notice.incident.is_empty() || told.transition == notice.transition;
    told.retain(|told| is_of_one(told) && is_same(told) && told.id != notice.id);
    told.push(notice.clone());
    Ok(told)
}

fn instead(cx: &Context, notice: &Notice, user: &User, channel: String) -> Notice {
    let is_other = user.user != notice.user;
    let facts = notice.facts.clone().map(|facts| Facts {
        instead: Some(Instead {
            user: is_other.then(|| notice.user.clone()),
            channel: notice.channel.clone(),
            is_late: notice.status != NoticeStatus::Failed,
            said: notice.attempts.last().map(|attempt| attempt.outcome.clone()).unwrap_or_default(),
        }),
        ..facts
    });
    let reader = Reader::new(&user.locale, &cx.settings.words);
    let words = facts.as_ref().map(|facts| words::compose(facts, &reader, &Enclosed::default()));
    let (subject, text) = match words {
        Some(words) => (words.subject, words.text),
        None => (notice.subject.clone(), notice.text.clone()),
    };
    let in_place_of = notice.way.in_place_of.clone().or_else(|| is_other.then(|| notice.user.clone()));
    // By the transition, not by the notice: of several that fail at once, one goes on, be they of several people. The same person is told
    // of one transition again.
    let began = time_of(if is_other { &notice.transition } else { &notice.id }).unwrap_or(notice.at);
    Notice {
        id: derived_id(began, &["instead", &notice.transition, &user.user, &channel]),
        user: user.user.clone(),
        channel,
        subject,
        text,
        at: cx.clock.now(),
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way {
            event: notice.way.event.clone(),
            instead_of: Some(notice.id.clone()),
            others: notice.way.others.clone(),
            in_place_of,
            ..Way::default()
        },
        facts,
        ..notice.clone()
    }
}

fn event(notice: &Notice) -> &str {
    notice.way.event.as_deref().unwrap_or(event::CHANGED)
}

/// Stores notices and has them delivered.
pub(super) async fn tell(cx: &Context, notices: Vec<Notice>) -> Result<(), JobError> {
    let mut messages = Vec::new();
    for notice in notices {
        // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
        let _ = cx.table.write(notices::put_new(&notice)?).await?;
        messages.push(DeliverNotice { user: notice.user, notice: notice.id }.message());
    }
    if !messages.is_empty() {
        cx.queue.enqueue(messages).await?;
    }
    Ok(())
}
