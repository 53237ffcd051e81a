//! Steps incidents, stores them, and hands on what is to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    alarm::Change,
    routing::incident::{BySeverity, Input, Known, News, Pace, TellingKind, step},
};
use records::{
    Outcome, TableError, Versioned,
    alarms::{self, Alarm, Transition},
    incidents::{self, Audience, Incident, Named, Outgoing},
    notices::EVERYBODY,
    users,
};

use super::{
    policies::{Steps, bound, steps_of},
    telling,
};
use crate::{Context, FanOut, JobError, gate::Common};

/// How often a step is tried anew when another worker stepped the same incident meanwhile.
const TRIES: usize = 16;

/// What is due so soon is put into the queue at once: where a sweep comes once a minute, it would come too late.
const SOON: Duration = Duration::from_secs(90);

/// Brings some changes of a transition to the incident of an audience that they belong to.
pub(super) async fn bring(
    (cx, common): (&Context, &Common),
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
        let known = known(cx, &incident.value, &news).await?;
        let input = Input { news: news.clone(), known };
        let is_repeat = !incident.value.outbox.is_empty();
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
        let mut known = known(cx, &incident.value, &[]).await?;
        leave_out_what_is_out_of_sight(cx, &incident.value, &mut known).await?;
        if advance(cx, &mut incident, Input { news: Vec::new(), known }, None).await? {
            return hand_on((cx, &common), incident, is_repeat).await;
        }
    }
    Err(JobError::retry(format!("the incident {} is stepped by many at once", named.id)))
}

/// Takes a step and stores it; false when it was refused.
async fn advance(
    cx: &Context,
    incident: &mut Versioned<Incident>,
    input: Input,
    heard: Option<&str>,
) -> Result<bool, JobError> {
    let now = cx.clock.now();
    let (steps, policy) = Steps::of(cx, &incident.value.audience).await?;
    let mut pace = pace(cx, &incident.value);
    steps.paced(&mut pace, policy.as_ref());
    let stepped = step(&incident.value.state, input, &pace, now);
    let before = incident.value.timer;
    incident.value.state = stepped.incident;
    incident.value.timer = stepped.timer;
    let first = incident.value.outbox.len();
    let outgoing = stepped.tellings.into_iter().map(|telling| Outgoing { telling, people: Vec::new() });
    incident.value.outbox.extend(outgoing);
    let began = incident.value.outbox.get(first).map(|outgoing| outgoing.telling.at);
    incident.value.first_told = incident.value.first_told.or(began);
    for place in first..incident.value.outbox.len() {
        let people = people(cx, &mut incident.value, &steps, place).await?;
        incident.value.outbox[place].people = people;
    }
    let writes = incidents::put(incident, before, heard, now)?;
    let is_stored = cx.table.transact(writes).await?.applied();
    incident.version += 1;
    Ok(is_stored)
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

/// Whom a telling is for. Who hears of an incident once hears of its end.
async fn people(cx: &Context, incident: &mut Incident, steps: &Steps, place: usize) -> Result<Vec<String>, TableError> {
    match &incident.audience {
        Audience::User(user) => return Ok(vec![user.clone()]),
        Audience::Topics => return Ok(vec![EVERYBODY.to_owned()]),
        Audience::Policy(_) => {}
    }
    let telling = &incident.outbox[place].telling;
    let (now_named, is_for_all) = (steps_of(telling), telling.kind != TellingKind::Escalation);
    let mut people = BTreeSet::new();
    if !now_named.is_empty() {
        let table = cx.table.as_ref();
        let (everybody, bound) = (users::list(table).await?, bound(cx, incident).await?);
        for step in now_named {
            people.extend(steps.named((table, cx.clock.now()), step, (&everybody, &bound)).await?);
        }
    }
    incident.people.extend(people.iter().cloned());
    Ok(if is_for_all { incident.people.iter().cloned().collect() } else { people.into_iter().collect() })
}

/// What the records say of the alarms that are open, or new.
async fn known(cx: &Context, incident: &Incident, news: &[News]) -> Result<BTreeMap<String, Known>, TableError> {
    let mut known: BTreeMap<String, Known> = incident.state.open.keys().map(|alarm| (alarm.clone(), GONE)).collect();
    known.extend(news.iter().map(|news| (news.change.alarm.clone(), GONE)));
    for alarm in alarms::get_many(cx.table.as_ref(), &known.keys().cloned().collect::<Vec<_>>()).await? {
        let Alarm { id, cleared_at, acknowledged, .. } = alarm;
        known.insert(id, Known { over: cleared_at, acknowledged: acknowledged.map(|word| word.at), gone: false });
    }
    Ok(known)
}

const GONE: Known = Known { over: None, acknowledged: None, gone: true };

/// Of what somebody may not see any more they hear nothing.
async fn leave_out_what_is_out_of_sight(
    cx: &Context,
    incident: &Incident,
    known: &mut BTreeMap<String, Known>,
) -> Result<(), TableError> {
    let Audience::User(name) = &incident.audience else { return Ok(()) };
    let user = users::get(cx.table.as_ref(), name).await?;
    for (alarm, open) in &incident.state.open {
        let is_seen = match &user {
            None => false,
            Some(user) => users::may_see_source(cx.table.as_ref(), user, &open.source).await?,
        };
        if !is_seen {
            known.insert(alarm.clone(), GONE);
        }
    }
    Ok(())
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
    let soon = incident.value.timer.filter(|due| now.plus(SOON) >= *due);
    messages.extend(soon.map(|due| FanOut::due(incident.value.named(), due, now)));
    if !messages.is_empty() {
        cx.queue.enqueue(messages).await?;
    }
    if !incident.value.outbox.is_empty() {
        incident.value.outbox.clear();
        // Refused when it was stepped again meanwhile: that step hands on the same once more, under the same names.
        let _: Outcome = table.write(incidents::put_handed_on(&incident, now)?).await?;
    }
    if !pushes.is_empty() {
        super::show(cx, pushes).await;
    }
    Ok(())
}
