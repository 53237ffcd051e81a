//! What is watched on a source.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    DeviceId, Source,
    alarm::{Condition, Level, Rule, RuleSet, Severity, Target, metric},
};
use records::{
    nodes,
    terminals::{self, Terminal},
    users,
};

use crate::{
    Context, JobError,
    catalog::{AlertRules, Model, Watched},
    heartbeat,
};

/// The rules of a source; none when there is no such source any more.
pub(super) async fn rules(cx: &Context, source: &Source) -> Result<Option<RuleSet>, JobError> {
    let rules = undamped(cx, source).await?;
    Ok(rules.map(|rules| rules.damped(cx.settings.alarms.flapping())))
}

async fn undamped(cx: &Context, source: &Source) -> Result<Option<RuleSet>, JobError> {
    let table = cx.table.as_ref();
    match source {
        Source::Device(device) => rules_of_device(cx, source, device).await,
        Source::Terminal(mac) => {
            let Some(terminal) = terminals::get(table, mac).await? else { return Ok(None) };
            let common = [offline(cx)].into_iter().chain(of_sim(&terminal)).collect();
            Ok(Some(with_peoples(cx, source, Some(&terminal), common).await?))
        }
        Source::Node(name) => {
            if nodes::get(table, name).await?.is_none() {
                return Ok(None);
            }
            Ok(Some(with_peoples(cx, source, None, vec![offline(cx)]).await?))
        }
        source if *source == heartbeat::path() => {
            let silent = heartbeat::rule(&cx.settings.heartbeat).into_iter().collect();
            Ok(Some(with_peoples(cx, source, None, silent).await?))
        }
        // How long it must be away before anybody is told is for the part itself to know.
        Source::Platform(_) => {
            let away = Rule::new("away", Condition::Away, Severity::Critical);
            Ok(Some(with_peoples(cx, source, None, vec![away]).await?))
        }
    }
}

fn offline(cx: &Context) -> Rule {
    let debounce = Duration::from_millis(cx.settings.alarms.offline_debounce_ms);
    Rule::new("offline", Condition::Lost, Severity::Critical).held_for(debounce)
}

/// What is watched of a SIM whose plan has an end and is not renewed by itself.
fn of_sim(terminal: &Terminal) -> Vec<Rule> {
    if terminal.data_plan.as_ref().is_none_or(|plan| plan.renews_itself) {
        return Vec::new();
    }
    let below = |id: &str, name: &str, warning: f64, critical: f64, deadband: f64| {
        let level = |limit, severity| Level { limit, severity, deadband };
        let below = vec![level(warning, Severity::Warning), level(critical, Severity::Critical)];
        Rule::new(id, Condition::Levels { name: name.to_owned(), above: Vec::new(), below }, Severity::Warning)
    };
    vec![
        below("sim_expiry", metric::SIM_DAYS_LEFT.name, 30.0, 7.0, 0.0),
        // What carriers tell is rounded.
        below("data_left", metric::DATA_LEFT.name, 10.0, 3.0, 0.5),
    ]
}

/// What is watched on a source that speaks no protocol.
async fn with_peoples(
    cx: &Context,
    source: &Source,
    terminal: Option<&Terminal>,
    common: Vec<Rule>,
) -> Result<RuleSet, JobError> {
    let alert_rules = cx.alert_rules().await?;
    let watched = watched(cx, source, terminal, None, &alert_rules).await?;
    let common = RuleSet::from_iter(common);
    if watched.rules.is_empty() {
        return Ok(common);
    }
    let ids = common.rules().iter().map(|rule| rule.id.clone()).collect();
    let watched = Watched { common: ids, ..watched };
    Ok(alert_rules.set(watched, None, |watched| put_together(&common, &[], &alert_rules, watched)))
}

async fn rules_of_device(cx: &Context, source: &Source, device: &DeviceId) -> Result<Option<RuleSet>, JobError> {
    let terminal = terminals::get(cx.table.as_ref(), &device.mac).await?;
    let Some(mounted) = terminal.as_ref().and_then(|terminal| terminal.device(device.pid)) else {
        return Ok(None);
    };
    let model = cx.model(&mounted.protocol).await?;
    let model = model.as_ref();
    let alert_rules = cx.alert_rules().await?;
    let watched = watched(cx, source, terminal.as_ref(), model, &alert_rules).await?;
    if watched.rules.is_empty() && watched.setups.is_empty() {
        return Ok(Some(everybodys(cx, model)));
    }
    let watched = Watched { protocol: mounted.protocol.clone(), ..watched };
    Ok(Some(alert_rules.set(watched, model, |watched| {
        let setups = model.map_or(&[][..], |model| &model.setups).iter();
        let setups = setups.filter(|setup| watched.setups.contains(&setup.user)).flat_map(|setup| setup.rules.clone());
        put_together(&everybodys(cx, model), &setups.collect::<Vec<_>>(), &alert_rules, watched)
    })))
}

/// The common rules without those that another one of everybody's stands in for, what single people call normal, and what
/// people made.
fn put_together(common: &RuleSet, setups: &[Arc<Rule>], alert_rules: &AlertRules, watched: &Watched) -> RuleSet {
    let made = || watched.rules.iter().filter_map(|place| alert_rules.at(*place));
    let everybodys = made().filter(|owned| owned.owner.is_none());
    let replaced: BTreeSet<&str> =
        everybodys.filter_map(|owned| owned.replaces.as_ref()).map(|replaced| replaced.rule.as_str()).collect();
    let common = common.rules().iter().filter(|rule| !replaced.contains(rule.id.as_str()));
    RuleSet::new(common.chain(setups).chain(made().map(|owned| &owned.rule)).cloned())
}

/// What is watched on every device like this one.
fn everybodys(cx: &Context, model: Option<&Arc<Model>>) -> RuleSet {
    match model {
        Some(model) => model.everybodys(|| timeout(cx)).clone(),
        None => RuleSet::from_iter([timeout(cx)]),
    }
}

fn timeout(cx: &Context) -> Rule {
    let missed = Condition::Missed { more_than: cx.settings.alarms.misses_allowed };
    Rule::new("timeout", missed, Severity::Critical)
}

/// What is watched on a source beside that: what people made, and the setups, of those who see it. Where nobody has any of
/// their own, nothing is read.
async fn watched(
    cx: &Context,
    source: &Source,
    terminal: Option<&Terminal>,
    model: Option<&Arc<Model>>,
    alert_rules: &AlertRules,
) -> Result<Watched, JobError> {
    let places = alert_rules.concerning(source, terminal, model.map(AsRef::as_ref));
    let owner = |place: &usize| alert_rules.at(*place).and_then(|owned| owned.owner.as_deref());
    let setups = model.map_or(&[][..], |model| &model.setups).iter().map(|setup| setup.user.as_str());
    let users: BTreeSet<&str> = setups.clone().chain(places.iter().filter_map(owner)).collect();
    let users: Vec<&str> = users.into_iter().collect();
    let seers = match source.mac() {
        _ if users.is_empty() => BTreeSet::new(),
        Some(mac) => users::seers(cx.table.as_ref(), &users, mac).await?,
        None => users::admins(cx.table.as_ref(), &users).await?,
    };
    let setups = setups.filter(|user| seers.contains(*user)).map(str::to_owned).collect();
    let is_in_force = |place: &usize| owner(place).is_none_or(|owner| seers.contains(owner));
    let rules = places.iter().copied().filter(is_in_force).collect();
    Ok(Watched { target: Target::of(source), rules, setups, ..Watched::default() })
}
