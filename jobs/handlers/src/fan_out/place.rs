//! What belongs together, and what people call it.

use std::collections::BTreeMap;

use domain::{
    Source,
    alarm::{Change, unowned},
};
use records::{Table, TableError, alarms::Transition, incidents, routing::GroupBy, sites, terminals::Terminal};

use crate::Context;

/// What people call a source.
pub(crate) fn of(source: &Source, terminal: Option<&Terminal>) -> String {
    match (source, terminal) {
        (Source::Device(device), Some(terminal)) => {
            let model = terminal.device(device.pid).map_or("?", |mounted| mounted.model.as_str());
            format!("{} / {} {model}", terminal.name, device.pid)
        }
        (Source::Terminal(_), Some(terminal)) => terminal.name.clone(),
        // Its name is what people call it.
        (Source::Node(name), _) => name.clone(),
        (Source::Platform(need), _) => format!("{} / {}", need.part, need.needs),
        (source, _) => source.to_string(),
    }
}

/// What belongs together, and what people call it.
pub(crate) type Group = (String, String);

/// The groups of what changed, by the alarms. An alarm stays in the group in which it began, whatever becomes of its policy or its
/// place: who heard of it there hears of the rest there.
pub(super) async fn kept(
    cx: &Context,
    transition: &Transition,
    (by, at): (GroupBy, At<'_>),
) -> Result<BTreeMap<String, Group>, TableError> {
    let (table, now, rules) = (cx.table.as_ref(), cx.clock.now(), cx.alert_rules().await?);
    let mut kept = BTreeMap::new();
    for change in &transition.changes {
        let known = if change.is_first() { None } else { incidents::group_of(table, change.told_as()).await? };
        let is_known = known.is_some() && change.goes_on_as() == change.told_as();
        let mut own = known.unwrap_or_else(|| group(by, (&transition.source, &change.rule), at));
        if !change.ends() && !is_known {
            let stands_in_for = rules.stands_in_for(&change.rule, change.since);
            own = incidents::keep_group(table, change.goes_on_as(), (own, stands_in_for), now).await?;
        }
        kept.insert(change.alarm.clone(), own);
    }
    Ok(kept)
}

/// Where a source is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct At<'a> {
    /// Its terminal, if it has one.
    pub(crate) terminal: Option<&'a Terminal>,
    /// The terminal's site, as far as [`site_of`] tells it.
    pub(crate) site: Option<&'a str>,
}

/// The site of a source, where that is asked for.
pub(crate) async fn site_of(table: &dyn Table, by: GroupBy, source: &Source) -> Result<Option<String>, TableError> {
    match (by, source.mac()) {
        (GroupBy::Site, Some(mac)) => sites::of(table, mac).await,
        _ => Ok(None),
    }
}

/// The groups of what changed on a source, each with what people call it.
pub(crate) fn groups(
    by: GroupBy,
    (source, changes): (&Source, &[Change]),
    at: At<'_>,
) -> BTreeMap<(String, String), Vec<Change>> {
    let mut groups: BTreeMap<(String, String), Vec<Change>> = BTreeMap::new();
    for change in changes {
        groups.entry(group(by, (source, &change.rule), at)).or_default().push(change.clone());
    }
    groups
}

/// The group of what a rule raises on a source, and what people call it.
pub(crate) fn group(by: GroupBy, (source, rule): (&Source, &str), At { terminal, site }: At<'_>) -> (String, String) {
    let called = || of(source, terminal);
    let rule = unowned(rule);
    match (by, terminal) {
        (GroupBy::Site, _) => match site {
            Some(site) => (format!("site:{site}"), site.to_owned()),
            None => cause(source, terminal),
        },
        (GroupBy::Cause, _) | (GroupBy::Node, None) => cause(source, terminal),
        (GroupBy::Node, Some(terminal)) => (Source::Node(terminal.node.clone()).to_string(), terminal.node.clone()),
        (GroupBy::Source, _) => (format!("source:{source}"), called()),
        (GroupBy::Rule, _) => (format!("rule:{rule}"), rule.to_owned()),
        (GroupBy::Nothing, _) => (format!("condition:{source} {rule}"), called()),
    }
}

/// The group of a source, and what people call that: what a terminal's devices say belongs together, and so do the terminals of
/// a node.
fn cause(source: &Source, terminal: Option<&Terminal>) -> (String, String) {
    match (source, terminal) {
        (Source::Device(device), terminal) => {
            let mac = Source::Terminal(device.mac.clone()).to_string();
            (mac.clone(), terminal.map_or(mac, |terminal| terminal.name.clone()))
        }
        (Source::Terminal(_), Some(terminal)) => {
            (Source::Node(terminal.node.clone()).to_string(), terminal.node.clone())
        }
        (Source::Platform(need), _) => (format!("platform:{}", need.part), need.part.clone()),
        (source, terminal) => (source.to_string(), of(source, terminal)),
    }
}
