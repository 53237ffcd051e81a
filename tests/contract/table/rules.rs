//! Alert rules: the largest change that there is goes through every table.

use domain::{
    Timestamp,
    alarm::{Condition, Rule, Severity, Target},
};
use records::alert_rules::{self, AlertRule, Change, Changed, MOST_AT_ONCE, Recipients, Scope, rule_id};

use super::Fixture;

fn rule(number: usize, version: u64) -> AlertRule {
    let id = format!("{number:026}");
    let missed = Condition::Missed { more_than: u32::try_from(version).unwrap() };
    AlertRule {
        name: id.clone(),
        owner: None,
        target: Target::Device,
        scope: Scope::Everywhere,
        replaces: None,
        enabled: true,
        recipients: Recipients::default(),
        rule: Rule::new(rule_id(None, &id), missed, Severity::Info),
        id,
        version,
        changed_at: Timestamp(0),
        changed_by: "root".to_owned(),
    }
}

pub(super) async fn as_many_rules_as_may_be_are_changed_at_once_all_or_none(fixture: Fixture) {
    let (table, now) = (fixture.table.as_ref(), Timestamp(1_800_000_000_000));
    let change = async |changes: Vec<Change>| alert_rules::change(table, &changes, now).await.unwrap();
    let all = || 0..MOST_AT_ONCE;
    assert_eq!(change(all().map(|number| Change::create(rule(number, 1))).collect()).await, Changed::Done);
    assert_eq!(change(vec![Change::replace(rule(7, 1), rule(7, 2))]).await, Changed::Done);
    assert_eq!(change(vec![Change::replace(rule(7, 1), rule(7, 2))]).await, Changed::Done, "as an earlier try left it");
    let stale = all().map(|number| Change::replace(rule(number, 1), AlertRule { enabled: false, ..rule(number, 2) }));
    assert_eq!(change(stale.collect()).await, Changed::Conflict);
    let stored = alert_rules::all(table).await.unwrap().into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    let expected: Vec<AlertRule> = all().map(|number| rule(number, if number == 7 { 2 } else { 1 })).collect();
    assert_eq!(stored, expected);
    let marker = alert_rules::marker(table).await.unwrap();
    assert_eq!((marker.version, marker.value.rules), (2, MOST_AT_ONCE), "what was refused moves nothing");
    assert_eq!(change(vec![Change::delete(rule(7, 2))]).await, Changed::Done);
    assert_eq!(alert_rules::get(table, "ann", &rule(7, 2).id).await.unwrap(), None);
    let last = alert_rules::last_version(table, &rule(7, 2).rule.id).await.unwrap();
    assert_eq!(last, Some(rule(7, 2)));
}
