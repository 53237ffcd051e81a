//! Telling what is new.

use std::collections::BTreeSet;

use super::{
    Incident, News, Open, Pace, Telling, TellingKind,
    pace::STAYS,
    step::{MOST_NEWS, dropped},
};
use crate::{
    Timestamp,
    alarm::{Change, ChangeKind, Severity},
};

impl Incident {
    /// When what is new is to be told; none when nothing is, or nobody is to hear yet.
    pub(super) fn flush_at(&self, pace: &Pace) -> Option<Timestamp> {
        if pace.escalates() && self.level == 0 {
            return None;
        }
        let due = |news: &News| {
            let severity = news.change.severity;
            let gathered = self.gathered(news, pace);
            match self.told_at {
                None => gathered,
                Some(told) if news.change.ends() => told.plus(pace.interval(severity, self.raised(news))),
                Some(told) => {
                    let damped = told.plus(pace.interval(severity, self.raised(news)));
                    let stays = news.change.at.plus(STAYS).max(told);
                    if self.stands_gravely(&news.change) { damped.min(stays) } else { damped }.max(gathered)
                }
            }
        };
        if self.news.len() >= MOST_NEWS {
            return Some(self.opened);
        }
        self.news.iter().map(due).min()
    }

    /// Whether it is the beginning of what is critical and stands, or what came to be critical and is.
    fn stands_gravely(&self, change: &Change) -> bool {
        let is_later = |other: &News| other.change.alarm == change.alarm && other.change.at > change.at;
        let is_rise = || change.kind == ChangeKind::SeverityChanged && !self.news.iter().any(is_later);
        let stands = |open: &Open| open.severity == Severity::Critical;
        change.severity == Severity::Critical
            && self.open.get(change.goes_on_as()).is_some_and(stands)
            && (change.begins() || is_rise())
    }

    /// When what is new has been waited for long enough that more may belong to it, before anything was told.
    pub(super) fn gathered_at(&self, pace: &Pace) -> Option<Timestamp> {
        self.news.iter().map(|news| self.gathered(news, pace)).min()
    }

    fn gathered(&self, news: &News, pace: &Pace) -> Timestamp {
        self.opened.plus(pace.wait.of(news.change.severity))
    }

    fn raised(&self, news: &News) -> u32 {
        self.raises.get(&news.condition()).map(|raises| raises.count).unwrap_or_default()
    }

    pub(super) fn flush_if_due(&mut self, pace: &Pace, now: Timestamp, tellings: &mut Vec<Telling>) {
        if self.flush_at(pace).is_some_and(|due| due <= now) {
            self.flush(pace, now, tellings);
        }
    }

    /// Tells what is new, if any of it is worth it.
    pub(super) fn flush(&mut self, pace: &Pace, now: Timestamp, tellings: &mut Vec<Telling>) {
        let news = self.worth_telling(pace);
        if news.is_empty() {
            self.rose = false;
            return;
        }
        let is_over = self.is_over() && news.iter().any(|news| news.change.ends());
        let kind = if is_over { TellingKind::Recovery } else { TellingKind::News };
        let telling = self.telling(kind, news, now);
        tellings.push(telling);
    }

    /// Takes what is new, but for what came and went and is not worth it.
    pub(super) fn worth_telling(&mut self, pace: &Pace) -> Vec<News> {
        let news = std::mem::take(&mut self.news);
        let news = self.without_what_is_known(news);
        let brief = self.brief(&news, pace);
        let (gone, news): (Vec<News>, Vec<News>) =
            news.into_iter().partition(|news| brief.contains(news.change.alarm.as_str()));
        self.dropped = self.dropped.saturating_add(dropped(&gone));
        news
    }

    /// Where there is more than can be stored, what came and went is counted, and the oldest of the rest is left out: of what is open
    /// of these it is known all the same.
    pub(super) fn forgets_news(&mut self) {
        let ids = |is: fn(&Change) -> bool| {
            let news = self.news.iter().filter(move |news| is(&news.change));
            news.map(|news| news.change.alarm.clone()).collect::<BTreeSet<String>>()
        };
        let mut gone: BTreeSet<String> = ids(Change::begins).intersection(&ids(Change::ends)).cloned().collect();
        gone.retain(|alarm| !self.heard.contains(alarm));
        let (gone, rest): (Vec<News>, Vec<News>) =
            std::mem::take(&mut self.news).into_iter().partition(|news| gone.contains(&news.change.alarm));
        self.dropped = self.dropped.saturating_add(dropped(&gone));
        self.news = rest;
        let surplus = self.news.len().saturating_sub(MOST_NEWS);
        self.news.drain(..surplus);
    }

    /// That something stands of which people heard is no news where it ended since.
    fn without_what_is_known(&self, mut news: Vec<News>) -> Vec<News> {
        let ends = news.iter().filter(|news| news.change.ends()).map(|news| news.change.alarm.clone());
        let over: BTreeSet<String> = ends.filter(|alarm| self.heard.contains(alarm)).collect();
        news.retain(|news| !news.change.begins() || !over.contains(&news.change.alarm));
        news
    }

    /// The alarms among those changes that began and ended, and are not worth a notice.
    fn brief(&self, news: &[News], pace: &Pace) -> BTreeSet<String> {
        let window = |news: &News| match self.told_at {
            None => pace.wait.of(news.change.severity),
            Some(_) => pace.interval(news.change.severity, self.raised(news)),
        };
        let ids = |is: fn(&Change) -> bool| {
            news.iter().filter(move |news| is(&news.change)).map(|news| news.change.alarm.clone())
        };
        let ended: BTreeSet<String> = ids(Change::ends).collect();
        let mut brief: BTreeSet<String> = ids(Change::begins).filter(|alarm| ended.contains(alarm)).collect();
        for news in news {
            if !pace.drops(news.change.severity, window(news)) {
                brief.remove(&news.change.alarm);
            }
        }
        brief
    }
}
