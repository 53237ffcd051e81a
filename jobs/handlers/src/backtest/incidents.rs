//! The life of one audience's incidents of one group, played over again by the machine that lives it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Mac, Source, Timestamp,
    alarm::Change,
    routing::incident::{Incident, Input, Known, MOST_RECALLED, News, Open, Pace, Telling, step},
};

/// What would have changed on one source at one instant.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) source: Source,
    /// What people would have been told of, one change at least.
    pub(super) changes: Vec<Change>,
}

/// What an audience would have been told.
#[derive(Debug)]
pub(super) struct Said {
    /// Of which of its incidents, 0 for the first.
    pub(super) incident: usize,
    pub(super) telling: Telling,
    /// The terminals that it is about.
    pub(super) macs: BTreeSet<Mac>,
}

/// When that was over of which nobody would have been told so, and when it came again, by the alarms that it is told as.
#[derive(Debug, Default)]
pub(super) struct Untold(BTreeMap<String, BTreeMap<Timestamp, bool>>);

impl Untold {
    /// Takes in what comes and goes of these.
    pub(super) fn extend(&mut self, changes: &[Change]) {
        let is_of_it = |change: &&Change| change.flaps() || !change.is_told();
        for change in changes.iter().filter(is_of_it).filter(|change| change.begins() || change.ends()) {
            self.0.entry(change.told_as().to_owned()).or_default().insert(change.at, change.ends());
        }
    }

    /// Since when an alarm is over at that instant.
    fn over(&self, alarm: &str, now: Timestamp) -> Option<Timestamp> {
        let (at, is_over) = self.0.get(alarm)?.range(..=now).next_back()?;
        is_over.then_some(*at)
    }
}

/// What an audience would have been told of what happened, oldest first, when nobody takes anything on.
pub(super) fn lived<'a>(
    happened: impl IntoIterator<Item = &'a Happened>,
    (pace, untold): (&Pace, &Untold),
    until: Timestamp,
) -> Vec<Said> {
    let (state, apart, said) = (Incident::default(), BTreeMap::new(), Vec::new());
    let mut life = Life { pace, untold, state, apart, due: None, number: 0, said };
    for Happened { at, source, changes } in happened {
        life.pass(|due| due < *at);
        let news = |change: &Change| News { transition: String::new(), source: source.clone(), change: change.clone() };
        life.step(changes.iter().map(news).collect(), *at);
    }
    life.pass(|due| due <= until);
    life.said
}

struct Life<'a> {
    pace: &'a Pace,
    untold: &'a Untold,
    state: Incident,
    /// What is remembered apart.
    apart: BTreeMap<String, Open>,
    due: Option<Timestamp>,
    number: usize,
    said: Vec<Said>,
}

impl Life<'_> {
    /// Looks at the incident whenever its time comes.
    fn pass(&mut self, is_meanwhile: impl Fn(Timestamp) -> bool) {
        let mut last = None;
        while let Some(due) = self.due.filter(|due| is_meanwhile(*due)) {
            // A look that settles nothing would be asked for again without end.
            if last.is_some_and(|last| due <= last) {
                return;
            }
            last = Some(due);
            self.step(Vec::new(), due);
        }
    }

    fn step(&mut self, news: Vec<News>, now: Timestamp) {
        let apart = self.apart_of(&news);
        let known = |alarm: &String| Known { over: self.untold.over(alarm, now), ..Known::default() };
        let known = self.state.open.keys().map(|alarm| (alarm.clone(), known(alarm)));
        let known = known.collect();
        let stepped = step(&self.state, Input { news, known, apart }, self.pace, now);
        self.apart.extend(stepped.apart.put);
        self.apart.retain(|alarm, _| !stepped.apart.taken.contains(alarm));
        self.state = stepped.incident;
        self.due = stepped.timer;
        for telling in stepped.tellings {
            let sources = self.state.open.values().map(|open| &open.source);
            let sources = sources.chain(telling.news.iter().map(|news| &news.source));
            let macs = sources.filter_map(Source::mac).cloned().collect();
            self.said.push(Said { incident: self.number, telling, macs });
        }
        if self.state.closed {
            (self.state, self.number) = (Incident::default(), self.number + 1);
        }
    }

    /// Of what is remembered apart that which something is new of, and as much of the rest as there is room for.
    fn apart_of(&self, news: &[News]) -> BTreeMap<String, Open> {
        let most = if self.state.has_room_for(MOST_RECALLED) { MOST_RECALLED } else { 0 };
        let names = news.iter().flat_map(|news| [news.change.alarm.as_str(), news.change.told_as()]);
        let of_news = names.filter_map(|name| self.apart.get_key_value(name));
        let apart = self.apart.iter().take(most).chain(of_news);
        apart.map(|(alarm, open)| (alarm.clone(), open.clone())).collect()
    }
}
