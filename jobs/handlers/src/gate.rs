//! The gate: whether somebody is told of something on a channel now, later, or not at all.
//!
//! `fan_out` asks for each hearer and channel before it writes a notice. What is told later is held here, and told as one when
//! nothing holds it any more.

mod catch_up;
mod inbox;
mod policies;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Mac, Source, Timestamp,
    alarm::Change,
    identity::derived_id,
    routing::{
        INBOX, Preferences, Verdict, Why, Zone,
        incident::{News, Open},
    },
};
use records::{
    held::{self, Held},
    inbox as entries, notices, preferences,
    terminals::{self, Terminal},
    users::{self, User},
};

pub(crate) use self::catch_up::catch_up;
pub(crate) use self::inbox::put_in_inbox;
pub(crate) use self::policies::Common;
use self::policies::{About, Policies};
use crate::{Context, JobError, fan_out::place};

/// How long after it was decided a transition is told as of then: a run that is done again comes to the same end.
const PROMPT: std::time::Duration = std::time::Duration::from_mins(5);

/// What is to be known of everybody who may hear of something, and of where it happened.
pub(crate) struct Gate<'a> {
    cx: &'a Context,
    terminals: BTreeMap<Mac, Terminal>,
    policies: Policies<'a>,
    /// Whether an earlier run may have come to a part of its ends: they stand, whatever people said since.
    is_repeat: bool,
}

/// What somebody may be told on a channel at an instant, and what the notice of it is called.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The user.
    pub user: &'a str,
    /// The channels that the user has an address on.
    pub reachable: &'a [&'a str],
    /// On which channel.
    pub channel: &'a str,
    /// The notice.
    pub notice: &'a str,
    /// When it was decided to tell it.
    pub at: Timestamp,
    /// Whether they are asked for by name, whatever they see.
    pub is_by_name: bool,
    /// Whether there is another channel to tell it on where this one takes no more today.
    pub has_next: bool,
}

/// What of something is told.
pub(crate) enum Passed<T> {
    /// So much, here.
    Here(T),
    /// So much, on the next channel: this one takes no more today.
    OnTheNext(T),
}

impl<T> Passed<T> {
    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Passed<U> {
        match self {
            Self::Here(what) => Passed::Here(to(what)),
            Self::OnTheNext(what) => Passed::OnTheNext(to(what)),
        }
    }
}

impl Asked<'_> {
    /// What is held of a source in place of the notice is called so.
    fn held(&self, source: &Source) -> String {
        derived_id(self.at, &["held", self.notice, &source.to_string()])
    }
}

impl<'a> Gate<'a> {
    /// What holds for these users and the sources.
    pub(crate) async fn read(
        cx: &'a Context,
        common: &'a Common,
        sources: impl IntoIterator<Item = &Source>,
        users: impl IntoIterator<Item = &str>,
        is_repeat: bool,
    ) -> Result<Self, JobError> {
        let macs: BTreeSet<Mac> = sources.into_iter().filter_map(Source::mac).cloned().collect();
        let macs: Vec<Mac> = macs.into_iter().collect();
        let table = cx.table.as_ref();
        let terminals = if macs.is_empty() { BTreeMap::new() } else { terminals::get_many(table, &macs).await? };
        Ok(Self { cx, terminals, policies: Policies::read(table, common, users).await?, is_repeat })
    }

    pub(crate) fn terminal(&self, source: &Source) -> Option<&Terminal> {
        source.mac().and_then(|mac| self.terminals.get(mac))
    }

    /// What of the news is told now. What is told later is held.
    pub(crate) async fn pass(&self, asked: Asked<'_>, news: &[News]) -> Result<Passed<Vec<News>>, JobError> {
        let mut decided = Decided::default();
        for one in news {
            match self.verdict(asked, About::of(one)) {
                Verdict::Tell => decided.told.push(one.clone()),
                Verdict::Hold { until, why } => decided.hold(one.clone(), until, why),
                Verdict::Drop => {}
            }
        }
        if self.is_repeat
            && let Some(held) = self.decided_before(asked, news).await?
        {
            let told = decided.without(&held);
            let goes_on = asked.has_next && !told.is_empty() && self.limit(asked).await?.is_some();
            return Ok(if goes_on { Passed::OnTheNext(told) } else { Passed::Here(told) });
        }
        let mut decided = self.keeps_order(asked, decided).await?;
        let full = if decided.told.is_empty() { None } else { self.limit(asked).await? };
        if let Some(until) = full.filter(|_| !asked.has_next) {
            decided.hold_all(until, Why::Limit);
        }
        if let Some((until, why)) = decided.holds {
            self.hold(asked, decided.held, until, why).await?;
        }
        Ok(if full.is_some() { Passed::OnTheNext(decided.told) } else { Passed::Here(decided.told) })
    }

    /// Of what was told and is open, what is told again now. What is not is not held: what stands is told again anyway.
    pub(crate) async fn pass_again(
        &self,
        asked: Asked<'_>,
        open: &BTreeMap<String, Open>,
    ) -> Result<Passed<BTreeSet<String>>, JobError> {
        let is_told = |(alarm, open): &(&String, &Open)| {
            let Open { source, rule, severity, .. } = open;
            let about = About { source, rule, severity: *severity, alarm, is_end: false };
            self.verdict(asked, about) == Verdict::Tell
        };
        let told: BTreeSet<String> = open.iter().filter(is_told).map(|(alarm, _)| alarm.clone()).collect();
        if told.is_empty() || self.limit(asked).await?.is_none() {
            return Ok(Passed::Here(told));
        }
        Ok(if asked.has_next { Passed::OnTheNext(told) } else { Passed::Here(BTreeSet::new()) })
    }

    /// Whether somebody is told now of what happened there, or of a part of it.
    pub(crate) fn is_told_now(&self, asked: Asked<'_>, happened: &[(&Source, &Change)]) -> bool {
        let is_told =
            |(source, change): &(&Source, &Change)| self.verdict(asked, About::change(source, change)) == Verdict::Tell;
        happened.is_empty() || happened.iter().any(is_told)
    }

    /// Counts the notice to its address; until when it is held where that was told as much that day as it may be.
    pub(crate) async fn limit(&self, asked: Asked<'_>) -> Result<Option<Timestamp>, JobError> {
        limit(self.cx, self.chosen_by(asked.user), asked.user, asked.channel, asked.notice).await
    }

    /// What a user chose of how they are told.
    pub(crate) fn chosen_by(&self, user: &str) -> &Preferences {
        self.policies.chosen_by(user)
    }

    fn verdict(&self, asked: Asked<'_>, about: About<'_>) -> Verdict {
        let now = self.cx.clock.now();
        let now = if now.since(asked.at) < PROMPT { asked.at } else { now };
        let node = self.terminal(about.source).map(|terminal| terminal.node.as_str());
        self.policies.verdict((asked.user, asked.reachable), asked.channel, (node, about), (asked.at, now))
    }

    /// What an earlier run held, if it came so far; nothing of it where it told all.
    async fn decided_before(&self, asked: Asked<'_>, news: &[News]) -> Result<Option<Vec<Change>>, JobError> {
        let table = self.cx.table.as_ref();
        let sources: BTreeSet<&Source> = news.iter().map(|news| &news.source).collect();
        let mut before: Option<Vec<Change>> = None;
        for source in sources {
            if let Some(held) = held::find(table, asked.channel, asked.user, &asked.held(source)).await? {
                before.get_or_insert_default().extend(held.changes);
            }
        }
        if before.is_some() {
            return Ok(before);
        }
        let is_told = if asked.channel == INBOX {
            entries::get(table, asked.user, asked.notice).await?.is_some()
        } else {
            notices::get(table, asked.user, asked.notice).await?.is_some()
        };
        Ok(is_told.then(Vec::new))
    }

    /// Of an alarm whose beginning is held, the rest is held with it: nobody is told of an end before the beginning. What was put
    /// off was told before.
    async fn keeps_order(&self, asked: Asked<'_>, mut decided: Decided) -> Result<Decided, JobError> {
        if decided.told.iter().all(|news| news.change.begins()) {
            return Ok(decided);
        }
        let held = held::list(self.cx.table.as_ref(), asked.channel, asked.user).await?;
        let held = held.iter().filter(|held| held.why != Why::Snooze).flat_map(|held| &held.changes);
        let held: BTreeSet<&str> = held.map(Change::told_as).collect();
        let is_held = |news: &News| held.contains(news.change.told_as());
        if decided.told.iter().any(is_held) {
            decided.hold_all(self.cx.clock.now(), Why::Order);
        }
        Ok(decided)
    }

    /// Keeps what is told later, by its sources.
    async fn hold(&self, asked: Asked<'_>, news: Vec<News>, until: Timestamp, why: Why) -> Result<(), JobError> {
        let mut by_source: BTreeMap<Source, Vec<News>> = BTreeMap::new();
        for one in news {
            by_source.entry(one.source.clone()).or_default().push(one);
        }
        for (source, news) in by_source {
            let terminal = self.terminal(&source);
            let transitions: BTreeSet<String> = news.iter().map(|news| news.transition.clone()).collect();
            let held = Held {
                id: asked.held(&source),
                user: asked.user.to_owned(),
                channel: asked.channel.to_owned(),
                node: terminal.map(|terminal| terminal.node.clone()),
                place: place::of(&source, terminal),
                transition: news.last().map(|news| news.transition.clone()).unwrap_or_default(),
                transitions: if transitions.len() > 1 { transitions.into_iter().collect() } else { Vec::new() },
                changes: news.into_iter().map(|news| news.change).collect(),
                source,
                why,
                at: asked.at,
                is_by_name: asked.is_by_name,
            };
            held::hold(self.cx.table.as_ref(), &held, until).await?;
        }
        Ok(())
    }
}

/// What becomes of news.
#[derive(Default)]
struct Decided {
    told: Vec<News>,
    held: Vec<News>,
    /// Until when, and why, where something is held.
    holds: Option<(Timestamp, Why)>,
}

impl Decided {
    fn hold(&mut self, news: News, until: Timestamp, why: Why) {
        self.held.push(news);
        let earlier = self.holds.filter(|(earlier, _)| *earlier <= until);
        self.holds = earlier.or(Some((until, why)));
    }

    /// What is not held of it.
    fn without(self, held: &[Change]) -> Vec<News> {
        let all = self.told.into_iter().chain(self.held);
        all.filter(|news| !held.contains(&news.change)).collect()
    }

    fn hold_all(&mut self, until: Timestamp, why: Why) {
        for news in std::mem::take(&mut self.told) {
            self.hold(news, until, why);
        }
    }
}

/// Where a user's days begin and end.
pub(crate) fn zone_of(cx: &Context, chosen: &Preferences) -> Zone {
    chosen.zone.clone().unwrap_or_else(|| cx.settings.words.zone())
}

/// Counts a notice to a user's address; until when it is held where the address was told as much that day as it may be.
async fn limit(
    cx: &Context,
    chosen: &Preferences,
    user: &str,
    channel: &str,
    notice: &str,
) -> Result<Option<Timestamp>, JobError> {
    let Some(most) = chosen.most_a_day(channel, Some(cx.settings.notices.sms_a_day)) else { return Ok(None) };
    let Some(User { phone: Some(address), .. }) = users::get(cx.table.as_ref(), user).await? else { return Ok(None) };
    let now = cx.clock.now();
    let zone = zone_of(cx, chosen);
    let day = zone.day(now);
    let counted = preferences::count(cx.table.as_ref(), (channel, &address), (&day, now), notice, most).await?;
    Ok((!counted).then(|| zone.day_ends(now)))
}
