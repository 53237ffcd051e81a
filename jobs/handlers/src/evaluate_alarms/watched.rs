//! What is watched on a source.

use std::{sync::Arc, time::Duration};

use domain::{
    DeviceId, Source,
    alarm::{Condition, Rule, RuleSet, Severity},
};
use records::{nodes, terminals, users};

use crate::{Context, JobError, catalog::Model};

/// The rules of a source; none when there is no such source any more.
pub(super) async fn rules(cx: &Context, source: &Source) -> Result<Option<RuleSet>, JobError> {
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
    let Some(model) = cx.model(&mounted.protocol).await? else {
        return Ok(Some(RuleSet::from_iter([timeout(cx)])));
    };
    let everybodys = model.everybodys(|| timeout(cx));
    let personal = personal_rules(cx, &model, device).await?;
    if personal.is_empty() {
        return Ok(Some(everybodys.clone()));
    }
    Ok(Some(RuleSet::new(everybodys.rules().iter().cloned().chain(personal))))
}

fn timeout(cx: &Context) -> Rule {
    let missed = Condition::Missed { more_than: cx.settings.alarms.misses_allowed };
    Rule::new("timeout", missed, Severity::Critical)
}

/// The rules of those who see the device and have their own. Where nobody has, nothing is read.
async fn personal_rules(cx: &Context, model: &Model, device: &DeviceId) -> Result<Vec<Arc<Rule>>, JobError> {
    if model.setups.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<&str> = model.setups.iter().map(|setup| setup.user.as_str()).collect();
    let seers = users::seers(cx.table.as_ref(), &users, &device.mac).await?;
    let theirs = model.setups.iter().filter(|setup| seers.contains(&setup.user));
    Ok(theirs.flat_map(|setup| setup.rules.iter().cloned()).collect())
}
