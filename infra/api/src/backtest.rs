//! Backtests as a command line needs them: a rule out of a file, and what was found, drawn.

use domain::{
    Mac, Timestamp,
    alarm::{BadRule, Rule, Severity, Target},
    protocol::ProtocolDocument,
};
use engine_chart::{Band, Chart, Tone};
use jobs::backtest::{OfDevice, WouldHaveBeen};
use records::{
    Table, TableError,
    alert_rules::{Recipients, Scope, rule_id},
    terminals::{self, Terminal},
    users::{self, Role, User},
};

use crate::routes::{RuleForm, named_by_nothing};

/// A rule as `POST /api/alerts/rules` takes it, out of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOfFile {
    /// What people call it.
    pub name: String,
    /// Whether it watches devices.
    pub is_of_devices: bool,
    /// Which of them.
    pub scope: Scope,
    /// Who hears beside those who see them.
    pub recipients: Recipients,
    /// What is watched.
    pub rule: Rule,
}

/// Why a file is no rule.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// It is not of that form.
    #[error("it is no alert rule as POST /api/alerts/rules takes it")]
    Form(#[from] serde_json::Error),
    /// The rule makes no sense.
    #[error("the rule is wrong")]
    Rule(#[from] BadRule),
}

impl RuleOfFile {
    /// Reads one; `owner` is whose own it is where it is not everybody's.
    ///
    /// # Errors
    /// Where it is wrong.
    pub fn parse(json: &[u8], owner: Option<&str>) -> Result<Self, RuleFileError> {
        let form: RuleForm = serde_json::from_slice(json)?;
        let rule = Rule { id: rule_id(owner, "backtest"), ..form.rule() };
        rule.check()?;
        let RuleForm { name, target, scope, recipients, .. } = form;
        Ok(Self { name, is_of_devices: target == Target::Device, scope, recipients, rule })
    }

    /// What can hardly be meant of one about devices that speak these protocols.
    pub fn warnings(&self, spoken: &[ProtocolDocument]) -> Vec<String> {
        named_by_nothing(&self.rule.condition, spoken)
    }
}

/// The terminals that a rule is tried on: of those that the user may see, or of all where it is nobody's own, the one that is
/// named alone, where one is.
///
/// # Errors
/// The table's.
pub async fn tried_on(
    table: &dyn Table,
    user: Option<&User>,
    named: Option<&Mac>,
) -> Result<Vec<Terminal>, TableError> {
    let macs = match (named, user.filter(|user| user.role != Role::Admin)) {
        (None, None) => return terminals::all(table).await,
        (None, Some(user)) => users::terminals(table, &user.user).await?,
        (Some(mac), Some(user)) if !users::may_see(table, user, mac).await? => Vec::new(),
        (Some(mac), _) => vec![mac.clone()],
    };
    Ok(terminals::get_many(table, &macs).await?.into_values().collect())
}

/// The device with the most alarms, drawn as an SVG document; none where no device was looked at.
pub fn plot(found: &WouldHaveBeen, rule: &Rule, from: Timestamp, to: Timestamp) -> Option<String> {
    let chart = chart(found.devices.first()?, rule, from, to);
    chart.svg().inspect_err(|error| tracing::error!(%error, "a backtest was not drawn")).ok()
}

fn chart(device: &OfDevice, rule: &Rule, from: Timestamp, to: Timestamp) -> Chart {
    let name = device.trace.name();
    let bands = device.alarms.iter().map(|alarm| Band {
        from: alarm.raised.0,
        to: alarm.cleared.unwrap_or(to).0,
        tone: match alarm.severity {
            Severity::Info => Tone::Low,
            Severity::Warning => Tone::Middle,
            Severity::Critical => Tone::High,
        },
    });
    Chart {
        title: format!(
            "{}: {}, {} ({} alarms)",
            device.terminal,
            device.device,
            name.unwrap_or("—"),
            device.alarms.len()
        ),
        from: from.0,
        to: to.0,
        points: device.trace.points().map(|point| (point.at.0, point.least, point.greatest)).collect(),
        bands: bands.collect(),
        limits: name.map(|name| rule.condition.limits_of(name)).unwrap_or_default(),
    }
}
