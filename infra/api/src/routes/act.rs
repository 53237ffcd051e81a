//! Links in letters: a page that asks, and a form that does it.
//!
//! GET and HEAD change nothing, so whoever looks at links before people do (a mail scanner, a preview) does nothing by it. The
//! token in the path says all: no cookie counts here, and nobody else's rights. It is never logged.

mod deed;
mod pace;
mod page;

use std::{collections::BTreeSet, sync::Arc};

use domain::Timestamp;
use engine_http::axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use jobs::{
    comes_and_goes,
    links::{Action, BadLink, Link},
    whole_incident,
    words::page::{Counted, State as Shown},
};
use records::{
    alarms::Alarm,
    facts::Facts,
    notices::{self, Notice},
    spent_links::{self, Use},
    users::{self, Role, User},
};

pub(crate) use self::pace::Pace;
use self::{deed::Target, page::Answer};
use crate::{error::ApiError, routes::alarms, site::Site};

/// The pages. They are answered as they are, also where they say that something is wrong.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new().route("/act/{token}", get(ask).post(act))
}

/// Asks whether the link's user means it.
async fn ask(State(site): State<Arc<Site>>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let answer = Answer::new(&site, &headers);
    match look(&site, &token).await {
        Ok(seen) => answer.to(&seen.user).shows(seen.asks(), &seen),
        Err(refusal) => refusal.told(answer),
    }
}

/// Does what the link says, once.
async fn act(State(site): State<Arc<Site>>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let answer = Answer::new(&site, &headers);
    // In a task of its own: one who hangs up early would otherwise leave it half done.
    let doing = tokio::spawn(async move { use_up(&site, &token).await });
    match doing.await {
        Ok(Ok((seen, shown))) => answer.to(&seen.user).shows(shown, &seen),
        Ok(Err(refusal)) => refusal.told(answer),
        Err(_) => answer.says(StatusCode::INTERNAL_SERVER_ERROR, Shown::Away),
    }
}

async fn use_up(site: &Site, token: &str) -> Result<(Seen, Shown), Refusal> {
    let seen = look(site, token).await?;
    let (table, now) = (&*site.table, site.clock.now());
    if seen.asks() != Shown::Confirm {
        let shown = seen.asks();
        return Ok((seen, shown));
    }
    let using = match spent_links::begin(table, &seen.link.name(), now, seen.link.until).await? {
        Use::Ours(using) => using,
        Use::Spent(at) => return Err(Refusal::Used(Box::new(seen.user), at)),
        Use::Busy => return Err(Refusal::Busy(Box::new(seen.user))),
    };
    let done = deed::act(site, seen.link.action, &seen.user, &seen.target).await;
    let left = match done {
        Ok(left) => left,
        Err(error) => {
            // If this fails too, the link may be used again once its lease is over.
            let _ = using.give_back(table).await;
            return Err(error.into());
        }
    };
    if left > 0 {
        // What was done stays done, and the next use goes on with what is left.
        using.give_back(table).await?;
        return Ok((Seen { left, ..seen }, Shown::Partly));
    }
    using.done(table).await?;
    let (user, notice) = (&seen.link.user, &seen.link.notice);
    tracing::info!(user.name = user, notice.id = notice, action = seen.link.action.code(), "A link was used");
    Ok((seen, Shown::Done))
}

/// A link that is good, and what it is about.
struct Seen {
    link: Link,
    user: User,
    facts: Facts,
    target: Target,
    /// How many alarms nobody has on yet.
    left: usize,
    /// Since when all of it is over.
    over: Option<Timestamp>,
}

/// Why a link does nothing.
enum Refusal {
    TooMany,
    Wrong,
    Expired(Option<Box<User>>),
    Used(Box<User>, Timestamp),
    Busy(Box<User>),
    /// There is no such user any more, or they do not see what it is about.
    Refused(Option<Box<User>>),
    Failed(ApiError),
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a token is good for; it changes nothing.
async fn look(site: &Site, token: &str) -> Result<Seen, Refusal> {
    let (table, now) = (&*site.table, site.clock.now());
    let links = site.links.as_ref().ok_or(Refusal::Wrong)?;
    let link = match links.read(token, now) {
        Ok(link) => link,
        Err(BadLink::Wrong) if site.link_pace.has_room(Pace::STRANGERS, now) => return Err(Refusal::Wrong),
        Err(BadLink::Wrong) => return Err(Refusal::TooMany),
        Err(BadLink::Expired(link)) => {
            let user = users::get(table, &link.user).await?;
            return Err(Refusal::Expired(user.map(Box::new)));
        }
    };
    if !site.link_pace.has_room(&link.user, now) {
        return Err(Refusal::TooMany);
    }
    let user = users::get(table, &link.user).await?.ok_or(Refusal::Refused(None))?;
    if let Some(at) = spent_links::spent(table, &link.name()).await? {
        return Err(Refusal::Used(Box::new(user), at));
    }
    let notice = notices::get(table, &link.user, &link.notice).await?;
    let Some((notice, facts)) = notice.and_then(|notice| Some((notice.value.clone(), notice.value.facts?))) else {
        return Err(Refusal::Refused(Some(Box::new(user))));
    };
    let alarms = concerned(site, &user, link.action, &notice).await?;
    // Letters offer it to administrators, who may be none any more.
    let may_not = link.action == Action::Silence && user.role != Role::Admin;
    if alarms.is_empty() || may_not {
        return Err(Refusal::Refused(Some(Box::new(user))));
    }
    let (alarms, over) = as_it_stands(link.action, alarms);
    let left = alarms.iter().filter(|alarm| !alarm.is_taken_on()).count();
    Ok(Seen {
        target: Target { alarms, notice: link.notice.clone(), transition: notice.transition },
        link,
        user,
        facts,
        left,
        over,
    })
}

/// What a link is about by now, and since when all of it is over: nobody takes on what is.
fn as_it_stands(action: Action, alarms: Vec<Alarm>) -> (Vec<Alarm>, Option<Timestamp>) {
    if alarms.iter().all(|alarm| alarm.cleared_at.is_some()) {
        let over = alarms.iter().filter_map(|alarm| alarm.cleared_at).max();
        return (alarms, over);
    }
    let is_about = |alarm: &Alarm| action != Action::Acknowledge || alarm.cleared_at.is_none();
    (alarms.into_iter().filter(is_about).collect(), None)
}

/// The alarms that a link is about, as far as its user may see them: who takes a notice on takes on its whole incident, however few
/// of its alarms the notice names; all else is of those that it names.
async fn concerned(site: &Site, user: &User, action: Action, notice: &Notice) -> Result<Vec<Alarm>, ApiError> {
    let named: BTreeSet<&str> = notice.facts.as_ref().map(|facts| facts.standing()).unwrap_or_default();
    let alarms = alarms::those_visible(site, user, named).await?;
    let mut alarms = comes_and_goes::as_latest(&*site.table, alarms).await?;
    if action == Action::Acknowledge {
        let whole = whole_incident::alarms_of(&*site.table, notice).await?;
        let known: BTreeSet<String> = alarms.iter().map(|alarm| alarm.id.clone()).collect();
        let others = whole.into_iter().filter(|alarm| !known.contains(&alarm.id)).collect();
        alarms.extend(alarms::seen_among(site, user, others).await?);
    }
    Ok(alarms)
}

impl Seen {
    /// What its page asks for.
    fn asks(&self) -> Shown {
        match self.link.action {
            Action::Acknowledge if self.over.is_some() => Shown::Over,
            _ if self.taken_on().is_some() => Shown::Taken,
            _ => Shown::Confirm,
        }
    }

    /// How many alarms it is about, and how many of them nobody has on yet; none where its notice says that.
    fn counted(&self) -> Option<Counted> {
        let of = self.target.alarms.len();
        let is_many = self.link.action == Action::Acknowledge && of > 1 && self.over.is_none();
        is_many.then_some(Counted { of, left: self.left })
    }

    /// The alarm that somebody took on, if that is true of all of them and all that the link is for.
    fn taken_on(&self) -> Option<&Alarm> {
        let is_for_that = self.link.action == Action::Acknowledge;
        let alarms = &self.target.alarms;
        let all = is_for_that && alarms.iter().all(Alarm::is_taken_on);
        if all { alarms.first() } else { None }
    }
}

impl Refusal {
    fn told(self, answer: Answer) -> Response {
        match self {
            Self::TooMany => answer.says(StatusCode::TOO_MANY_REQUESTS, Shown::TooMany),
            Self::Wrong => answer.says(StatusCode::NOT_FOUND, Shown::Wrong),
            Self::Expired(None) => answer.says(StatusCode::GONE, Shown::Expired),
            Self::Expired(Some(user)) => answer.to(&user).says(StatusCode::GONE, Shown::Expired),
            Self::Used(user, at) => answer.to(&user).says_when(StatusCode::GONE, Shown::Used, at),
            Self::Busy(user) => answer.to(&user).says(StatusCode::CONFLICT, Shown::Busy),
            Self::Refused(None) => answer.says(StatusCode::FORBIDDEN, Shown::Refused),
            Self::Refused(Some(user)) => answer.to(&user).says(StatusCode::FORBIDDEN, Shown::Refused),
            Self::Failed(error) => {
                error.log();
                answer.says(StatusCode::SERVICE_UNAVAILABLE, Shown::Away)
            }
        }
    }
}
