//! Telling people: each on each of their channels, as far as the gate lets it pass.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    alarm::Change,
    routing::{
        INBOX,
        incident::{News, Telling, TellingKind},
    },
};
use records::{
    TableError,
    channels::Channels,
    facts::Kind,
    incidents::{self, Audience, Incident, Outgoing},
    locale::Locale,
    notices::{self, Attempt, Notice, NoticeStatus, channel},
    users,
};

use super::saying::{Said, To, notice_id, standing};
use crate::{
    Context, DeliverNotice, Job, JobError, comes_and_goes,
    deliver_notice::event_of_telling,
    gate::{self, Asked, Common, Gate, Passed},
    ports::{Message, Push},
};

/// For so long nobody is reminded who was told what had been held back, and so many of their notices are looked at for that.
const JUST_NOW: Duration = Duration::from_mins(10);
const LOOKED_THROUGH: usize = 20;

/// Writes what these people are told; gives the letters to be delivered, and what browsers are to show. A repeat is what an
/// earlier run may have done in part.
pub(super) async fn tell(
    (cx, common): (&Context, &Common),
    incident: &Incident,
    outgoing: &Outgoing,
    is_repeat: bool,
) -> Result<(Vec<Message>, Vec<Push>), JobError> {
    let Outgoing { telling, people, .. } = outgoing;
    let latest = comes_and_goes::under_latest(cx.table.as_ref(), incident, telling).await?;
    let (incident, telling) = latest.as_ref().map_or((incident, telling), |(incident, telling)| (incident, telling));
    let sources = telling.news.iter().map(|news| &news.source);
    let sources = sources.chain(incident.state.open.values().map(|open| &open.source));
    let gate = Gate::read(cx, common, sources, people.iter().map(String::as_str), is_repeat).await?;
    let whole = Said::of(cx, &gate, (incident, telling)).await?;
    let is_news_to_them = telling.news.is_empty() && telling.kind == TellingKind::Escalation;
    let standing = if is_news_to_them { standing(cx.table.as_ref(), incident, telling).await? } else { Vec::new() };
    let teller = Teller { cx, incident, telling, outgoing, gate, whole, standing };
    let (mut letters, mut pushes) = (Vec::new(), Vec::new());
    let mut is_reached = false;
    for person in people {
        is_reached |= teller.tell(person, &mut letters, &mut pushes).await?;
    }
    if !is_reached && let Some(person) = people.first() {
        letters.extend(teller.reaches_nobody(person).await?);
    }
    Ok((letters, pushes))
}

struct Teller<'a> {
    cx: &'a Context,
    incident: &'a Incident,
    telling: &'a Telling,
    outgoing: &'a Outgoing,
    gate: Gate<'a>,
    /// What those hear who are told all of it.
    whole: Said,
    /// What is open, where it is told to people who did not hear of it.
    standing: Vec<News>,
}

/// How somebody is reached.
#[derive(Default)]
struct Reached {
    locale: Locale,
    /// The channels that they are told on.
    channels: Vec<String>,
    /// Those that follow the first, where they are told on one after the other.
    following: Vec<String>,
    /// Those on which they were just told what had been held back: a reminder at its heels is noise.
    caught_up: BTreeSet<String>,
}

/// A notice, and the changes that it tells of.
type Noticed = (Notice, Vec<Change>);

impl Teller<'_> {
    /// Tells somebody; whether there is any way to them beside the application.
    async fn tell(&self, person: &str, letters: &mut Vec<Message>, pushes: &mut Vec<Push>) -> Result<bool, JobError> {
        let table = self.cx.table.as_ref();
        if matches!(self.incident.audience, Audience::Policy(_)) {
            let told = incidents::put_told(person, self.incident, self.telling.at)?;
            let _ = table.transact(told).await?;
        }
        let reached = self.reached(person).await?;
        for channel in &reached.channels {
            let Some(notice) = self.notice_with_room(person, &reached, channel).await? else { continue };
            // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
            let _ = table.write(notices::put_new(&notice.0)?).await?;
            letters.push(DeliverNotice { user: notice.0.user, notice: notice.0.id }.message());
        }
        if self.incident.audience != Audience::Topics {
            let reachable: Vec<&str> = reached.channels.iter().map(String::as_str).collect();
            let to = self.to(person, &reached, INBOX);
            let (Passed::Here(part) | Passed::OnTheNext(part)) =
                self.part((to, &reached), (&reachable, false), self.telling).await?;
            if let Some((notice, changes)) = self.notice(to, part).await? {
                pushes.extend(gate::put_in_inbox(self.cx, &notice, &changes).await?);
            }
        }
        Ok(self.wants_it_somewhere(person, &reached.channels))
    }

    /// Whether somebody has a channel on which they want any of it.
    fn wants_it_somewhere(&self, person: &str, channels: &[String]) -> bool {
        let reachable: Vec<&str> = channels.iter().map(String::as_str).collect();
        let news = self.telling.news.iter().chain(&self.standing);
        let happened: Vec<_> = news.map(|news| (&news.source, &news.change)).collect();
        reachable.iter().any(|channel| !self.gate.chosen_by(person).is_off(&happened, channel, &reachable))
    }

    /// Whom a policy names, and nobody of whom has an address or wants to be told on any: as with an address that takes nothing, the next
    /// person is told. By a notice that failed before it was tried.
    async fn reaches_nobody(&self, person: &str) -> Result<Option<Message>, JobError> {
        let table = self.cx.table.as_ref();
        let is_named = matches!(self.incident.audience, Audience::Policy(_)) && self.telling.asks_for_attention();
        if !is_named || users::get(table, person).await?.is_none() {
            return Ok(None);
        }
        let reached = self.reached(person).await?;
        let to = self.to(person, &reached, channel::EMAIL);
        let outcome = format!("there is no way to {person}: no address, or none that they want this on");
        let failed = Notice {
            status: NoticeStatus::Failed,
            attempts: vec![Attempt { at: self.cx.clock.now(), outcome }],
            ..self.whole.notice(self.cx, (self.incident, self.telling), to)
        };
        let _ = table.write(notices::put_new(&failed)?).await?;
        Ok(Some(DeliverNotice { user: failed.user, notice: failed.id }.message()))
    }

    /// How somebody is spoken to, and on which channels.
    async fn reached(&self, person: &str) -> Result<Reached, TableError> {
        let table = self.cx.table.as_ref();
        let nothing = Reached::default();
        if self.incident.audience == Audience::Topics {
            let topic = channel::topic(self.telling.severity).to_owned();
            return Ok(Reached { channels: vec![topic], ..nothing });
        }
        let Some(user) = users::get(table, person).await? else { return Ok(nothing) };
        let happened: Vec<_> = self.telling.news.iter().map(|news| (&news.source, &news.change)).collect();
        let (chosen, event) = (self.gate.chosen_by(person), event_of_telling(self.telling));
        let known = Channels::of(table, &user).await?;
        let channels = known.told_first(event, chosen, &happened);
        let following =
            channels.first().map(|first| known.told_after(first, event, chosen, &happened)).unwrap_or_default();
        Ok(Reached { locale: user.locale, channels, following, caught_up: self.caught_up(person).await? })
    }

    /// The notice on a channel, or on the first that follows it and takes one more today.
    async fn notice_with_room(
        &self,
        person: &str,
        reached: &Reached,
        channel: &str,
    ) -> Result<Option<Noticed>, JobError> {
        let all: Vec<&str> = reached.channels.iter().map(String::as_str).collect();
        let (mut channel, mut following) = (channel, reached.following.iter());
        let mut left = self.telling.clone();
        loop {
            let next = following.next();
            let to = self.to(person, reached, channel);
            let reachable = if all.contains(&channel) { all.clone() } else { vec![channel] };
            match (self.part((to, reached), (&reachable, next.is_some()), &left).await?, next) {
                (Passed::OnTheNext(part), Some(next)) => (left, channel) = (part, next),
                (Passed::Here(part) | Passed::OnTheNext(part), _) => return self.notice(to, part).await,
            }
        }
    }

    fn to<'b>(&self, person: &'b str, reached: &'b Reached, channel: &'b str) -> To<'b> {
        let (follows, previous) = (self.outgoing.follows.get(person), self.outgoing.previous.get(person));
        To { person, locale: &reached.locale, channel, follows: follows.copied(), previous: previous.copied() }
    }

    /// What of a telling somebody is told on a channel now: with neither news nor alarms nothing of it.
    async fn part(
        &self,
        (to, reached): (To<'_>, &Reached),
        (reachable, has_next): (&[&str], bool),
        telling: &Telling,
    ) -> Result<Passed<Telling>, JobError> {
        let id = notice_id(self.incident, telling, to);
        let is_by_name = matches!(self.incident.audience, Audience::Policy(_));
        let asked = Asked {
            user: to.person,
            reachable,
            channel: to.channel,
            notice: &id,
            at: telling.at,
            is_by_name,
            has_next,
        };
        if !telling.news.is_empty() {
            let passed = self.gate.pass(asked, &telling.news).await?;
            let alarms = |news: &[News]| if news.is_empty() { Vec::new() } else { telling.alarms.clone() };
            return Ok(passed.map(|news| Telling { alarms: alarms(&news), news, ..telling.clone() }));
        }
        let told: Passed<BTreeSet<String>> = if telling.kind == TellingKind::Escalation {
            // It is news to them: what holds it now lets it go later.
            let left = self.standing.iter().filter(|news| telling.alarms.contains(&news.change.alarm));
            let passed = self.gate.pass(asked, &left.cloned().collect::<Vec<_>>()).await?;
            passed.map(|news| news.into_iter().map(|news| news.change.alarm).collect())
        } else if reached.caught_up.contains(to.channel) {
            Passed::Here(BTreeSet::new())
        } else {
            self.gate.pass_again(asked, &self.incident.state.open).await?
        };
        Ok(told.map(|told| {
            let alarms: Vec<String> = telling.alarms.iter().filter(|alarm| told.contains(*alarm)).cloned().collect();
            // Of those that are not named it is not known which are told.
            let more = if alarms.len() == telling.alarms.len() { telling.more } else { 0 };
            Telling { alarms, more, ..telling.clone() }
        }))
    }

    /// The channels on which somebody was just told what had been held back, if this is a reminder.
    async fn caught_up(&self, person: &str) -> Result<BTreeSet<String>, TableError> {
        let telling = self.telling;
        if telling.kind != TellingKind::Repeat {
            return Ok(BTreeSet::new());
        }
        let told = notices::list(self.cx.table.as_ref(), person, LOOKED_THROUGH, None).await?.items;
        let is_catch_up = |notice: &Notice| {
            let kind = notice.facts.as_ref().map(|facts| facts.kind);
            matches!(kind, Some(Kind::HeldBack | Kind::Digest))
        };
        // What came after the reminder was decided does not change it: it may be done again.
        let is_recent = |notice: &Notice| notice.at <= telling.at && telling.at.since(notice.at) < JUST_NOW;
        let recent = told.into_iter().filter(|notice| is_catch_up(notice) && is_recent(notice));
        Ok(recent.map(|notice| notice.channel).collect())
    }

    async fn notice(&self, to: To<'_>, part: Telling) -> Result<Option<Noticed>, JobError> {
        let (cx, incident) = (self.cx, self.incident);
        if part.news.is_empty() && part.alarms.is_empty() {
            return Ok(None);
        }
        let changes = part.news.iter().map(|news| news.change.clone()).collect();
        let is_whole = part.news.len() == self.telling.news.len()
            && (!part.news.is_empty() || part.alarms.len() == self.telling.alarms.len());
        if is_whole {
            return Ok(Some((self.whole.notice(cx, (incident, self.telling), to), changes)));
        }
        let said = Said::of(cx, &self.gate, (incident, &part)).await?;
        Ok(Some((said.notice(cx, (incident, &part), to), changes)))
    }
}
