//! Which rules there are on a terminal and its devices.

use std::collections::BTreeSet;

use domain::{
    Pid,
    alarm::{Target, owner, unowned},
};
use records::{Table, alarm_setups, alarms, alert_rules, protocols, users::User};

use super::service::sources;
use crate::{error::ApiError, routes::is_id, site::Site};

/// Whether a rule watches a terminal or one of its devices, or did: what it raised may stand.
pub(super) async fn watches(
    site: &Site,
    user: &User,
    (mac, pid): (&str, Option<Pid>),
    rule: &str,
) -> Result<bool, ApiError> {
    let table = &*site.table;
    let kind = unowned(rule);
    let common = [Target::Device, Target::Terminal].into_iter().flat_map(Target::common_rules);
    if common.into_iter().any(|common| *common == kind) {
        return Ok(true);
    }
    if let Some(id) = kind.strip_prefix("rule:").filter(|id| is_id(id)) {
        let asked = owner(rule).unwrap_or_else(|| user.user.clone());
        if alert_rules::get(table, &asked, id).await?.is_some_and(|made| made.rule.id == rule) {
            return Ok(true);
        }
    }
    let sources = sources(site, user, mac, pid).await?;
    let watches = alarms::watches(table, &sources.iter().collect()).await?;
    if watches.values().any(|watch| watch.state.lives.contains_key(rule)) {
        return Ok(true);
    }
    let terminal = site.terminal(user, mac).await?;
    let devices = terminal.devices.iter().filter(|device| pid.is_none_or(|pid| device.pid == pid));
    is_of_constants(table, devices.map(|device| device.protocol.as_str()).collect(), rule).await
}

/// Whether one of these protocols has constants, everybody's or the rule's owner's, that say it.
async fn is_of_constants(table: &dyn Table, spoken: BTreeSet<&str>, rule: &str) -> Result<bool, ApiError> {
    for protocol in spoken {
        let constants = match owner(rule) {
            Some(owner) => alarm_setups::get(table, &owner, protocol).await?.map(|setup| setup.constants),
            None => protocols::constants(table, protocol).await?,
        };
        let rules = constants.map_or_else(Vec::new, |constants| constants.rules().unwrap_or_default());
        if rules.iter().any(|known| known.id == unowned(rule)) {
            return Ok(true);
        }
    }
    Ok(false)
}
