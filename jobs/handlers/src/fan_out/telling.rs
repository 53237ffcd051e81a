//! Telling people: each on each of their channels, as far as the gate lets it pass.

use domain::{
    alarm::Change,
    routing::{
        INBOX,
        incident::{News, Telling},
    },
};
use records::{
    TableError,
    channels::Channels,
    incidents::{Audience, Incident, Outgoing},
    locale::Locale,
    notices::{self, channel},
    users,
};

use super::saying::{Said, To, notice_id};
use crate::{
    Context, DeliverNotice, Job, JobError,
    deliver_notice::event_of,
    gate::{self, Asked, Common, Gate},
    ports::{Message, Push},
};

/// Writes what these people are told; gives the letters to be delivered, and what browsers are to show. A repeat is what an
/// earlier run may have done in part.
pub(super) async fn tell(
    (cx, common): (&Context, &Common),
    incident: &Incident,
    outgoing: &Outgoing,
    is_repeat: bool,
) -> Result<(Vec<Message>, Vec<Push>), JobError> {
    let Outgoing { telling, people } = outgoing;
    let sources = telling.news.iter().map(|news| &news.source);
    let sources = sources.chain(incident.state.open.values().map(|open| &open.source));
    let gate = Gate::read(cx, common, sources, people.iter().map(String::as_str), is_repeat).await?;
    let whole = Said::of(cx.table.as_ref(), &gate, (incident, telling), people).await?;
    let teller = Teller { cx, incident, telling, people, gate, whole };
    let (mut letters, mut pushes) = (Vec::new(), Vec::new());
    for person in people {
        teller.tell(person, &mut letters, &mut pushes).await?;
    }
    Ok((letters, pushes))
}

struct Teller<'a> {
    cx: &'a Context,
    incident: &'a Incident,
    telling: &'a Telling,
    people: &'a [String],
    gate: Gate<'a>,
    /// What those hear who are told all of it.
    whole: Said,
}

impl Teller<'_> {
    async fn tell(&self, person: &str, letters: &mut Vec<Message>, pushes: &mut Vec<Push>) -> Result<(), JobError> {
        let table = self.cx.table.as_ref();
        let (locale, channels) = self.reached(person).await?;
        let reachable: Vec<&str> = channels.iter().map(String::as_str).collect();
        for channel in &channels {
            let to = To { person, locale: &locale, channel };
            let Some(notice) = self.notice(to, &reachable).await? else { continue };
            // Refused when an earlier run wrote it: its letter is enqueued again all the same, under the same key.
            let _ = table.write(notices::put_new(&notice.0)?).await?;
            letters.push(DeliverNotice { user: notice.0.user, notice: notice.0.id }.message());
        }
        if self.incident.audience != Audience::Topics
            && let Some((notice, changes)) =
                self.notice(To { person, locale: &locale, channel: INBOX }, &reachable).await?
        {
            pushes.extend(gate::put_in_inbox(self.cx, &notice, &changes).await?);
        }
        Ok(())
    }

    /// How somebody is spoken to, and on which channels.
    async fn reached(&self, person: &str) -> Result<(Locale, Vec<String>), TableError> {
        let table = self.cx.table.as_ref();
        if self.incident.audience == Audience::Topics {
            let of_news = self.telling.news.iter().map(|news| news.change.severity).max();
            let topic = channel::topic(of_news.unwrap_or(self.telling.severity));
            return Ok((Locale::default(), vec![topic.to_owned()]));
        }
        let Some(user) = users::get(table, person).await? else { return Ok((Locale::default(), Vec::new())) };
        let changes: Vec<Change> = self.telling.news.iter().map(|news| news.change.clone()).collect();
        let happened: Vec<_> = self.telling.news.iter().map(|news| (&news.source, &news.change)).collect();
        let chosen = self.gate.chosen_by(person);
        let channels = Channels::of(table, &user).await?.told_first(event_of(&changes), chosen, &happened);
        Ok((user.locale, channels))
    }

    /// What somebody is told on a channel now, and the changes that it tells of; none where that is nothing.
    async fn notice(&self, to: To<'_>, reachable: &[&str]) -> Result<Option<(notices::Notice, Vec<Change>)>, JobError> {
        let (cx, incident, telling) = (self.cx, self.incident, self.telling);
        let id = notice_id(incident, telling, to.person, to.channel);
        let asked = Asked { user: to.person, reachable, channel: to.channel, notice: &id, at: telling.at };
        if telling.news.is_empty() {
            let passes = self.gate.passes_again(asked, &incident.state.open).await?;
            return Ok(passes.then(|| (self.whole.notice(cx, (incident, telling), to), Vec::new())));
        }
        let told: Vec<News> = self.gate.pass(asked, &telling.news).await?;
        if told.is_empty() {
            return Ok(None);
        }
        let changes = told.iter().map(|news| news.change.clone()).collect();
        if told.len() == telling.news.len() {
            return Ok(Some((self.whole.notice(cx, (incident, telling), to), changes)));
        }
        let part = Telling { news: told, ..telling.clone() };
        let said = Said::of(cx.table.as_ref(), &self.gate, (incident, &part), self.people).await?;
        Ok(Some((said.notice(cx, (incident, &part), to), changes)))
    }
}
