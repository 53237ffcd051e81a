//! What is watched in a play.

use domain::alarm::{Comparison, Condition, Level, Rule, Severity, Target};
use records::{
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Scope, rule_id},
    protocols, terminals,
};
use serde_json::{Value, json};
use telltale_tests::flow::mac;

use super::Play;

impl Play {
    /// Four sensors, which are too hot above 30 (critical), too cold below 5 (for information), and too damp above 70 (a warning).
    pub(super) async fn furnish(&self) {
        let table = self.flow.cx.table.as_ref();
        let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
        let protocol = &terminal.devices[0].protocol;
        let constants = json!({ "Protocol": protocol });
        protocols::put_constants(table, &serde_json::from_value(constants).unwrap()).await.unwrap();
        self.flow.sensors(1..=4).await;
        let above = |name: &str, is, to| Condition::Compare { name: name.to_owned(), is, to, deadband: 0.0 };
        self.rule(None, "hot", above("temperature", Comparison::Greater, 30.0), Severity::Critical).await;
        self.rule(None, "cold", above("temperature", Comparison::Less, 5.0), Severity::Info).await;
        self.rule(None, "damp", above("humidity", Comparison::Greater, 70.0), Severity::Warning).await;
    }

    /// A temperature above 21 is a warning, one above 28 critical.
    pub(in crate::routing) async fn levels(&self) {
        let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
        let above = vec![level(21.0, Severity::Warning), level(28.0, Severity::Critical)];
        let levels = Condition::Levels { name: "temperature".to_owned(), above, below: Vec::new() };
        self.rule(None, "warm", levels, Severity::Warning).await;
    }

    /// A rule of everybody's, or of a user's own.
    pub(in crate::routing) async fn rule(
        &self,
        owner: Option<&str>,
        name: &str,
        condition: Condition,
        severity: Severity,
    ) {
        let rule = AlertRule {
            id: name.to_owned(),
            name: name.to_owned(),
            owner: owner.map(str::to_owned),
            target: Target::Device,
            replaces: None,
            scope: Scope::Everywhere,
            enabled: true,
            recipients: Recipients::default(),
            rule: Rule::new(rule_id(owner, name), condition, severity),
            version: 1,
            changed_at: self.flow.now(),
            changed_by: "root".to_owned(),
        };
        self.change(Change::create(rule)).await;
    }

    pub(super) async fn change(&self, change: Change) {
        let changed = alert_rules::change(self.flow.cx.table.as_ref(), &[change], self.flow.now()).await.unwrap();
        assert_eq!(changed, Changed::Done);
    }

    /// What a rule raises is also told to these.
    pub(in crate::routing) async fn recipients(&self, rule: &str, recipients: Value) {
        let before = alert_rules::get(self.flow.cx.table.as_ref(), "root", rule).await.unwrap().unwrap();
        let recipients = serde_json::from_value(recipients).unwrap();
        let after = AlertRule { recipients, version: before.version + 1, ..before.clone() };
        self.change(Change::replace(before, after)).await;
    }
}
