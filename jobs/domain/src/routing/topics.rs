//! Who subscribed to a topic hears of the alarms of one severity: of each from its beginning there to its end, whatever it comes to
//! matter meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::incident::{News, Telling};
use crate::alarm::{Change, ChangeKind, Severity};

/// Of which alarms the topics of which severities told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topics(BTreeMap<String, BTreeSet<Severity>>);

impl Topics {
    /// Whether none told of anything that is open.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A telling as each topic has it, with its severity: what happened to the alarms that it told of, or that matter as much as that by
    /// now. What was never told there begins there.
    pub fn split(&mut self, telling: &Telling) -> Vec<Telling> {
        if telling.news.is_empty() {
            return vec![telling.clone()];
        }
        let mut by_alarm: BTreeMap<&str, Vec<&News>> = BTreeMap::new();
        for news in &telling.news {
            by_alarm.entry(news.change.told_as()).or_default().push(news);
        }
        let mut parts: BTreeMap<Severity, Vec<News>> = BTreeMap::new();
        for (alarm, news) in by_alarm {
            let told = self.0.get(alarm).cloned().unwrap_or_default();
            for severity in concerned(&told, &news) {
                let is_new = !told.is_empty() && !told.contains(&severity);
                parts.entry(severity).or_default().extend(as_told(&news, is_new));
                self.0.entry(alarm.to_owned()).or_default().insert(severity);
            }
            self.goes_on(alarm, &news);
        }
        let order = |news: &News| telling.news.iter().position(|one| is_of(one, news));
        let told = parts.into_iter().rev().map(|(severity, mut news)| {
            news.sort_by_key(order);
            Telling { news, severity, ..telling.clone() }
        });
        told.collect()
    }

    /// What came and went and is calm goes on under the name of its last alarm.
    fn goes_on(&mut self, alarm: &str, news: &[&News]) {
        let Some(told) = self.0.get(alarm).cloned() else { return };
        for name in news.iter().map(|news| news.change.goes_on_as()).filter(|name| *name != alarm) {
            self.0.entry(name.to_owned()).or_default().extend(told.iter().copied());
        }
    }

    /// Forgets the alarms of which nothing more is told.
    pub fn forget(&mut self, is_told_of: impl Fn(&str) -> bool) {
        self.0.retain(|alarm, _| is_told_of(alarm));
    }
}

/// The topics that tell of an alarm. One that ends begins nowhere.
fn concerned(told: &BTreeSet<Severity>, news: &[&News]) -> BTreeSet<Severity> {
    let is_over = news.iter().any(|news| news.change.ends());
    let now = news.last().map(|news| news.change.severity).filter(|_| !is_over || told.is_empty());
    told.iter().copied().chain(now).collect()
}

/// What a topic tells of an alarm: that it begins, where nobody heard of it there.
fn as_told(news: &[&News], is_new: bool) -> Vec<News> {
    let mut news: Vec<News> = news.iter().map(|news| (*news).clone()).collect();
    if is_new && !news.iter().any(|news| news.change.begins()) {
        let rise = news.iter_mut().rev().find(|news| news.change.kind == ChangeKind::SeverityChanged);
        if let Some(News { change, .. }) = rise {
            *change = Change { kind: ChangeKind::Raised, ..change.clone() };
        }
    }
    news
}

/// Whether one is the other, or how it is told where nobody heard of it.
fn is_of(one: &News, news: &News) -> bool {
    let of = |news: &News| (news.transition.clone(), news.change.alarm.clone(), news.change.at);
    of(one) == of(news)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Timestamp, alarm::About, routing::incident::TellingKind};

    const ALARM: &str = "a";

    fn news(kind: ChangeKind, severity: Severity) -> News {
        let about = About { alarm: ALARM, rule: "r", severity, since: Timestamp(0), shadow: false };
        let change = Change::of(kind, about, Timestamp(1), "");
        News { transition: "t".to_owned(), source: Source::Node("n".to_owned()), change }
    }

    fn telling(news: Vec<News>) -> Telling {
        Telling {
            sequence: 1,
            kind: TellingKind::News,
            news,
            open: 1,
            alarms: Vec::new(),
            more: 0,
            severity: Severity::Info,
            began: Timestamp(0),
            ended: None,
            level: 0,
            at: Timestamp(2),
            unattended: None,
            rose: false,
            at_once: 0,
            taken: 0,
        }
    }

    /// What each topic tells of it, gravest first.
    fn told(topics: &mut Topics, news: Vec<News>, is_open: bool) -> Vec<(Severity, Vec<ChangeKind>)> {
        let told = topics.split(&telling(news)).into_iter();
        topics.forget(|_| is_open);
        told.map(|telling| (telling.severity, telling.news.iter().map(|news| news.change.kind).collect())).collect()
    }

    #[test]
    fn who_heard_of_an_alarm_hears_that_it_matters_less_and_of_its_end_and_for_others_it_begins() {
        use ChangeKind::{Cleared, Raised, SeverityChanged};
        use Severity::{Critical, Warning};

        for (first, then) in [(Critical, Warning), (Warning, Critical)] {
            let mut topics = Topics::default();
            assert_eq!(told(&mut topics, vec![news(Raised, first)], true), [(first, vec![Raised])]);
            let mut changed = told(&mut topics, vec![news(SeverityChanged, then)], true);
            changed.sort_by_key(|(severity, _)| *severity != first);
            assert_eq!(changed, [(first, vec![SeverityChanged]), (then, vec![Raised])]);
            let ended = told(&mut topics, vec![news(Cleared, then)], false);
            assert_eq!(ended, [(Critical, vec![Cleared]), (Warning, vec![Cleared])]);
            assert!(topics.is_empty());
        }
    }

    #[test]
    fn what_was_not_told_before_is_told_once_as_it_is_by_now() {
        use ChangeKind::{Cleared, Raised, SeverityChanged};

        let rose = vec![news(Raised, Severity::Warning), news(SeverityChanged, Severity::Critical)];
        let told_then = told(&mut Topics::default(), rose, true);
        assert_eq!(told_then, [(Severity::Critical, vec![Raised, SeverityChanged])]);
        let brief = vec![news(Raised, Severity::Critical), news(Cleared, Severity::Warning)];
        assert_eq!(told(&mut Topics::default(), brief, false), [(Severity::Warning, vec![Raised, Cleared])]);
    }
}
