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

/// When alarms ended of which nobody would have been told that.
pub(super) type Ends = BTreeMap<String, Timestamp>;

/// What an audience would have been told of what happened, oldest first, when nobody takes anything on.
pub(super) fn lived<'a>(
    happened: impl IntoIterator<Item = &'a Happened>,
    (pace, ends): (&Pace, &Ends),
    until: Timestamp,
) -> Vec<Said> {
    let (state, apart, said) = (Incident::default(), BTreeMap::new(), Vec::new());
    let mut life = Life { pace, ends, state, apart, due: None, number: 0, said };
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
    ends: &'a Ends,
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
        let over = |alarm: &String| self.ends.get(alarm).copied().filter(|over| *over <= now);
        let known =
            self.state.open.keys().map(|alarm| (alarm.clone(), Known { over: over(alarm), ..Known::default() }));
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
        let of_news = news.iter().filter_map(|news| self.apart.get_key_value(&news.change.alarm));
        let apart = self.apart.iter().take(most).chain(of_news);
        apart.map(|(alarm, open)| (alarm.clone(), open.clone())).collect()
    }
}
