//! What somebody makes of what was set up, while it plays.
//!
//! ```text
//! 0s  rule damp disabled
//! 0s  policy off
//! 0s  policy groups by cause
//! 0s  sensors removed
//! 0s  terminal moves to site north
//! ```

use domain::Source;
use records::{
    alarms,
    alert_rules::{self, AlertRule, Change, Scope},
    routing::{self, Policy},
    sites,
};
use serde_json::json;
use telltale_tests::flow::{device, mac};

use super::{Play, far};

impl Play {
    /// Plays a change of what was set up.
    pub(super) async fn edits(&self, what: &[&str]) {
        let table = self.flow.cx.table.as_ref();
        match what {
            ["policy", "deleted"] => {
                assert!(routing::delete::<Policy>(table, "policy", 1).await.unwrap());
            }
            ["policy", how @ ..] => self.change_policy(how).await,
            ["rule", name, "disabled"] => {
                let before = alert_rules::get(table, "root", name).await.unwrap().unwrap();
                let after = AlertRule { enabled: false, version: before.version + 1, ..before.clone() };
                self.change(Change::replace(before, after)).await;
            }
            ["sensors", "removed"] => {
                self.flow.sensors([]).await;
                for pid in 1..=4 {
                    alarms::end(table, &Source::Device(device(pid)), self.flow.now()).await.unwrap();
                }
            }
            ["terminal", "moves", "to", "site", site] => sites::put(table, &mac(), Some(site)).await.unwrap(),
            _ => panic!("nobody knows how to edit {what:?}"),
        }
    }

    /// The policy is off from now on, or only for another terminal, or groups otherwise.
    async fn change_policy(&self, how: &[&str]) {
        let table = self.flow.cx.table.as_ref();
        let mut policy = routing::get::<Policy>(table, "policy").await.unwrap().unwrap();
        policy.version += 1;
        match how {
            ["off"] => policy.value.enabled = false,
            ["narrowed"] => policy.value.scope = Scope::Terminal { mac: far() },
            ["groups", "by", by] => policy.value.group_by = serde_json::from_value(json!(by)).unwrap(),
            _ => panic!("a policy is not {how:?}"),
        }
        assert!(routing::put(table, &policy).await.unwrap());
    }
}
