//! The rules that people made, found by the devices that they watch.

mod scoped;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Source, Timestamp,
    alarm::{Rule, RuleId, RuleSet, Target},
};
use records::{
    Table, TableError,
    alert_rules::{self, AlertRule, Recipients, Replaced, Scope},
    terminals::Terminal,
};

use super::{Model, Setup, is_fresh};
use scoped::Scoped;

/// How many sets of rules are kept made. Devices that are watched alike share one.
const MOST_SETS: usize = 10_000;

/// A rule, and whose it is.
#[derive(Debug)]
pub(crate) struct Owned {
    /// Whose it is; none for everybody's.
    pub owner: Option<String>,
    /// What it watches.
    pub rule: Arc<Rule>,
    /// The common rule whose place it takes.
    pub replaces: Option<Replaced>,
}

/// Sets of rules that were made, each with the model that it was made by.
type Sets = HashMap<Watched, (Option<Arc<Model>>, RuleSet)>;

/// The rules that are in force, as of some change of them.
#[derive(Debug, Default)]
pub(crate) struct AlertRules {
    rules: Vec<Owned>,
    recipients: HashMap<RuleId, Recipients>,
    /// Those that look at no value, but at silence and absence.
    of_connections: BTreeSet<RuleId>,
    /// What people call them, also those that are disabled.
    names: HashMap<RuleId, String>,
    /// The common rules that everybody's stand in for, also those that are disabled.
    stands_in_for: HashMap<RuleId, Replaced>,
    by_scope: HashMap<(Target, Scope), Scoped>,
    sets: Mutex<Sets>,
}

/// What is watched on sources: those of which this is the same share a set of rules.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    /// What they are.
    pub target: Target,
    /// What they have of their own to be watched.
    pub common: Vec<RuleId>,
    /// The protocol they speak; empty where none is spoken.
    pub protocol: String,
    /// The rules that people made, by their places.
    pub rules: Vec<usize>,
    /// Those who have a setup of their own.
    pub setups: Vec<String>,
}

impl AlertRules {
    fn of(stored: Vec<Result<AlertRule, TableError>>) -> Self {
        let mut index = Self::default();
        for rule in stored {
            if let Ok(AlertRule { rule, name, .. }) = &rule {
                index.names.insert(rule.id.clone(), name.clone());
                if rule.condition.names().is_empty() {
                    index.of_connections.insert(rule.id.clone());
                }
            }
            if let Ok(AlertRule { rule, recipients, .. }) = &rule
                && !recipients.is_empty()
            {
                index.recipients.insert(rule.id.clone(), recipients.clone());
            }
            if let Ok(AlertRule { rule, owner: None, replaces: Some(replaced), .. }) = &rule {
                index.stands_in_for.insert(rule.id.clone(), replaced.clone());
            }
            match rule {
                Ok(rule) if rule.enabled => index.add(rule),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "a stored alert rule cannot be used"),
            }
        }
        index
    }

    fn add(&mut self, stored: AlertRule) {
        let replaces = stored.in_place_of().cloned();
        let AlertRule { target, scope, owner, rule, version, changed_at, .. } = stored;
        self.by_scope.entry((target, scope)).or_default().add(self.rules.len(), &rule.condition);
        let rule = Rule { version: Some(version), changed_at: Some(changed_at), ..rule };
        self.rules.push(Owned { owner, rule: Arc::new(rule), replaces });
    }

    /// The places of the rules whose scope holds a source, and that look at something it has, whoever's they are. Of a device or a
    /// terminal, `terminal` is that, and `model` what the device speaks: where that is not known, so is not what it has.
    pub(crate) fn concerning(&self, source: &Source, terminal: Option<&Terminal>, model: Option<&Model>) -> Vec<usize> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let target = Target::of(source);
        let values = match (source, model) {
            (Source::Device(_), None) => None,
            (_, model) => Some(values(target, model)),
        };
        let mut scopes = vec![Scope::Everywhere];
        match source {
            Source::Device(device) => {
                if let Some(mounted) = terminal.and_then(|terminal| terminal.device(device.pid)) {
                    scopes.push(Scope::Protocol { protocol: mounted.protocol.clone() });
                    scopes.push(Scope::DeviceType { device_type: mounted.kind.clone() });
                }
            }
            Source::Terminal(_) => {}
            Source::Node(node) => scopes.push(Scope::Node { node: node.clone() }),
            Source::Platform(need) => scopes.push(Scope::Part { part: need.part.clone() }),
        }
        scopes.extend(terminal.map(|terminal| Scope::Node { node: terminal.node.clone() }));
        scopes.extend(source.mac().map(|mac| Scope::Terminal { mac: mac.clone() }));
        if let Source::Device(device) = source {
            scopes.push(Scope::Device(device.clone()));
        }
        let of_scopes = scopes.into_iter().filter_map(|scope| self.by_scope.get(&(target, scope)));
        of_scopes.flat_map(|of_scope| of_scope.looking_at(values.as_deref())).collect()
    }

    /// What single people put in the place of common rules on a source.
    pub(crate) fn replacing(&self, source: &Source, terminal: Option<&Terminal>, model: Option<&Model>) -> Vec<Setup> {
        let places = self.concerning(source, terminal, model).into_iter().filter_map(|place| self.at(place));
        let own = places.filter_map(|owned| Some((owned.owner.clone()?, owned.replaces.clone()?)));
        let setup =
            |(user, Replaced { rule, since })| Setup { user, since, replaces: [rule].into(), rules: Vec::new() };
        own.map(setup).collect()
    }

    /// The common rule that one of everybody's stood in for at that time, and does still. One that is disabled still ends its alarms.
    pub(crate) fn stands_in_for(&self, rule: &str, at: Timestamp) -> Option<&RuleId> {
        self.stands_in_for.get(rule).filter(|replaced| replaced.since < at).map(|replaced| &replaced.rule)
    }

    /// Who hears of what a rule raises beside those who see the devices. One that is disabled still ends its alarms.
    pub(crate) fn recipients(&self, rule: &str) -> Option<&Recipients> {
        self.recipients.get(rule)
    }

    /// Whether a rule that people made looks at no value, but at silence and absence. One that is disabled still ends its alarms.
    pub(crate) fn is_of_connections(&self, rule: &str) -> bool {
        self.of_connections.contains(rule)
    }

    /// What people call those of some rules that they made.
    pub(crate) fn names_of<'a>(&self, rules: impl Iterator<Item = &'a str>) -> BTreeMap<RuleId, String> {
        let known = rules.filter_map(|rule| self.names.get_key_value(rule));
        known.map(|(rule, name)| (rule.clone(), name.clone())).collect()
    }

    /// The rule at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Owned> {
        self.rules.get(place)
    }

    /// The set of rules that is watched so, made by `rules` where there is none of this model yet.
    pub(crate) fn set(
        &self,
        watched: Watched,
        model: Option<&Arc<Model>>,
        rules: impl FnOnce(&Watched) -> RuleSet,
    ) -> RuleSet {
        let is_of_model = |known: &Option<Arc<Model>>| known.as_ref().map(Arc::as_ptr) == model.map(Arc::as_ptr);
        if let Some((_, set)) = self.sets().get(&watched).filter(|(known, _)| is_of_model(known)) {
            return set.clone();
        }
        let set = rules(&watched);
        let mut sets = self.sets();
        if sets.len() >= MOST_SETS {
            sets.clear();
        }
        sets.insert(watched, (model.cloned(), set.clone()));
        set
    }

    fn sets(&self) -> MutexGuard<'_, Sets> {
        // A panic while the lock was held cannot have left the map half changed.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of what a target has: the metrics of its kind, and what a device's protocol tells of.
fn values(target: Target, model: Option<&Model>) -> Vec<&str> {
    let told = model.into_iter().flat_map(|model| &model.values).map(String::as_str);
    told.chain(target.metrics().iter().map(|metric| metric.name)).collect()
}

/// The rules as they were read last.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// When the table was asked whether they changed.
    asked: Option<Timestamp>,
    /// The marker's version then.
    version: u64,
    rules: Arc<AlertRules>,
}

impl Known {
    /// The rules in force. The table is asked once in a while whether they changed, and for them only if so.
    pub(super) async fn current(
        shared: &Mutex<Self>,
        table: &dyn Table,
        now: Timestamp,
    ) -> Result<Arc<AlertRules>, TableError> {
        let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().clone();
        if known.asked.is_some_and(|asked| is_fresh(asked, now)) {
            return Ok(known.rules);
        }
        // What changes after the marker was read moves it once more.
        let version = alert_rules::marker(table).await?.version;
        let rules = if version == known.version {
            known.rules
        } else {
            Arc::new(AlertRules::of(alert_rules::all(table).await?))
        };
        let mut known = lock();
        // Another may have read the same meanwhile: then what was made of that stays. If it saw more, so do we next time.
        if version == known.version {
            known.asked = Some(now);
        } else {
            *known = Self { asked: Some(now), version, rules };
        }
        Ok(Arc::clone(&known.rules))
    }
}

#[cfg(test)]
mod tests;
