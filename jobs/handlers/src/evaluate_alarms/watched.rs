//! What is watched on a source.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    DeviceId, Source,
    alarm::{Condition, Rule, RuleSet, Severity},
};
use records::{
    nodes,
    terminals::{self, Device},
    users,
};

use crate::{
    Context, JobError,
    catalog::{AlertRules, Model, Watched},
};

/// The rules of a source; none when there is no such source any more.
pub(super) async fn rules(cx: &Context, source: &Source) -> Result<Option<RuleSet>, JobError> {
    let rules = undamped(cx, source).await?;
    Ok(rules.map(|rules| rules.damped(cx.settings.alarms.flapping())))
}

async fn undamped(cx: &Context, source: &Source) -> Result<Option<RuleSet>, JobError> {
    let table = cx.table.as_ref();
    let is_there = match source {
        Source::Device(device) => return rules_of_device(cx, device).await,
        Source::Terminal(mac) => terminals::get(table, mac).await?.is_some(),
        Source::Node(name) => nodes::get(table, name).await?.is_some(),
        // How long it must be away before anybody is told is for the part itself to know.
        Source::Platform(_) => {
            return Ok(Some(RuleSet::from_iter([Rule::new("away", Condition::Away, Severity::Critical)])));
        }
    };
    let debounce = Duration::from_millis(cx.settings.alarms.offline_debounce_ms);
    let offline = || Rule::new("offline", Condition::Lost, Severity::Critical).held_for(debounce);
    Ok(is_there.then(|| RuleSet::from_iter([offline()])))
}

async fn rules_of_device(cx: &Context, device: &DeviceId) -> Result<Option<RuleSet>, JobError> {
    let terminal = terminals::get(cx.table.as_ref(), &device.mac).await?;
    let Some(mounted) = terminal.as_ref().and_then(|terminal| terminal.device(device.pid)) else {
        return Ok(None);
    };
    let model = cx.model(&mounted.protocol).await?;
    let model = model.as_ref();
    let alert_rules = cx.alert_rules().await?;
    let watched = watched(cx, device, mounted, model, &alert_rules).await?;
    if watched.rules.is_empty() && watched.setups.is_empty() {
        return Ok(Some(everybodys(cx, model)));
    }
    Ok(Some(alert_rules.set(watched, model, |watched| {
        let setups = model.map_or(&[][..], |model| &model.setups).iter();
        let setups = setups.filter(|setup| watched.setups.contains(&setup.user)).flat_map(|setup| &setup.rules);
        let made = watched.rules.iter().filter_map(|place| alert_rules.at(*place)).map(|owned| &owned.rule);
        RuleSet::new(everybodys(cx, model).rules().iter().chain(setups).chain(made).cloned())
    })))
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

/// What is watched on a device beside that: what people made, and the setups, of those who see the device. Where nobody
/// has any of their own, nothing is read.
async fn watched(
    cx: &Context,
    device: &DeviceId,
    mounted: &Device,
    model: Option<&Arc<Model>>,
    alert_rules: &AlertRules,
) -> Result<Watched, JobError> {
    let places: Vec<usize> = alert_rules.concerning(device, mounted).collect();
    let owner = |place: &usize| alert_rules.at(*place).and_then(|owned| owned.owner.as_deref());
    let setups = model.map_or(&[][..], |model| &model.setups).iter().map(|setup| setup.user.as_str());
    let users: BTreeSet<&str> = setups.clone().chain(places.iter().filter_map(owner)).collect();
    let seers = if users.is_empty() {
        BTreeSet::new()
    } else {
        let users: Vec<&str> = users.iter().copied().collect();
        users::seers(cx.table.as_ref(), &users, &device.mac).await?
    };
    let setups = setups.filter(|user| seers.contains(*user)).map(str::to_owned).collect();
    let is_in_force = |place: &usize| owner(place).is_none_or(|owner| seers.contains(owner));
    let rules = places.iter().copied().filter(is_in_force).collect();
    Ok(Watched { protocol: mounted.protocol.clone(), rules, setups })
}
