//! Facts as the templates see them.

use std::time::Duration;

use domain::{
    Source,
    alarm::{Change, ChangeKind, Severity, Sight, unowned},
};
use records::facts::{Became, DisabledEndpoint, Facts, HeldBack, Instead, Kind, Part};
use serde::Serialize;

use super::{Button, ChartWords, Enclosed, Reader, clean::cleaned, seen::sights};

/// The most characters of what something is called.
pub(super) const MOST_NAME: usize = 120;
/// The most characters of what was seen.
pub(super) const MOST_DETAIL: usize = 400;
/// The most sources in one notice, and changes of one: of more it is said that there are more.
pub(super) const MOST: usize = 40;

/// A notice.
#[derive(Debug, Serialize)]
pub(super) struct NoticeView {
    kind: Kind,
    /// What it is about: `value`, `timeout`, `offline` or `platform`.
    about: &'static str,
    /// How much the worst of what is not over matters.
    severity: Option<Severity>,
    parts: Vec<PartView>,
    /// How many parts are not shown.
    more: usize,
    /// What people call the place of all of them, where there are several.
    place: Option<String>,
    count: u32,
    since: Option<String>,
    /// How long all of it lasted, in milliseconds; 0 where it is not over.
    lasted: u64,
    open: u32,
    held: Option<HeldBack>,
    instead: Option<Instead>,
    disabled: Option<DisabledEndpoint>,
    before: Vec<String>,
    zone: String,
    colour: &'static str,
    links: Vec<Button>,
    chart: Option<ChartWords>,
}

/// What it says of one source.
#[derive(Debug, Serialize)]
struct PartView {
    place: String,
    source: String,
    rows: Vec<Row>,
    became: Option<Became>,
}

/// One change.
#[derive(Debug, Serialize)]
struct Row {
    kind: ChangeKind,
    severity: Severity,
    at: String,
    /// Whether its alarm is over.
    over: bool,
    /// Whether it ended since nothing watches for it any more.
    unwatched: bool,
    /// How long it was so, in milliseconds.
    lasted: u64,
    /// Who did it, where somebody did.
    by: Option<String>,
    /// What people call the rule, where they made it.
    rule: Option<String>,
    sights: Vec<Sight>,
    colour: &'static str,
}

impl NoticeView {
    pub(super) fn new(facts: &Facts, reader: &Reader, enclosed: &Enclosed) -> Self {
        let part = |part: &Part| PartView::new(part, reader).of_rules(part, facts);
        let parts: Vec<PartView> = facts.parts.iter().take(MOST).map(part).collect();
        let name = |name: &str| cleaned(name, MOST_NAME);
        let said = |said: &str| cleaned(said, MOST_DETAIL);
        let instead = |instead: &Instead| Instead {
            user: instead.user.as_deref().map(name),
            channel: name(&instead.channel),
            said: said(&instead.said),
            ..instead.clone()
        };
        let disabled = |it: &DisabledEndpoint| DisabledEndpoint { name: name(&it.name), said: said(&it.said) };
        Self {
            kind: facts.kind,
            about: about(facts),
            severity: facts.changes().filter(|change| !change.ends()).map(|change| change.severity).max(),
            colour: colour_of(facts),
            more: facts.parts.len() - parts.len() + usize::try_from(facts.more).unwrap_or(usize::MAX),
            place: facts.place.as_deref().map(name),
            count: facts.count.unwrap_or_default(),
            lasted: facts.lasted_ms.filter(|_| facts.kind != Kind::Unwatched).unwrap_or_default(),
            open: facts.open,
            held: facts.held.clone(),
            instead: facts.instead.as_ref().map(instead),
            disabled: facts.disabled.as_ref().map(disabled),
            since: facts.since.map(|since| reader.time(since)),
            before: facts.before.iter().take(MOST).map(|person| name(person)).collect(),
            zone: reader.zone().to_owned(),
            links: enclosed.links.clone(),
            chart: enclosed.chart.clone().map(|chart| ChartWords { what: cleaned(&chart.what, MOST_NAME), ..chart }),
            parts,
        }
    }

    /// Without any words but those that others chose.
    pub(super) fn plain(&self) -> String {
        self.parts.iter().map(|part| part.place.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl PartView {
    fn new(part: &Part, reader: &Reader) -> Self {
        Self {
            place: cleaned(&part.place, MOST_NAME),
            source: cleaned(&part.source.to_string(), MOST_NAME),
            rows: part.changes.iter().take(MOST).map(|change| Row::new(change, reader)).collect(),
            became: part.became,
        }
    }

    /// The same, with what people call its rules.
    fn of_rules(mut self, part: &Part, facts: &Facts) -> Self {
        for (row, change) in self.rows.iter_mut().zip(&part.changes) {
            row.rule = facts.rules.get(&change.rule).map(|name| cleaned(name, MOST_NAME));
        }
        self
    }
}

impl Row {
    fn new(change: &Change, reader: &Reader) -> Self {
        Self {
            kind: change.kind,
            severity: change.severity,
            at: reader.time(change.at),
            over: change.ends() && !change.is_unwatched(),
            unwatched: change.is_unwatched(),
            lasted: change.lasted_ms.unwrap_or_else(|| millis(change.at.since(change.since))),
            by: change.by.as_deref().map(|by| cleaned(by, MOST_NAME)),
            rule: None,
            sights: sights(change, reader),
            colour: colour(change),
        }
    }
}

/// What all of the changes are about, if they are about the same.
fn about(facts: &Facts) -> &'static str {
    let mut all = facts.parts.iter().flat_map(|part| {
        let is_platform = matches!(part.source, Source::Platform(_));
        part.changes.iter().map(move |change| match unowned(&change.rule) {
            _ if is_platform => "platform",
            "timeout" => "timeout",
            "offline" => "offline",
            _ => "value",
        })
    });
    let first = all.next().unwrap_or("value");
    if all.all(|about| about == first) { first } else { "value" }
}

const WELL: &str = "#2e7d32";
const NEITHER: &str = "#1f6fb2";

fn colour_of(facts: &Facts) -> &'static str {
    match facts.kind {
        Kind::Recovered | Kind::PartlyRecovered | Kind::AlarmAndRecovery => WELL,
        Kind::Unwatched | Kind::Test | Kind::Digest | Kind::HeldBack | Kind::ChannelDisabled => NEITHER,
        _ => facts.changes().map(|change| change.severity).max().map_or("#b26a00", severity_colour),
    }
}

fn colour(change: &Change) -> &'static str {
    match change {
        change if change.is_unwatched() => NEITHER,
        change if change.ends() => WELL,
        change => severity_colour(change.severity),
    }
}

fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "#1f6fb2",
        Severity::Warning => "#a85f00",
        Severity::Critical => "#c62828",
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
