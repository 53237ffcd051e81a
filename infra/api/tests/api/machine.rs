//! The alarm machine, stepped as a worker steps it.

use domain::{
    Source,
    alarm::{Evidence, Rule, RuleSet, step},
};
use records::{
    Table as _,
    alarms::{self, Grounds, Which},
};

use crate::site::Site;

/// Takes a step by one rule, and stores it.
pub(crate) async fn hears(site: &Site, source: &Source, rule: Rule, evidence: &Evidence) {
    let mut watch = alarms::watch(&*site.table, source).await.unwrap();
    let rules = RuleSet::from_iter([rule]);
    let stepped = step(&watch.value.state, &rules, evidence, site.now());
    let grounds = Grounds { rules: &rules, evidence, newer: &[] };
    let writes = alarms::put_step(&*site.table, grounds, &mut watch, stepped, site.now()).await.unwrap();
    assert!(site.table.transact(writes).await.unwrap().applied());
}

/// The newest alarm that is active.
pub(crate) async fn active(site: &Site) -> String {
    alarms::list(&*site.table, Which::Active, 10, None).await.unwrap().items.remove(0).id
}
