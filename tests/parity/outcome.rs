//! What came of a scenario, in words that are the same wherever it was played.
//!
//! Instants are told in seconds from the scenario's base. Those of the clock (when a notice was written, when it was sent) are
//! left out, and so are ids that are made of them: a notice's, and its transition's, which also counts how often the watch was
//! written. They are told by what they name.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use domain::{Source, Timestamp, alarm::Change, reading::Reading};
use jobs::{DeliverNotice, DispatchQueries, FanOut, Job, PlanWindow, Sweep};
use records::{
    Range, Table,
    alarms::{self, Alarm, Transition, Which},
    notices::{self, Notice},
    readings::{self, Span},
};
use telltale_tests::flow::{self, headline};

use super::{
    home::{Dead, Home},
    scene::COPY,
};

/// What came of it. Each list is in the order of its texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    /// The alarms that ever were.
    pub(super) alarms: Vec<String>,
    /// What changed.
    pub(super) transitions: Vec<String>,
    /// What the technician is told.
    pub(super) notices: Vec<String>,
    /// What the technician's webhook got, and how often under one `webhook-id`.
    pub(super) webhooks: Vec<String>,
    /// The sensor's readings.
    pub(super) history: Vec<String>,
    /// The sensor's newest reading.
    pub(super) latest: Vec<String>,
    /// The work that is done, but for that of windows: they are as long as each home has them.
    pub(super) done: Vec<String>,
    /// The messages that were given up.
    pub(super) dead: Vec<String>,
}

/// What came of a scenario, and the ids of its alarms.
pub(super) async fn outcome(home: &mut dyn Home) -> Result<(Outcome, Vec<String>)> {
    let dead = home.dead().await?;
    let (table, base) = (home.table(), home.base());
    let alarms = alarms::list(table, Which::All, 100, None).await?.items;
    let transitions = transitions(table).await?;
    let notices = notices::list(table, "tech", 100, None).await?.items;
    let span = Span { from: Timestamp(0), to: Timestamp(i64::MAX), limit: 100, after: None };
    let history = readings::history(table, &flow::mac(), 1, &span).await?.items;
    let latest = readings::latest(table, &flow::mac()).await?.value.devices;
    let names = Names { base, transitions: &transitions, notices: &notices };
    let outcome = Outcome {
        alarms: sorted(alarms.iter().map(|alarm| names.alarm(alarm))),
        transitions: sorted(transitions.iter().map(|transition| names.transition(transition))),
        notices: sorted(notices.iter().map(notice)),
        webhooks: names.webhooks(home)?,
        history: sorted(history.iter().map(|reading| names.reading(reading))),
        latest: sorted(latest.values().map(|reading| names.reading(reading))),
        done: names.done(home),
        dead: sorted(dead.iter().map(gave_up)),
    };
    Ok((outcome, sorted(alarms.into_iter().map(|alarm| alarm.id))))
}

/// All that changed, of the sensor, its terminal and its node.
pub(super) async fn transitions(table: &dyn Table) -> Result<Vec<Transition>> {
    let mut transitions = Vec::new();
    for source in [Source::Device(flow::device(1)), Source::Terminal(flow::mac()), Source::Node("n1".to_owned())] {
        for item in table.query(&Range::all(format!("transition#{source}"), 100)).await?.items {
            let transition = alarms::transition(table, &source, &item.key.sk).await?;
            transitions.push(transition.context("a transition that is listed is there")?);
        }
    }
    Ok(transitions)
}

/// What things are called.
struct Names<'a> {
    base: Timestamp,
    transitions: &'a [Transition],
    notices: &'a [Notice],
}

impl Names<'_> {
    fn at(&self, at: Timestamp) -> String {
        format!("{} s", (at.0 - self.base.0) / 1000)
    }

    fn alarm(&self, alarm: &Alarm) -> String {
        let Alarm { source, rule, raised_at, .. } = alarm;
        let end = alarm.cleared_at.map_or("active".to_owned(), |at| format!("cleared at {}", self.at(at)));
        format!("{} {rule}: raised at {}, {end}", kind(source), self.at(*raised_at))
    }

    fn transition(&self, transition: &Transition) -> String {
        let change = |change: &Change| format!("{:?} {} at {}", change.kind, change.rule, self.at(change.at));
        let changes: Vec<String> = transition.changes.iter().map(change).collect();
        format!("{}: {}", kind(&transition.source), changes.join(", "))
    }

    fn reading(&self, reading: &Reading) -> String {
        let values: Vec<String> =
            reading.values.iter().map(|value| format!("{} {}", value.name, value.display)).collect();
        format!("asked at {}: {}", self.at(reading.asked), values.join(", "))
    }

    /// What the webhook got, by its id: each is signed, and has the id of the notice it tells.
    fn webhooks(&self, home: &dyn Home) -> Result<Vec<String>> {
        let mut webhooks: BTreeMap<String, (String, usize)> = BTreeMap::new();
        for delivery in home.webhook().deliveries("") {
            assert!(delivery.genuine, "{delivery:?}");
            let notice = self.notices.iter().find(|notice| notice.id == delivery.id);
            assert_eq!(notice.context("a delivery has its notice's id")?.subject, delivery.subject());
            let times = webhooks.entry(delivery.id.clone()).or_insert((headline(delivery.subject()).to_owned(), 0));
            times.1 += 1;
        }
        Ok(sorted(webhooks.into_values().map(|(subject, times)| format!("{subject}: {times}"))))
    }

    /// The work that is done, each piece once: a queue may drop a message whose key it holds already, or give both out.
    fn done(&self, home: &dyn Home) -> Vec<String> {
        let of_windows = [PlanWindow::NAME, DispatchQueries::NAME, Sweep::NAME];
        let done = home.done().into_iter().filter(|(job, _)| !of_windows.contains(&job.as_str()));
        let mut done = sorted(done.map(|(job, key)| self.work(&job, &key)));
        done.dedup();
        done
    }

    /// A job and its key.
    fn work(&self, job: &str, key: &str) -> String {
        let (key, copy) = key.split_at(key.find(COPY).unwrap_or(key.len()));
        let transition = self.transitions.iter().find(|transition| transition.id == key);
        let notice = self.notices.iter().find(|notice| notice.id == key);
        let told = match job {
            FanOut::NAME => transition.map(|transition| self.transition(transition)),
            DeliverNotice::NAME => notice.map(|notice| headline(&notice.subject).to_owned()),
            _ => None,
        };
        format!("{job}: {}{copy}", told.unwrap_or_else(|| self.without_instants(key)))
    }

    /// A key in which each instant is told from the base.
    fn without_instants(&self, key: &str) -> String {
        let told = |part: &str| match part.parse() {
            Ok(at) if part.len() == self.base.sortable().len() => self.at(Timestamp(at)),
            _ => part.to_owned(),
        };
        key.split('/').map(told).collect::<Vec<_>>().join("/")
    }
}

fn kind(source: &Source) -> &'static str {
    match source {
        Source::Device(_) => "device",
        Source::Terminal(_) => "terminal",
        Source::Node(_) => "node",
        Source::Platform(_) => "platform",
    }
}

fn notice(notice: &Notice) -> String {
    let Notice { user, channel, subject, status, attempts, .. } = notice;
    format!("{user}, {channel}, {}: {status:?} at attempt {}", headline(subject), attempts.len())
}

fn gave_up(dead: &Dead) -> String {
    let Dead { job, body, runs, never, .. } = dead;
    match never {
        // What would have been right, and where, is of no interest.
        Some(why) => format!("{job} {body}: {}", why.split([',', '@']).next().unwrap_or_default()),
        None => format!("{job} {body}: given up after {runs} runs"),
    }
}

/// In order.
fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}
