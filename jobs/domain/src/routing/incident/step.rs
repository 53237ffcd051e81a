//! What becomes of an incident when something is new, or its time has come.

use std::time::Duration;

use super::{Incident, Input, Known, News, Open, Pace, Telling, TellingKind};
use crate::{
    Timestamp,
    alarm::{ChangeKind, Severity},
};

/// The most alarms that an incident remembers as open. Of more it tells, and does not wait for their end.
pub const MOST_OPEN: usize = 1000;

/// That an alarm is over is not told before this, since who is to tell it may still be on the way.
const ON_THE_WAY: Duration = Duration::from_mins(10);

/// An incident that is open is looked at so often, if nothing else is due.
const AT_LEAST: Duration = Duration::from_hours(24);

/// What became of an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The incident.
    pub incident: Incident,
    /// What is to be told, in this order.
    pub tellings: Vec<Telling>,
    /// When it is to be looked at if nothing is new; none when it is closed.
    pub timer: Option<Timestamp>,
}

/// Steps an incident. A new one is [`Incident::default`].
pub fn step(incident: &Incident, input: Input, pace: &Pace, now: Timestamp) -> Step {
    let mut incident = incident.clone();
    for news in input.news {
        let known = input.known.get(&news.change.alarm).copied().unwrap_or_default();
        incident.absorb(news, known, now);
    }
    incident.open.retain(|alarm, _| !input.known.get(alarm).is_some_and(|known| is_forgotten(*known, now)));
    let known = |alarm: &String| input.known.get(alarm).copied().unwrap_or_default();
    let (was_attended, expiry) = incident.attend(known, pace, now);
    let mut tellings = Vec::new();
    incident.flush_if_due(pace, now, &mut tellings);
    incident.escalate(pace, now, &mut tellings);
    incident.repeat(pace, now, was_attended, &mut tellings);
    incident.end(pace, now);
    let timer = (!incident.closed).then(|| incident.timer(pace, expiry, now));
    Step { incident, tellings, timer }
}

/// An alarm that the audience may not see, or whose end nobody will tell.
fn is_forgotten(known: Known, now: Timestamp) -> bool {
    known.gone || known.over.is_some_and(|over| now.since(over) > ON_THE_WAY)
}

impl Incident {
    fn absorb(&mut self, news: News, known: Known, now: Timestamp) {
        let change = &news.change;
        match change.kind {
            _ if change.begins() => {
                let raises = self.raises.len();
                if raises < MOST_OPEN || self.raises.contains_key(&news.condition()) {
                    *self.raises.entry(news.condition()).or_default() += 1;
                }
                let is_fresh = self.open.is_empty() && self.news.is_empty();
                self.began = if is_fresh { change.since } else { self.began.min(change.since) };
                // One whose end was heard of first is not open.
                if known.over.is_none() && self.open.len() < MOST_OPEN {
                    self.over = None;
                    let (source, rule) = (news.source.clone(), change.rule.clone());
                    let open = Open { source, rule, severity: change.severity, since: change.since };
                    self.open.insert(change.alarm.clone(), open);
                }
            }
            _ if change.ends() => {
                if self.open.remove(&change.alarm).is_none() && self.open.is_empty() && self.news.is_empty() {
                    self.began = change.since;
                }
                self.ended = self.ended.max(Some(change.at));
            }
            ChangeKind::SeverityChanged => {
                if let Some(open) = self.open.get_mut(&change.alarm) {
                    open.severity = change.severity;
                }
            }
            _ => {}
        }
        if self.news.is_empty() {
            self.opened = now;
        }
        self.worst = self.worst.max(Some(change.severity));
        self.news.push(news);
    }

    /// Finds out whether anybody takes it on: whether somebody did until now, and when the first word of those that hold ends.
    fn attend(&mut self, known: impl Fn(&String) -> Known, pace: &Pace, now: Timestamp) -> (bool, Option<Timestamp>) {
        let was_attended = self.unattended.is_none() && self.sequence > 0 && self.over.is_none();
        let mut expiry: Option<Timestamp> = None;
        let mut is_attended = true;
        for (alarm, _) in self.open.iter().filter(|(_, open)| pace.concerns(open.severity)) {
            let ends = known(alarm).acknowledged.map(|at| pace.holds_until(at));
            match ends {
                Some(None) => {}
                Some(Some(end)) if end > now => expiry = Some(expiry.map_or(end, |first| first.min(end))),
                Some(Some(_)) | None => is_attended = false,
            }
        }
        if is_attended {
            (self.unattended, self.next_step) = (None, 0);
        } else if self.unattended.is_none() {
            self.unattended = Some(now);
        }
        (was_attended, expiry)
    }

    /// Takes the steps of the escalation whose time has come.
    fn escalate(&mut self, pace: &Pace, now: Timestamp, tellings: &mut Vec<Telling>) {
        while let Some(due) = self.next_step_at(pace).filter(|due| *due <= now) {
            if self.level > 0 && !self.news.is_empty() {
                self.flush(pace, now, tellings);
            }
            self.next_step += 1;
            self.level = self.level.max(self.next_step);
            let (news, level) = (std::mem::take(&mut self.news), self.next_step);
            let telling = Telling { level, ..self.telling(TellingKind::Escalation, news, now.max(due)) };
            tellings.push(telling);
        }
    }

    fn next_step_at(&self, pace: &Pace) -> Option<Timestamp> {
        pace.steps.get(self.next_step).and_then(|after| Some(self.unattended?.plus(*after)))
    }

    fn repeat(&mut self, pace: &Pace, now: Timestamp, was_attended: bool, tellings: &mut Vec<Telling>) {
        let is_due = self.repeat_at(pace).is_some_and(|due| due <= now);
        // The word of who took it on holds no more.
        let begins_again = was_attended && self.unattended.is_some() && !pace.escalates() && self.news.is_empty();
        if tellings.is_empty() && (is_due || begins_again) {
            let telling = self.telling(TellingKind::Repeat, Vec::new(), now);
            tellings.push(telling);
        }
    }

    fn repeat_at(&self, pace: &Pace) -> Option<Timestamp> {
        let concerned = self.open.values().map(|open| open.severity).filter(|severity| pace.concerns(*severity));
        let repeat = pace.repeat.of(concerned.max()?)?;
        Some(self.told_at?.max(self.unattended?).plus(repeat))
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
            open: self.open.len(),
            alarms: self.open.keys().take(MOST_NAMED).cloned().collect(),
            severity: severity.unwrap_or(Severity::Info),
            began: self.began,
            ended: self.ended.filter(|_| self.open.is_empty()),
            level: self.level,
            at,
        }
    }

    /// It is over when nothing is open and all is told, and closed a while after.
    fn end(&mut self, pace: &Pace, now: Timestamp) {
        if !self.open.is_empty() {
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
        let over = *self.over.get_or_insert(now);
        self.unattended = None;
        self.closed = self.sequence == 0 || over.plus(pace.reopen) <= now;
    }

    fn timer(&self, pace: &Pace, expiry: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let close = self.over.map(|over| over.plus(pace.reopen));
        let dues = [self.flush_at(pace), self.next_step_at(pace), self.repeat_at(pace), expiry, close];
        dues.into_iter().flatten().fold(now.plus(AT_LEAST), Timestamp::min)
    }
}

/// Of so many alarms that are open a notice tells by their names.
const MOST_NAMED: usize = 20;

/// How many alarms those changes are of that began and ended.
pub(super) fn dropped(news: &[News]) -> u32 {
    u32::try_from(news.iter().filter(|news| news.change.begins()).count()).unwrap_or(u32::MAX)
}
