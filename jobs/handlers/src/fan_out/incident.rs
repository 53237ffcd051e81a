//! Steps incidents, stores them, and hands on what is to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    Timestamp,
    alarm::{Change, ChangeKind},
    routing::incident::{BySeverity, Input, MOST_RECALLED, News, Open, Pace, Telling, TellingKind, step, waited_for},
};
use records::{
    Outcome, Table, TableError, Versioned, Write,
    alarms::Transition,
    incidents::{self, Audience, Earlier, Incident, Named, Outgoing},
    notices::EVERYBODY,
    users,
};

use super::{
    policies::{Steps, bound, steps_of},
    shares::Shares,
    standing::{known, leave_out_what_is_out_of_sight},
    telling,
};
use crate::{Context, FanOut, JobError, gate::Common};

/// How often a step is tried anew when another worker stepped the same incident meanwhile.
const TRIES: usize = 16;

/// So many alarms that are remembered apart come back where nothing is new, so that all of it can be stored together.
const RECALLED_ALONE: usize = 40;

/// What is due so soon is put into the queue at once: where a sweep comes once a minute, it would come too late.
const SOON: Duration = Duration::from_secs(90);

/// Brings some changes of a transition to the incident of an audience that they belong to. Those whose own incidents are behind
/// hear of it there.
pub(super) async fn bring(
    (cx, common, behind): (&Context, &Common, &BTreeSet<String>),
    audience: &Audience,
    (group, place): (String, String),
    transition: &Transition,
    changes: Vec<Change>,
) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    let (id, source) = (&transition.id, &transition.source);
    let news = |change| News { transition: id.clone(), source: source.clone(), change };
    let news: Vec<News> = changes.into_iter().map(news).collect();
    for _ in 0..TRIES {
        let now = cx.clock.now();
        let begun = || Incident::new(audience.clone(), group.clone(), place.clone(), &transition.id, now);
        let current = incidents::current(table, audience, &group).await?;
        let mut incident = current.unwrap_or_else(|| Versioned { value: begun(), version: 0 });
        incident.value.transition.clone_from(&transition.id);
        let apart = apart(table, &incident.value, &news, MOST_RECALLED).await?;
        let known = known(cx, &incident.value, &apart, &news).await?;
        let input = Input { news: news.clone(), known, apart };
        let is_repeat = !incident.value.outbox.is_empty();
        if !behind.is_empty() {
            incident.value.behind.insert(transition.id.clone(), behind.clone());
        }
        if advance(cx, &mut incident, input, Some(&transition.id)).await? {
            return hand_on((cx, common), incident, is_repeat).await;
        }
        // An earlier run may have brought it, and died before it handed on what is to be told.
        if let Some(named) = incidents::heard(table, &transition.id, audience, &group).await? {
            return match incidents::get(table, &named).await? {
                Some(incident) => hand_on((cx, common), incident, true).await,
                None => Ok(()),
            };
        }
    }
    Err(JobError::retry(format!("the incident of {audience} at {group} is stepped by many at once")))
}

/// Looks at an incident whose time has come.
pub(super) async fn look_at(cx: &Context, named: &Named) -> Result<(), JobError> {
    let common = Common::default();
    for _ in 0..TRIES {
        let Some(mut incident) = incidents::get(cx.table.as_ref(), named).await? else { return Ok(()) };
        if incident.value.state.closed || incident.value.timer.is_none_or(|due| due > cx.clock.now()) {
            return hand_on((cx, &common), incident, true).await;
        }
        let is_repeat = !incident.value.outbox.is_empty();
        let mut apart = apart(cx.table.as_ref(), &incident.value, &[], RECALLED_ALONE).await?;
        if incident.value.state.asks_for_who_waits() {
            apart.extend(waited_for_apart(cx, &incident.value).await?);
        }
        let mut known = known(cx, &incident.value, &apart, &[]).await?;
        leave_out_what_is_out_of_sight(cx, (&incident.value, &apart), &mut known).await?;
        if advance(cx, &mut incident, Input { news: Vec::new(), known, apart }, None).await? {
            return hand_on((cx, &common), incident, is_repeat).await;
        }
    }
    Err(JobError::retry(format!("the incident {} is stepped by many at once", named.id)))
}

/// Of the alarms that an incident remembers apart those that something is new of, and the first others where it has room.
async fn apart(
    table: &dyn Table,
    incident: &Incident,
    news: &[News],
    most: usize,
) -> Result<BTreeMap<String, Open>, TableError> {
    let state = &incident.state;
    if state.apart == 0 {
        return Ok(BTreeMap::new());
    }
    let named = incident.named();
    let mut apart = incidents::apart_among(table, &named, news.iter().flat_map(names)).await?;
    // As soon as the step asks for some: those for whom there is no room stay where they are.
    if state.has_room_for(MOST_RECALLED) {
        apart.extend(incidents::first_apart(table, &named, most).await?);
    }
    Ok(apart)
}

/// Of the alarms that an incident remembers apart some that somebody waits for.
async fn waited_for_apart(cx: &Context, incident: &Incident) -> Result<BTreeMap<String, Open>, TableError> {
    let mut pace = pace(cx, incident);
    Steps::of(cx, &incident.audience).await?.paced(&mut pace);
    let all = incidents::all_apart(cx.table.as_ref(), &incident.named()).await?;
    let mut known = known(cx, incident, &all, &[]).await?;
    leave_out_what_is_out_of_sight(cx, (incident, &all), &mut known).await?;
    Ok(waited_for(all, &known, &pace, cx.clock.now()))
}

/// The names under which what is new may be remembered.
fn names(news: &News) -> BTreeSet<&str> {
    BTreeSet::from([news.change.alarm.as_str(), news.change.told_as()])
}

/// Takes a step and stores it; false when it was refused.
async fn advance(
    cx: &Context,
    incident: &mut Versioned<Incident>,
    input: Input,
    heard: Option<&str>,
) -> Result<bool, JobError> {
    let now = cx.clock.now();
    let steps = Steps::of(cx, &incident.value.audience).await?;
    let mut pace = pace(cx, &incident.value);
    steps.paced(&mut pace);
    let mut begun = begun(&input);
    let stepped = step(&incident.value.state, input, &pace, now);
    let before = incident.value.timer;
    incident.value.state = stepped.incident;
    incident.value.timer = stepped.timer;
    let told_at = stepped.tellings.first().map(|telling| telling.at);
    incident.value.first_told = incident.value.first_told.or(told_at);
    let told = stepped.tellings.iter().flat_map(|telling| &telling.news);
    let ended: BTreeSet<String> = told.filter(|news| news.change.ends()).flat_map(names).map(str::to_owned).collect();
    for telling in stepped.tellings {
        let now = Earlier { sequence: telling.sequence, at: telling.at };
        let mut told = BTreeSet::new();
        for (telling, people) in for_whom(cx, &mut incident.value, (&steps, &stepped.said_again), telling).await? {
            told.extend(people.iter().cloned());
            let outgoing = outgoing(&mut incident.value, telling, people);
            incident.value.outbox.push(outgoing);
        }
        incident.value.last_told.extend(told.into_iter().map(|person| (person, now)));
    }
    let Incident { behind, topics, state, .. } = &mut incident.value;
    // What is remembered apart is not named here.
    let may_be_apart = |alarm: &str| state.apart > 0 && !ended.contains(alarm);
    topics.forget(|alarm| {
        may_be_apart(alarm)
            || state.open.contains_key(alarm)
            || state.news.iter().any(|news| names(news).contains(alarm))
    });
    behind.retain(|transition, _| state.news.iter().any(|news| news.transition == *transition));
    let mut writes = incidents::put(incident, before, heard, now)?;
    writes.extend(incidents::put_apart(&incident.value.named(), &stepped.apart)?);
    begun.retain(|alarm| incident.value.state.open.contains_key(alarm) || stepped.apart.put.contains_key(alarm));
    writes.extend(remembered(&incident.value, &begun, now)?);
    let is_stored = cx.table.transact(writes).await?.applied();
    incident.version += 1;
    Ok(is_stored)
}

/// The alarms whose beginning is among what is new.
fn begun(input: &Input) -> BTreeSet<String> {
    // What comes and goes is open from when that is said.
    let opens = |change: &Change| change.begins() || change.kind == ChangeKind::Flapping;
    let begun = input.news.iter().filter(|news| opens(&news.change));
    begun.map(|news| news.change.goes_on_as().to_owned()).collect()
}

/// The writes that say who heard of the beginning of an alarm, where bindings do not say who hears of the rest.
fn remembered(incident: &Incident, begun: &BTreeSet<String>, now: Timestamp) -> Result<Vec<Write>, TableError> {
    match &incident.audience {
        Audience::Policy(_) => incidents::put_begun(incident, begun.iter().map(String::as_str), now),
        Audience::User(_) | Audience::Topics => Ok(Vec::new()),
    }
}

/// How fast an incident is told.
fn pace(cx: &Context, incident: &Incident) -> Pace {
    let pace = cx.settings.notices.pace();
    match incident.audience {
        // Nobody there can take anything on.
        Audience::Topics => Pace { repeat: BySeverity::default(), ..pace },
        Audience::User(_) | Audience::Policy(_) => pace,
    }
}

/// Whom a telling is for, and what of it. Who hears of an incident once hears of its end.
async fn for_whom(
    cx: &Context,
    incident: &mut Incident,
    (steps, said_again): (&Steps, &BTreeSet<String>),
    telling: Telling,
) -> Result<Vec<(Telling, Vec<String>)>, TableError> {
    match &incident.audience {
        Audience::User(user) => return Ok(vec![(telling, vec![user.clone()])]),
        Audience::Topics => {
            let parts = incident.topics.split(&telling).into_iter();
            return Ok(parts.map(|part| (part, vec![EVERYBODY.to_owned()])).collect());
        }
        Audience::Policy(_) => {}
    }
    let (now_named, is_for_all) = (steps_of(&telling), telling.kind != TellingKind::Escalation);
    let mut people = BTreeSet::new();
    if !now_named.is_empty() {
        let table = cx.table.as_ref();
        let news = telling.news.iter().map(|news| &news.source);
        let (everybody, bound) = (users::list(table).await?, bound(cx, incident, news).await?);
        for step in now_named {
            people.extend(steps.named((table, cx.clock.now()), step, (&everybody, &bound)).await?);
        }
    }
    incident.people.extend(people.iter().cloned());
    if is_for_all {
        people.extend(incident.people.iter().cloned());
    }
    let pace = cx.settings.notices.pace();
    Shares { cx, incident, steps, pace: &pace, standing: said_again }.of(&telling, people).await
}

/// What somebody is to be told, and what it takes the place of.
fn outgoing(incident: &mut Incident, telling: Telling, people: Vec<String>) -> Outgoing {
    let now = Earlier { sequence: telling.sequence, at: telling.at };
    let last_told = people.iter().filter_map(|person| Some((person.clone(), *incident.last_told.get(person)?)));
    let previous = last_told.collect();
    if telling.asks_for_attention() {
        incident.looked_up.extend(people.iter().map(|person| (person.clone(), now)));
        return Outgoing { telling, people, follows: BTreeMap::new(), previous };
    }
    // What was told before it was remembered to whom.
    let first = incident.first_told.filter(|_| telling.sequence > 1).map(|at| Earlier { sequence: 1, at });
    let follows = people.iter().filter_map(|person| {
        let earlier = incident.looked_up.get(person).copied().or(first)?;
        Some((person.clone(), earlier))
    });
    let follows = follows.collect();
    Outgoing { telling, people, follows, previous }
}

/// Writes what is to be told, and has it delivered; then empties the outbox. A crash between the two does it again, under the
/// same names.
async fn hand_on(
    (cx, common): (&Context, &Common),
    mut incident: Versioned<Incident>,
    is_repeat: bool,
) -> Result<(), JobError> {
    let (table, now) = (cx.table.as_ref(), cx.clock.now());
    let (mut messages, mut pushes) = (Vec::new(), Vec::new());
    for outgoing in &incident.value.outbox {
        let (letters, shown) = telling::tell((cx, common), &incident.value, outgoing, is_repeat).await?;
        messages.extend(letters);
        pushes.extend(shown);
    }
    if incident.value.state.closed && matches!(incident.value.audience, Audience::Policy(_)) {
        for person in &incident.value.people {
            let _ = table.write(incidents::end_told(person, &incident.value)).await?;
        }
    }
    let soon = incident.value.timer.filter(|due| now.plus(SOON) >= *due);
    messages.extend(soon.map(|due| FanOut::due(incident.value.named(), due, now)));
    if !messages.is_empty() {
        cx.queue.enqueue(messages).await?;
    }
    if !pushes.is_empty() {
        super::show(cx, pushes).await;
    }
    if !incident.value.outbox.is_empty() {
        incident.value.outbox.clear();
        // Refused when it was stepped again meanwhile: that step hands on the same once more, under the same names.
        let _: Outcome = table.write(incidents::put_handed_on(&incident, now)?).await?;
    }
    Ok(())
}
