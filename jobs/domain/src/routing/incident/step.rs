//! What becomes of an incident when something is new, or its time has come.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Apart, Incident, Input, Known, MOST_RECALLED, News, Open, Pace, Raises, Telling, TellingKind, waits::Waits,
};
use crate::{
    Timestamp,
    alarm::{Change, ChangeKind, Severity},
};

/// The most alarms that an incident remembers itself as open: others are remembered apart.
pub const MOST_OPEN: usize = 1000;

/// The most news that waits to be told: with more the record would be too large. It is told at once, or forgotten where nobody is
/// to hear yet.
pub(super) const MOST_NEWS: usize = 1000;

/// What is remembered apart comes back after so long.
const RECALL: Duration = Duration::from_secs(1);

/// That an alarm is over is not told before this, since who is to tell it may still be on the way.
const ON_THE_WAY: Duration = Duration::from_mins(10);

/// The ends of what comes and goes are not told until it is calm. What is not heard of again is forgotten so long after its end.
const FLAPS_FOR: Duration = Duration::from_hours(24);

/// An incident that is open is looked at so often, if nothing else is due.
const AT_LEAST: Duration = Duration::from_hours(24);

/// What waits for a lost parent, or until what went comes again, or that somebody waits for what lies apart, is looked at no oftener.
const WHILE_PUT_OFF: Duration = Duration::from_mins(5);

/// What became of an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The incident.
    pub incident: Incident,
    /// What is to be told, in this order.
    pub tellings: Vec<Telling>,
    /// When it is to be looked at if nothing is new; none when it is closed.
    pub timer: Option<Timestamp>,
    /// What is to be stored with it.
    pub apart: Apart,
    /// The alarms that are said again, or to others: those that are open, and that nobody has on.
    pub said_again: BTreeSet<String>,
}

/// Steps an incident. A new one is [`Incident::default`].
pub fn step(incident: &Incident, input: Input, pace: &Pace, now: Timestamp) -> Step {
    let mut incident = incident.clone();
    incident.raises.retain(|_, raises| now.since(raises.last) < pace.pause());
    let known = |alarm: &String| input.known.get(alarm).copied().unwrap_or_default();
    if !input.news.is_empty() {
        incident.was_attended(&input.news, known, pace, now);
        // Somebody may have taken on all of it since the last look: for what is new it is counted from now.
        incident.attend(known, pace, now);
    }
    let mut apart = input.apart.clone();
    for news in input.news {
        let known = known(&news.change.alarm);
        incident.absorb(news, known, &mut apart, now);
    }
    // Somebody who waits, and for the gravest first.
    let rank = |alarm: &String, open: &Open| (!known(alarm).is_had_on(open, pace, now), open.severity);
    incident.keeps_the_first(&mut apart, rank);
    let apart = incident.recalls(&input.apart, apart);
    incident.open.retain(|alarm, open| !input.known.get(alarm).is_some_and(|known| is_forgotten(*known, open, now)));
    let attention = incident.attend(known, pace, now);
    let waits = Waits::of(&incident.open, known, pace, now);
    incident.sees_again(&waits, now);
    let mut tellings = Vec::new();
    incident.flush_if_due(pace, now, &mut tellings);
    incident.escalate(pace, now, (attention.is_put_off, &waits), &mut tellings);
    if !attention.is_put_off {
        incident.repeat(pace, now, attention.was_paid, &mut tellings);
    }
    for telling in &mut tellings {
        incident.names(&waits, telling);
    }
    incident.end(pace, now);
    if incident.news.is_empty() {
        incident.heard.clear();
    }
    let timer = (!incident.closed).then(|| incident.timer(pace, attention, now));
    Step { incident, tellings, timer, apart, said_again: waits.nobodys }
}

/// Whether anybody has an incident on.
#[derive(Debug, Clone, Copy)]
struct Attention {
    /// Whether somebody had until now.
    was_paid: bool,
    /// Whether of all that nobody has on nothing is known, or it went for now: none of it is said again yet.
    is_put_off: bool,
    /// When the first word of those that hold ends.
    expiry: Option<Timestamp>,
}

/// An alarm that the audience may not see, or whose end nobody will tell.
fn is_forgotten(known: Known, open: &Open, now: Timestamp) -> bool {
    let after = if open.flaps { FLAPS_FOR } else { ON_THE_WAY };
    known.gone || !known.quiet && known.over.is_some_and(|over| now.since(over) > after)
}

impl Known {
    /// Whether somebody has it on, a parent's alarm speaks for it, or it is over, be it for now: it is not said again, whatever else is.
    pub fn is_had_on(&self, open: &Open, pace: &Pace, now: Timestamp) -> bool {
        let holds = |at| pace.holds_until(at).is_none_or(|end| end > now);
        self.quiet || self.unknown || self.over.is_some() || self.word(open.severity).is_some_and(holds)
    }

    /// Whether it is over for good, though nobody told its end here: that may be on the way, or never come.
    fn is_done(&self, open: &Open) -> bool {
        !open.flaps && self.over.is_some()
    }

    /// Whether what comes and goes is over, and may come again.
    fn went(&self, open: &Open) -> bool {
        open.flaps && self.over.is_some()
    }

    /// The word of who took it on, where that was said of what matters as much.
    fn word(&self, severity: Severity) -> Option<Timestamp> {
        self.acknowledged.filter(|_| severity.is_covered(self.acknowledged_as))
    }
}

impl Incident {
    fn absorb(&mut self, news: News, known: Known, apart: &mut BTreeMap<String, Open>, now: Timestamp) {
        let change = &news.change;
        if change.begins() || change.kind == ChangeKind::SeverityChanged {
            self.counts(&news, now);
        }
        // What is raised is news, be it that the end before it is on the way.
        if change.begins() && change.kind != ChangeKind::Raised && self.was_heard(&news, apart) {
            self.heard.insert(change.alarm.clone());
        }
        if change.begins() || change.ends() {
            // What is calm goes on under the name of its last alarm, as what ended and began anew unheard does.
            let is_of_it = |open: &Open| {
                let is_before = change.tells_how_it_stands() && open.since <= change.since;
                open.source == news.source && open.rule == change.rule && (open.flaps || is_before)
            };
            let stays = |alarm: &String, open: &mut Open| alarm == change.goes_on_as() || !is_of_it(open);
            self.open.retain(stays);
            apart.retain(stays);
        }
        match change.kind {
            _ if change.begins() => {
                let is_fresh = self.is_over() && self.news.is_empty();
                self.began = if is_fresh { change.since } else { self.began.min(change.since) };
                // One whose end was heard of first is not open, unless it comes again.
                if known.over.is_none() || change.flaps() {
                    self.over = None;
                    self.opens(&news, apart);
                }
            }
            _ if change.ends() => {
                let known = self.open.remove(change.told_as()).or_else(|| apart.remove(change.told_as()));
                if known.is_none() && self.is_over() && self.news.is_empty() {
                    self.began = change.since;
                }
                // That it was over may be told later: when it is off the shelf, or has been calm for a while.
                let ended = change.lasted().map_or(change.at, |lasted| change.since.plus(lasted));
                self.ended = self.ended.max(Some(ended));
            }
            ChangeKind::SeverityChanged | ChangeKind::Flapping => {
                let open = self.open.get_mut(change.told_as()).or_else(|| apart.get_mut(change.told_as()));
                let before = open.map(|open| &mut open.severity);
                let before = before.map(|severity| std::mem::replace(severity, change.severity));
                // What comes and goes may be over at present.
                let is_rise = before.map_or(change.kind == ChangeKind::SeverityChanged, |it| it < change.severity);
                self.rose |= is_rise;
                if change.kind == ChangeKind::Flapping {
                    self.flaps(&news, apart);
                }
            }
            _ => {}
        }
        if self.spares(change) {
            return;
        }
        if self.news.is_empty() {
            self.opened = now;
        }
        self.worst = self.worst.max(Some(change.severity));
        self.news.push(news);
        if self.news.len() > MOST_NEWS {
            self.forgets_news();
        }
    }

    /// Whether nobody is told of a change, since of the beginning nobody heard, for somebody had it on: of the end, or that it matters less.
    fn spares(&mut self, change: &Change) -> bool {
        let is_less = change.kind == ChangeKind::SeverityChanged && !self.rose;
        let is_spared = self.spared.contains(change.told_as());
        if !is_less {
            self.spared.remove(change.told_as());
        }
        is_spared && (is_less || change.ends())
    }

    /// Whether the audience heard before that the condition holds that is said to stand: it is open, and no part of what is not told
    /// yet began it.
    fn was_heard(&self, news: &News, apart: &BTreeMap<String, Open>) -> bool {
        let is_of_it = |open: &Open| open.source == news.source && open.rule == news.change.rule;
        let is_open = self.open.values().chain(apart.values()).any(is_of_it);
        let begins = |other: &News| other.change.begins() && other.condition() == news.condition();
        let known = self.heard.contains(&news.change.alarm);
        known || is_open && !self.news.iter().any(begins)
    }

    /// One more raise of a condition, or a change of how much it matters.
    fn counts(&mut self, news: &News, now: Timestamp) {
        let condition = news.condition();
        if self.raises.len() < MOST_OPEN || self.raises.contains_key(&condition) {
            let raises = self.raises.entry(condition).or_default();
            *raises = Raises { count: raises.count.saturating_add(1), last: now };
        }
    }

    /// What comes and goes too often to be told each time is open until it is said to be calm, and waits for somebody while it
    /// stands.
    fn flaps(&mut self, news: &News, apart: &mut BTreeMap<String, Open>) {
        if self.is_over() && self.news.is_empty() {
            self.began = news.change.since;
        }
        self.opens(news, apart);
        self.over = None;
    }

    /// Where a word ended, or what was put aside is back, and nobody else's waits, somebody had all of it until now: it may have been
    /// taken on and given up between two looks.
    fn was_attended(&mut self, news: &[News], known: impl Fn(&String) -> Known, pace: &Pace, now: Timestamp) {
        use ChangeKind::{AcknowledgementExpired, InService, Unshelved};

        let is_freed =
            |change: &Change| matches!(change.kind, AcknowledgementExpired | InService | Unshelved) && !change.ends();
        let freed = news.iter().map(|news| &news.change).filter(|change| is_freed(change));
        let freed: BTreeSet<&str> = freed.map(Change::told_as).collect();
        let waits = |(alarm, open): (&String, &Open)| {
            let is_another = !freed.contains(alarm.as_str()) && pace.concerns(open.severity);
            is_another && !known(alarm).is_had_on(open, pace, now)
        };
        if !freed.is_empty() && !self.open.iter().any(waits) {
            (self.unattended, self.next_step) = (None, 0);
        }
    }

    /// Finds out whether anybody takes it on.
    fn attend(&mut self, known: impl Fn(&String) -> Known, pace: &Pace, now: Timestamp) -> Attention {
        let was_paid = self.unattended.is_none() && self.sequence > 0 && self.over.is_none();
        let (mut expiry, mut waiting, mut unknown): (Option<Timestamp>, _, _) = (None, None, None);
        let mut went = None;
        for (alarm, open) in self.open.iter().filter(|(_, open)| pace.concerns(open.severity)) {
            let known = known(alarm);
            let ends = known.word(open.severity).map(|at| pace.holds_until(at));
            match ends {
                _ if known.quiet || known.is_done(open) => {}
                Some(None) => {}
                Some(Some(end)) if end > now => expiry = Some(expiry.map_or(end, |first| first.min(end))),
                Some(Some(_)) | None if known.went(open) => went = went.max(Some(open.severity)),
                Some(Some(_)) | None if known.unknown => unknown = unknown.max(Some(open.severity)),
                Some(Some(_)) | None => waiting = waiting.max(Some(open.severity)),
            }
        }
        let is_put_off = waiting.is_none() && unknown.max(went).is_some();
        if waiting.is_none() && unknown.is_some() {
            self.unknown_at = Some(now);
        }
        // What comes and goes waits for somebody also while it went: it is said again when it is seen to stand.
        self.waiting = waiting.or(unknown.max(went));
        if self.waiting.is_none() {
            (self.unattended, self.next_step, self.unknown_at) = (None, 0, None);
        } else if self.unattended.is_none() {
            self.unattended = Some(now);
        }
        Attention { was_paid, is_put_off, expiry }
    }

    /// One notice more.
    pub(super) fn telling(&mut self, kind: TellingKind, news: Vec<News>, at: Timestamp) -> Telling {
        self.sequence += 1;
        self.told_at = Some(at);
        let severities = self.open.values().map(|open| open.severity);
        let severity = severities.chain(news.iter().map(|news| news.change.severity)).max().or(self.worst);
        Telling {
            sequence: self.sequence,
            kind,
            news,
            open: self.open_count(),
            alarms: Vec::new(),
            more: 0,
            severity: severity.unwrap_or(Severity::Info),
            began: self.began,
            ended: self.ended.filter(|_| self.is_over()),
            level: self.level,
            at,
            unattended: self.unattended,
            rose: std::mem::take(&mut self.rose),
            at_once: 0,
            taken: self.next_step,
        }
    }

    /// It is over when nothing is open and all is told, and closed a while after.
    fn end(&mut self, pace: &Pace, now: Timestamp) {
        if !self.is_over() {
            return;
        }
        // Nobody of an escalation was told of what is over by now.
        if pace.escalates() && self.level == 0 {
            self.dropped = self.dropped.saturating_add(dropped(&self.news));
            self.news.clear();
        }
        if !self.news.is_empty() {
            return;
        }
        self.spared.clear();
        self.unseen.clear();
        let over = *self.over.get_or_insert(now);
        self.unattended = None;
        self.closed = self.sequence == 0 || over.plus(pace.reopen) <= now;
    }

    fn timer(&self, pace: &Pace, attention: Attention, now: Timestamp) -> Timestamp {
        let close = self.over.map(|over| over.plus(pace.reopen));
        let soonest = if attention.is_put_off { now.plus(WHILE_PUT_OFF) } else { now };
        let again = [self.next_step_at(pace), self.repeat_at(pace)].into_iter().flatten().map(|due| due.max(soonest));
        let recall = self.has_room_for(MOST_RECALLED).then(|| now.plus(RECALL));
        let others = self.asks_for_who_waits().then(|| now.plus(WHILE_PUT_OFF));
        let unseen = (!self.unseen.is_empty()).then(|| now.plus(WHILE_PUT_OFF));
        let dues = [self.flush_at(pace), attention.expiry, close, recall, others, unseen].into_iter().flatten();
        dues.chain(again).fold(now.plus(AT_LEAST), Timestamp::min)
    }
}

/// How many alarms those changes are of that began and ended.
pub(super) fn dropped(news: &[News]) -> u32 {
    u32::try_from(news.iter().filter(|news| news.change.begins()).count()).unwrap_or(u32::MAX)
}
