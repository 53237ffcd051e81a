//! Incidents: what each audience is told of a group of alarms, and how far that is.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Incident`] | `incident#` audience | id |
//! | the incident of a group that is not closed | `incident-open#` audience | group |
//! | that an audience heard of a transition | `incident-heard#` transition | audience, `#`, group |
//! | that a policy, or a rule's recipients, heard of an alarm's beginning | `incident-alarm#` alarm | audience, `#`, group |
//! | the group in which an alarm began | `incident-group#` alarm | `group` |
//! | an alarm of an incident that has too many to remember them itself | `incident-apart#` audience, `#`, id | alarm |
//! | of which incidents somebody was told by name | see [`told`](self::told()) | |
//! | when an incident is to be looked at again | `incident-timer` | due, `#`, audience, `#`, id |
//!
//! A step of an incident is one transaction over all of them. What is to be told stays in its `outbox` until it was handed on: a
//! crash between the two tells it again, under the same names.

mod apart;
mod begun;
mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use domain::{
    Timestamp,
    identity::derived_id,
    routing::{
        Topics,
        incident::{self, Telling},
    },
};
use serde::{Deserialize, Serialize};

pub use self::{
    apart::{all_apart, apart_among, first_apart, put_apart},
    begun::{Begun, begun, group_of, keep_group, put_begun, stood_in_for},
    told::{end_told, put_told, told, told_of, told_open},
};
use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, record};

/// How long an incident is kept after it is closed.
pub const RETENTION: Duration = Duration::from_hours(90 * 24);

/// How long it is remembered who heard of a transition: longer than any queue gives a job again.
const HEARD_RETENTION: Duration = Duration::from_hours(30 * 24);

/// Who is told of an incident together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Audience {
    /// One person.
    User(String),
    /// Whoever subscribed to the topics.
    Topics,
    /// Those whom a policy names, step by step.
    Policy(String),
}

/// An incident, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Derived from its audience, its group and what it began with.
    pub id: String,
    /// Who is told.
    pub audience: Audience,
    /// What belongs together.
    pub group: String,
    /// What people call the group.
    pub place: String,
    /// The routing policy that it is told by, if it is by one.
    pub policy: Option<String>,
    /// How it stands.
    pub state: incident::Incident,
    /// When it is to be looked at if nothing is new.
    pub timer: Option<Timestamp>,
    /// The transition that it heard of last.
    pub transition: String,
    /// Who is told of it, where that is more than its audience: those too whom a narrower audience tells all of it.
    pub people: BTreeSet<String>,
    /// Those of them who are told in the place of somebody whom nothing reached, before the step that names them, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<String, Timestamp>,
    /// When the first of it was told.
    #[serde(default)]
    pub first_told: Option<Timestamp>,
    /// Which of its notices each of them got last that asked for attention.
    #[serde(default)]
    pub looked_up: BTreeMap<String, Earlier>,
    /// The last notice that each was told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_told: BTreeMap<String, Earlier>,
    /// Which topics told of which of its alarms.
    #[serde(default, skip_serializing_if = "Topics::is_empty")]
    pub topics: Topics,
    /// Whose own incidents could not be brought a transition yet, which is tried again, by the transitions that are not told yet:
    /// they hear of it there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub behind: BTreeMap<String, BTreeSet<String>>,
    /// What may not have been handed on yet.
    pub outbox: Vec<Outgoing>,
}

/// A notice of an incident that somebody got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which of the incident's.
    pub sequence: u32,
    /// When.
    pub at: Timestamp,
}

/// What is to be told, and whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// What.
    pub telling: Telling,
    /// Whom: users' names, or [`crate::notices::EVERYBODY`].
    pub people: Vec<String>,
    /// What it takes the place of for each of them, where a channel can edit: nothing for who is not among them.
    #[serde(default)]
    pub follows: BTreeMap<String, Earlier>,
    /// What each of them was told before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub previous: BTreeMap<String, Earlier>,
}

/// Names an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Whose.
    pub audience: Audience,
    /// Its id.
    pub id: String,
}

impl Incident {
    /// One that has not begun.
    pub fn new(audience: Audience, group: String, place: String, first: &str, now: Timestamp) -> Self {
        let id = derived_id(now, &["incident", &audience.to_string(), &group, first]);
        let state = incident::Incident::default();
        let (policy, timer, people, outbox) = (None, None, BTreeSet::new(), Vec::new());
        Self {
            id,
            audience,
            group,
            place,
            policy,
            state,
            timer,
            transition: first.to_owned(),
            people,
            called: BTreeMap::new(),
            first_told: None,
            looked_up: BTreeMap::new(),
            last_told: BTreeMap::new(),
            topics: Topics::default(),
            behind: BTreeMap::new(),
            outbox,
        }
    }

    /// What names it.
    pub fn named(&self) -> Named {
        Named { audience: self.audience.clone(), id: self.id.clone() }
    }
}

/// The incident of a group that is not closed; none when there is none.
pub async fn current(
    table: &dyn Table,
    audience: &Audience,
    group: &str,
) -> Result<Option<Versioned<Incident>>, TableError> {
    match record::get::<String>(table, &open_key(audience, group)).await? {
        Some(id) => {
            let incident = get(table, &Named { audience: audience.clone(), id: id.value }).await?;
            // It may have been closed since.
            Ok(incident.filter(|incident| !incident.value.state.closed))
        }
        None => Ok(None),
    }
}

/// An incident.
pub async fn get(table: &dyn Table, named: &Named) -> Result<Option<Versioned<Incident>>, TableError> {
    record::get(table, &key(named)).await
}

/// The incident in which an audience heard of a transition; none when it did not yet.
pub async fn heard(
    table: &dyn Table,
    transition: &str,
    audience: &Audience,
    group: &str,
) -> Result<Option<Named>, TableError> {
    let id = record::get::<String>(table, &heard_key(transition, audience, group)).await?;
    Ok(id.map(|id| Named { audience: audience.clone(), id: id.value }))
}

/// Those of some transitions that an audience heard of in a group.
pub async fn heard_of(
    table: &dyn Table,
    transitions: &BTreeSet<&str>,
    (audience, group): (&Audience, &str),
) -> Result<BTreeSet<String>, TableError> {
    let transitions: Vec<&str> = transitions.iter().copied().collect();
    let keys: Vec<Key> = transitions.iter().map(|transition| heard_key(transition, audience, group)).collect();
    let items = if keys.is_empty() { Vec::new() } else { table.get_many(&keys).await? };
    let found: BTreeSet<&Key> = items.iter().map(|item| &item.key).collect();
    let heard = transitions.iter().zip(&keys).filter(|(_, key)| found.contains(key));
    Ok(heard.map(|(transition, _)| (*transition).to_owned()).collect())
}

/// The writes that store an incident after a step, with the transition that it heard of. Refused when somebody else stepped it
/// meanwhile, or began another one of its group, or when it heard of the transition before.
pub fn put(
    incident: &Versioned<Incident>,
    before: Option<Timestamp>,
    heard: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Write>, TableError> {
    let Incident { id, audience, group, state, timer, .. } = &incident.value;
    let named = incident.value.named();
    let expires = state.closed.then(|| now.plus(RETENTION));
    let mut writes = vec![incident.put_back(key(&named), expires)?];
    let open = open_key(audience, group);
    match (incident.version, state.closed) {
        (0, false) => writes.push(record::put_new(open, id, None)?),
        (0, true) | (_, false) => {}
        (_, true) => writes.push(record::delete(open)),
    }
    if *timer != before {
        writes.extend(before.map(|due| record::delete(timer_key(due, &named))));
        if let Some(due) = timer {
            writes.push(record::put(timer_key(*due, &named), &named)?);
        }
    }
    if let Some(transition) = heard {
        let expires = Some(now.plus(HEARD_RETENTION));
        writes.push(record::put_new(heard_key(transition, audience, group), id, expires)?);
    }
    Ok(writes)
}

/// The write that stores an incident whose tellings were handed on. Refused when somebody stepped it meanwhile.
pub fn put_handed_on(incident: &Versioned<Incident>, now: Timestamp) -> Result<Write, TableError> {
    let expires = incident.value.state.closed.then(|| now.plus(RETENTION));
    incident.put_back(key(&incident.value.named()), expires)
}

/// A page of an audience's incidents, newest first.
pub async fn list(
    table: &dyn Table,
    audience: &Audience,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Incident>, TableError> {
    record::page(table, &Range::all(partition(audience), limit).newest_first().after(after)).await
}

/// The incidents whose timers are due, earliest first.
pub async fn due(table: &dyn Table, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, Named)>, TableError> {
    let range = Range::all("incident-timer", limit).between("", format!("{}#~", until.sortable()));
    let page = table.query(&range).await?;
    page.items
        .iter()
        .map(|item| {
            let named = record::decode(item)?.value;
            let due = item.key.sk.split('#').next().and_then(|due| due.parse().ok());
            let damaged = || TableError::Damaged(format!("incident-timer {}", item.key.sk));
            due.map(|due| (Timestamp(due), named)).ok_or_else(damaged)
        })
        .collect()
}

fn partition(audience: &Audience) -> String {
    format!("incident#{audience}")
}

fn key(named: &Named) -> Key {
    Key::new(partition(&named.audience), &named.id)
}

fn open_key(audience: &Audience, group: &str) -> Key {
    Key::new(format!("incident-open#{audience}"), group)
}

fn heard_key(transition: &str, audience: &Audience, group: &str) -> Key {
    Key::new(format!("incident-heard#{transition}"), format!("{audience}#{group}"))
}

fn timer_key(due: Timestamp, named: &Named) -> Key {
    Key::new("incident-timer", format!("{}#{}#{}", due.sortable(), named.audience, named.id))
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Topics => f.write_str("topics"),
            Self::Policy(policy) => write!(f, "policy:{policy}"),
        }
    }
}

/// Why a text is not an [`Audience`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no audience is called {0:?}")]
pub struct NotAnAudience(String);

impl FromStr for Audience {
    type Err = NotAnAudience;

    fn from_str(text: &str) -> Result<Self, NotAnAudience> {
        match text.split_once(':') {
            Some(("user", user)) => Ok(Self::User(user.to_owned())),
            Some(("policy", policy)) => Ok(Self::Policy(policy.to_owned())),
            None if text == "topics" => Ok(Self::Topics),
            _ => Err(NotAnAudience(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = NotAnAudience;

    fn try_from(text: String) -> Result<Self, NotAnAudience> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.to_string()
    }
}

#[cfg(test)]
mod tests;
