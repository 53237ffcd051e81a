//! Telling others, and again, what nobody takes on.

use std::{collections::BTreeMap, time::Duration};

use super::{Incident, News, Pace, Telling, TellingKind, step::dropped, waits::Waits};
use crate::{Timestamp, alarm::Change};

impl Incident {
    /// Somebody was told of these alarms, as of these instants, in the place of another before the first step of an escalation: that
    /// they began is no news any more, and what becomes of them is told.
    pub fn was_told_early(&mut self, told: &BTreeMap<&str, Timestamp>, now: Timestamp) {
        if self.level > 0 {
            return;
        }
        let is_newer = |change: &Change| told.get(change.told_as()).is_none_or(|at| change.at > *at);
        self.news.retain(|news| news.change.ends() || is_newer(&news.change));
        (self.level, self.told_at) = (1, Some(now));
    }

    /// From when on it is counted how long nobody has it on.
    fn counted_from(&self) -> Option<Timestamp> {
        self.unattended.max(self.unattended.and(self.unknown_at))
    }

    /// Takes the steps of the escalation whose time has come. Those without delay are told as those are who see it; others are not
    /// while it is put off. `waits`: the alarms that nobody has on.
    pub(super) fn escalate(
        &mut self,
        pace: &Pace,
        now: Timestamp,
        (is_put_off, waits): (bool, &Waits),
        tellings: &mut Vec<Telling>,
    ) {
        while let Some(due) = self.next_step_at(pace).filter(|due| *due <= now) {
            let is_at_once = pace.steps.get(self.next_step).is_some_and(Duration::is_zero);
            if is_put_off && !is_at_once {
                break;
            }
            if self.level > 0 && !self.news.is_empty() {
                self.flush(pace, now, tellings);
            }
            self.next_step += 1;
            self.level = self.level.max(self.next_step);
            // Whom it names hear what is told at this moment, and not beside it that nobody has it on.
            if let Some(told) = tellings.iter_mut().rfind(|told| is_at_once && told.asks_for_attention()) {
                (told.at_once, told.level) = (self.next_step, told.level.max(self.next_step));
                continue;
            }
            let level = self.next_step;
            let at_once = if is_at_once && self.sequence == 0 { level } else { 0 };
            // They are spared what those are who see it.
            let news = if at_once > 0 { self.worth_telling(pace) } else { self.news_of(waits) };
            let telling = Telling { level, at_once, ..self.telling(TellingKind::Escalation, news, now.max(due)) };
            tellings.push(telling);
        }
    }

    /// Takes what is new, of these alarms: nobody is called for what somebody has on by now, or what is over. What a lost parent
    /// speaks for is told when it is seen again.
    fn news_of(&mut self, waits: &Waits) -> Vec<News> {
        let news = std::mem::take(&mut self.news).into_iter();
        let (news, rest): (Vec<News>, Vec<News>) =
            news.partition(|news| waits.nobodys.contains(news.change.goes_on_as()));
        let (unseen, spared): (Vec<News>, Vec<News>) =
            rest.into_iter().partition(|news| waits.unseen.contains(news.change.goes_on_as()));
        self.dropped = self.dropped.saturating_add(dropped(&spared));
        let untold = spared.iter().chain(&unseen).map(|news| news.change.goes_on_as().to_owned());
        self.spared.extend(untold.filter(|alarm| self.open.contains_key(alarm)));
        self.unseen.extend(unseen);
        news
    }

    /// What others were not called for while nothing was known of it is news to them once it is seen, and nobody has it on.
    pub(super) fn sees_again(&mut self, waits: &Waits, now: Timestamp) {
        let (unseen, seen): (Vec<News>, Vec<News>) = std::mem::take(&mut self.unseen)
            .into_iter()
            .partition(|news| waits.unseen.contains(news.change.goes_on_as()));
        self.unseen = unseen;
        for news in seen {
            if waits.nobodys.contains(news.change.goes_on_as()) {
                self.spared.remove(news.change.goes_on_as());
                if self.news.is_empty() {
                    self.opened = now;
                }
                self.news.push(news);
            } else {
                self.dropped = self.dropped.saturating_add(dropped(&[news]));
            }
        }
    }

    pub(super) fn next_step_at(&self, pace: &Pace) -> Option<Timestamp> {
        let steps = pace.steps.get(self.next_step..)?;
        let (from, first) = (self.counted_from()?, steps.first()?);
        if !first.is_zero() || self.news.is_empty() {
            return Some(from.plus(*first));
        }
        if self.level == 0 {
            // They hear in one notice what belongs together, as those do who see it.
            return self.gathered_at(pace).map(|gathered| gathered.max(from));
        }
        // Whom it names hear what all hear, when they do, and no later than others are called.
        let later = steps.iter().find(|after| !after.is_zero()).map(|after| from.plus(*after));
        [self.flush_at(pace), later].into_iter().flatten().min()
    }

    pub(super) fn repeat(&mut self, pace: &Pace, now: Timestamp, was_attended: bool, tellings: &mut Vec<Telling>) {
        let is_due = self.repeat_at(pace).is_some_and(|due| due <= now);
        // The word of who took it on holds no more.
        let begins_again = was_attended && self.unattended.is_some() && !pace.escalates() && self.news.is_empty();
        if tellings.is_empty() && is_due && self.level >= usize::from(pace.escalates()) {
            // What is new would be among what is said again: it is told as what it is.
            self.flush(pace, now, tellings);
        }
        if tellings.is_empty() && (is_due || begins_again) {
            let telling = self.telling(TellingKind::Repeat, Vec::new(), now);
            tellings.push(telling);
        }
    }

    /// When it is told again if nobody takes it on and nothing is new; never when none.
    pub fn repeat_at(&self, pace: &Pace) -> Option<Timestamp> {
        let repeat = pace.repeat.of(self.waiting?)?;
        Some(self.told_at?.max(self.counted_from()?).plus(repeat))
    }
}
