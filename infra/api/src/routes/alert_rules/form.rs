//! Rules as callers write them and see them.

use std::{fmt, time::Duration};

use domain::{
    alarm::{Condition, Flapping, Rule, Severity, Target},
    calendar::Calendar,
    time::as_millis,
};
use records::alert_rules::{self, Recipients, Scope};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::moment::Moment;

/// What a rule is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own, as callers write it")]
pub(crate) struct RuleForm {
    /// What people call it: 1 to 200 bytes.
    pub name: String,
    /// Whether it is everybody's: all who see a device are told of it. For administrators. Else it is your own, and told to
    /// you alone.
    #[serde(default)]
    pub everybody: bool,
    /// What it watches: `device` (also when absent), `terminal`, `node` or `platform`; the last two are for administrators.
    /// `GET /api/alerts/metrics` lists what each has.
    #[serde(default)]
    #[schema(value_type = String, example = "terminal")]
    pub target: Target,
    /// Which of those that you may see: `{"kind": "everywhere"}`; devices also by `{"kind": "protocol", "protocol": …}`,
    /// `{"kind": "device_type", "device_type": …}` or `{"kind": "device", "mac": …, "pid": …}`; devices and terminals by
    /// `{"kind": "terminal", "mac": …}`; whatever hangs on a node, and the node itself, by `{"kind": "node", "node": …}`; parts
    /// of the platform by `{"kind": "part", "part": "broker:8081"}`.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// The common rule whose place it takes, for you alone if it is your own: `offline`, `timeout`, `threshold:` or `state:` with
    /// a value's name, another of `GET /api/alerts/metrics`, or for your own `rule:` with the id of one of everybody's. While it
    /// is disabled or only tried out, the common rule stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "offline")]
    pub replaces: Option<String>,
    /// Whether it watches at all. True when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How much it matters, where the condition does not say it itself: `info`, `warning` or `critical`.
    #[schema(value_type = String, example = "warning")]
    pub severity: Severity,
    /// What is abnormal: `{"kind": "compare", "name": "temperature", "is": ">", "to": 30}` and the other conditions.
    #[schema(value_type = Object)]
    pub condition: Condition,
    /// How long it must be so before the alarm is raised, in milliseconds.
    #[serde(default, with = "as_millis")]
    #[schema(value_type = u64)]
    pub on_delay_ms: Duration,
    /// How long all must be well before the alarm ends, in milliseconds.
    #[serde(default, with = "as_millis")]
    #[schema(value_type = u64)]
    pub off_delay_ms: Duration,
    /// How long after an alarm was raised the next one is raised at the earliest, in milliseconds.
    #[serde(default, with = "as_millis")]
    #[schema(value_type = u64)]
    pub cooldown_ms: Duration,
    /// When it is watched, by the clocks of a place; always when absent:
    /// `{"zone": "Europe/Berlin", "hours": [{"days": ["mon"], "from": "22:00", "until": "06:00"}]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub schedule: Option<Calendar>,
    /// Who hears beside those who see the devices: `{"users": ["ann"], "rotas": ["01J…"]}`. For everybody's rules.
    #[serde(default, skip_serializing_if = "Recipients::is_empty")]
    #[schema(value_type = Option<Object>)]
    pub recipients: Recipients,
    /// Whether it is only tried out: what it raises is recorded, and nobody is told.
    #[serde(default)]
    pub shadow: bool,
    /// Whether its alarms stand until somebody resets them, also when the condition is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub latched: bool,
    /// How long an acknowledgement holds that says nothing of it, in milliseconds; for good when 0.
    #[serde(default, with = "as_millis", skip_serializing_if = "Duration::is_zero")]
    #[schema(value_type = u64)]
    pub acknowledged_for_ms: Duration,
    /// How long its alarms may be on the shelf, in milliseconds; 7 days when 0.
    #[serde(default, with = "as_millis", skip_serializing_if = "Duration::is_zero")]
    #[schema(value_type = u64)]
    pub most_shelved_ms: Duration,
    /// When it is told no more each time since it comes and goes; as the installation says when absent:
    /// `{"more_than": 5, "within_ms": 1800000, "calm_ms": 900000}`, never with `more_than` 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub flapping: Option<Flapping>,
}

fn yes() -> bool {
    true
}

// By way of its members, since serde does not say where in a condition, or in what lies behind a `flatten`, it met what it refuses.
impl<'de> Deserialize<'de> for RuleForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Map::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for RuleForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// What of a form cannot be read, each with its place.
#[derive(Debug)]
pub(super) struct Misread(Vec<String>);

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Misread {
    fn at(place: &str, fault: &serde_json::Error) -> Self {
        Self(vec![format!("{place}: {fault}")])
    }
}

impl RuleForm {
    fn read(members: Map<String, Value>) -> Result<Self, Misread> {
        let condition = members.get("condition").map(|written| Condition::misread(written, "condition"));
        if let Some(faults) = condition.filter(|faults| !faults.is_empty()) {
            return Err(Misread(faults));
        }
        let mut track = serde_path_to_error::Track::new();
        let written = serde_path_to_error::Deserializer::new(Value::Object(members), &mut track);
        Self::deserialize(written).map_err(|fault| match track.path().to_string().as_str() {
            // What is missing has no place.
            "." => Misread(vec![fault.to_string()]),
            place => Misread::at(place, &fault),
        })
    }

    /// What the machine is to watch. It has no id yet.
    pub(crate) fn rule(&self) -> Rule {
        Rule {
            id: String::new(),
            condition: self.condition.clone(),
            severity: self.severity,
            on_delay: self.on_delay_ms,
            off_delay: self.off_delay_ms,
            cooldown: self.cooldown_ms,
            schedule: self.schedule.clone(),
            shadow: self.shadow,
            latched: self.latched,
            acknowledged_for: self.acknowledged_for_ms,
            most_shelved: self.most_shelved_ms,
            flapping: self.flapping,
            version: None,
            changed_at: None,
        }
    }
}

impl RuleForm {
    /// The form of a rule about devices that is in force.
    pub(crate) fn of_rule(name: String, everybody: bool, scope: Scope, rule: Rule) -> Self {
        Self {
            name,
            everybody,
            target: Target::Device,
            scope,
            replaces: None,
            enabled: true,
            severity: rule.severity,
            condition: rule.condition,
            on_delay_ms: rule.on_delay,
            off_delay_ms: rule.off_delay,
            cooldown_ms: rule.cooldown,
            schedule: rule.schedule,
            recipients: Recipients::default(),
            shadow: rule.shadow,
            latched: rule.latched,
            acknowledged_for_ms: rule.acknowledged_for,
            most_shelved_ms: rule.most_shelved,
            flapping: rule.flapping,
        }
    }

    /// The same, that says another rule.
    pub(crate) fn with_rule(&self, rule: Rule) -> Self {
        let of_rule = Self::of_rule(self.name.clone(), self.everybody, self.scope.clone(), rule);
        let (replaces, recipients) = (self.replaces.clone(), self.recipients.clone());
        Self { target: self.target, replaces, enabled: self.enabled, recipients, ..of_rule }
    }
}

impl From<alert_rules::AlertRule> for RuleForm {
    fn from(stored: alert_rules::AlertRule) -> Self {
        let alert_rules::AlertRule { name, owner, target, scope, replaces, enabled, recipients, rule, .. } = stored;
        let replaces = replaces.map(|replaced| replaced.rule);
        Self { target, replaces, enabled, recipients, ..Self::of_rule(name, owner.is_none(), scope, rule) }
    }
}

/// What a rule is to be in place of what it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct Replacement {
    /// The version that it takes the place of.
    pub version: u64,
    /// What it is to be.
    #[serde(flatten)]
    pub form: RuleForm,
}

impl TryFrom<Map<String, Value>> for Replacement {
    type Error = Misread;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Misread> {
        let missing = || Misread(vec!["missing field `version`".to_owned()]);
        let version = serde_json::from_value(members.remove("version").ok_or_else(missing)?);
        let version = version.map_err(|fault| Misread::at("version", &fault))?;
        Ok(Self { version, form: RuleForm::read(members)? })
    }
}

/// A rule as it is exchanged.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct Exchanged {
    /// Its id where it was exported, which it keeps: a rule of this id that you may see is replaced. A new one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub form: RuleForm,
}

// A form whose members were flattened would take in those that it does not know.
impl TryFrom<Map<String, Value>> for Exchanged {
    type Error = Misread;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Misread> {
        let id = members.remove("id").map(serde_json::from_value).transpose();
        let id = id.map_err(|fault| Misread::at("id", &fault))?.flatten();
        Ok(Self { id, form: RuleForm::read(members)? })
    }
}

/// An alert rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertRule {
    /// Its id.
    id: String,
    /// Whose it is; null for everybody's.
    #[schema(required)]
    owner: Option<String>,
    /// Which writing of it this is, 1 for the first.
    version: u64,
    /// When it was changed last.
    changed_at: Moment,
    /// Who did that.
    changed_by: String,
    /// What it is.
    #[serde(flatten)]
    form: RuleForm,
    /// What is stored as it is, and can hardly be meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<String>,
}

impl AlertRule {
    /// The same, with what can hardly be meant of it.
    pub(super) fn warned(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }
}

impl From<alert_rules::AlertRule> for AlertRule {
    fn from(stored: alert_rules::AlertRule) -> Self {
        Self {
            id: stored.id.clone(),
            owner: stored.owner.clone(),
            version: stored.version,
            changed_at: Moment(stored.changed_at),
            changed_by: stored.changed_by.clone(),
            form: stored.into(),
            warnings: Vec::new(),
        }
    }
}
