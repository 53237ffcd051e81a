//! What is normal for the devices of a protocol, as users write and exchange it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Fault, OperationDocument, ProtocolDocument, ProtocolError,
    document::{or_default, text_or_number, texts},
    repeated,
};
use crate::alarm::{Condition, Rule, RuleId, Severity, Wrong};

/// The constants of a protocol. Only what is watched or operated is read; display settings are passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConstantsDocument {
    /// The protocol's name.
    pub protocol: String,
    /// The limits of numbers.
    #[serde(default, deserialize_with = "or_default")]
    pub threshold: Vec<ThresholdDocument>,
    /// The normal states.
    #[serde(default, deserialize_with = "or_default")]
    pub alarm_stat: Vec<StateDocument>,
    /// What the devices may be told to do.
    #[serde(
        rename = "OprateInstruct",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub operations: Vec<OperationDocument>,
}

/// The limits of one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdDocument {
    /// The value's name.
    pub name: String,
    /// The least normal value.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest normal value.
    #[serde(default)]
    pub max: Option<f64>,
    /// How far inside the limits a value must come back before its alarm ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadband: Option<f64>,
}

/// The normal states of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateDocument {
    /// The value's name.
    pub name: String,
    /// A value it had when the document was written.
    #[serde(default, deserialize_with = "text_or_number")]
    pub value: String,
    /// Its states in words.
    #[serde(default, deserialize_with = "or_default")]
    pub unit: String,
    /// The NORMAL raw values; when there are none, the value is not watched.
    #[serde(default, deserialize_with = "texts")]
    pub alarm_stat: Vec<String>,
}

impl ConstantsDocument {
    /// The rules that watch these constants: `threshold:<name>` and `state:<name>`, warnings without delay.
    pub fn rules(&self) -> Result<Vec<Rule>, ProtocolError> {
        let thresholds = self.threshold.iter().enumerate();
        let thresholds =
            thresholds.map(|(index, threshold)| threshold.rule().map_err(|bad| wrong("Threshold", index, bad)));
        let states = self.alarm_stat.iter().enumerate().filter(|(_, state)| !state.alarm_stat.is_empty());
        let states = states.map(|(index, state)| state.rule().map_err(|bad| wrong("AlarmStat", index, bad)));
        let rules = thresholds.chain(states).collect::<Result<Vec<_>, _>>()?;
        match repeated(rules.iter().map(|rule| &rule.id)) {
            Some(id) => Err(ProtocolError::at("Threshold, AlarmStat", Fault::Repeated(id.clone()))),
            None => Ok(rules),
        }
    }

    /// What is wrong with it for the devices of this protocol, though it can be stored: what watches a value that they do not
    /// have never raises an alarm.
    pub fn blind_spots(&self, protocol: &ProtocolDocument) -> Vec<String> {
        let asked = protocol.instruct.iter().filter(|instruct| instruct.is_use);
        let values: BTreeSet<&str> =
            asked.flat_map(|instruct| &instruct.form_resize).map(|field| field.name.as_str()).collect();
        let thresholds = self.threshold.iter().map(|threshold| ("Threshold", &threshold.name));
        let states = self.alarm_stat.iter().filter(|state| !state.alarm_stat.is_empty());
        let states = states.map(|state| ("AlarmStat", &state.name));
        let blind = thresholds.chain(states).filter(|(_, name)| !values.contains(name.as_str()));
        blind.map(|(list, name)| format!("{list} {name:?} watches nothing: the protocol has no such value")).collect()
    }

    /// That every operation has a name of its own and something to send.
    pub fn check_operations(&self) -> Result<(), ProtocolError> {
        let at = |index: usize, fault| Err(ProtocolError::at(format!("OprateInstruct[{index}]"), fault));
        for (index, operation) in self.operations.iter().enumerate() {
            if operation.name.trim().is_empty() {
                return at(index, Fault::NoName);
            }
            if operation.value.trim().is_empty() {
                return at(index, Fault::Command(operation.value.clone()));
            }
        }
        match repeated(self.operations.iter().map(|operation| &operation.name)) {
            Some(name) => Err(ProtocolError::at("OprateInstruct", Fault::Repeated(name.clone()))),
            None => Ok(()),
        }
    }

    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&OperationDocument> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The names of everything it speaks of, watched or not.
    pub fn rule_ids(&self) -> BTreeSet<RuleId> {
        let thresholds = self.threshold.iter().map(|threshold| threshold_id(&threshold.name));
        thresholds.chain(self.alarm_stat.iter().map(|state| state_id(&state.name))).collect()
    }
}

fn threshold_id(name: &str) -> RuleId {
    format!("threshold:{name}")
}

fn state_id(name: &str) -> RuleId {
    format!("state:{name}")
}

impl ThresholdDocument {
    fn rule(&self) -> Result<Rule, Wrong> {
        let Self { name, min, max, deadband } = self.clone();
        warning(threshold_id(&name), Condition::Outside { name, min, max, deadband: deadband.unwrap_or(0.0) })
    }
}

impl StateDocument {
    fn rule(&self) -> Result<Rule, Wrong> {
        let Self { name, alarm_stat: normal, .. } = self.clone();
        warning(state_id(&name), Condition::NotIn { name, normal })
    }
}

fn warning(id: String, condition: Condition) -> Result<Rule, Wrong> {
    let rule = Rule::new(id, condition, Severity::Warning);
    rule.check().map(|()| rule).map_err(|bad| bad.wrong)
}

fn wrong(list: &str, index: usize, bad: Wrong) -> ProtocolError {
    ProtocolError::at(format!("{list}[{index}]"), Fault::Rule(bad))
}
