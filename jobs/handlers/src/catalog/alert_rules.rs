//! The rules that people made, found by the devices that they watch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    DeviceId, Mac, Timestamp,
    alarm::{Rule, RuleId, RuleSet},
};
use records::{
    Table, TableError,
    alert_rules::{self, AlertRule, Recipients, Scope},
    terminals::Device,
};

use super::{FRESH, Model};

/// How many sets of rules are kept made. Devices that are watched alike share one.
const MOST_SETS: usize = 10_000;

/// A rule, and whose it is.
#[derive(Debug)]
pub(crate) struct Owned {
    /// Whose it is; none for everybody's.
    pub owner: Option<String>,
    /// What it watches.
    pub rule: Arc<Rule>,
}

/// Sets of rules that were made, each with the model that it was made by.
type Sets = HashMap<Watched, (Option<Arc<Model>>, RuleSet)>;

/// The rules that are in force, as of some change of them.
#[derive(Debug, Default)]
pub(crate) struct AlertRules {
    rules: Vec<Owned>,
    everywhere: Vec<usize>,
    of_protocol: HashMap<String, Vec<usize>>,
    of_type: HashMap<String, Vec<usize>>,
    of_terminal: HashMap<Mac, Vec<usize>>,
    of_device: HashMap<DeviceId, Vec<usize>>,
    recipients: HashMap<RuleId, Recipients>,
    sets: Mutex<Sets>,
}

/// What is watched on devices: those of which this is the same share a set of rules.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    /// The protocol they speak.
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
            if let Ok(AlertRule { rule, recipients, .. }) = &rule
                && !recipients.is_empty()
            {
                index.recipients.insert(rule.id.clone(), recipients.clone());
            }
            match rule {
                Ok(rule) if rule.enabled => index.add(rule),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "a stored alert rule cannot be used"),
            }
        }
        index
    }

    fn add(&mut self, AlertRule { scope, owner, rule, .. }: AlertRule) {
        let places = match scope {
            Scope::Everywhere => &mut self.everywhere,
            Scope::Protocol { protocol } => self.of_protocol.entry(protocol).or_default(),
            Scope::DeviceType { device_type } => self.of_type.entry(device_type).or_default(),
            Scope::Terminal { mac } => self.of_terminal.entry(mac).or_default(),
            Scope::Device(device) => self.of_device.entry(device).or_default(),
        };
        places.push(self.rules.len());
        self.rules.push(Owned { owner, rule: Arc::new(rule) });
    }

    /// The places of the rules whose scope holds a device, whoever's they are.
    pub(crate) fn concerning(&self, device: &DeviceId, mounted: &Device) -> impl Iterator<Item = usize> {
        let scopes = [
            Some(&self.everywhere),
            self.of_protocol.get(&mounted.protocol),
            self.of_type.get(&mounted.kind),
            self.of_terminal.get(&device.mac),
            self.of_device.get(device),
        ];
        scopes.into_iter().flatten().flatten().copied()
    }

    /// Who hears of what a rule raises beside those who see the devices. One that is disabled still ends its alarms.
    pub(crate) fn recipients(&self, rule: &str) -> Option<&Recipients> {
        self.recipients.get(rule)
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
        // A clock that was set back is no reason to ask no more.
        if known.asked.is_some_and(|asked| asked <= now && now.since(asked) < FRESH) {
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
mod tests {
    use domain::alarm::{Condition, Severity};
    use records::alert_rules::rule_id;

    use super::*;

    fn rule(id: &str, enabled: bool, scope: Scope) -> AlertRule {
        let rule = Rule::new(rule_id(None, id), Condition::Missed { more_than: 1 }, Severity::Info);
        let (name, by, at) = (id.to_owned(), "root".to_owned(), Timestamp(0));
        let id = id.to_owned();
        let recipients = Recipients::default();
        AlertRule {
            id,
            name,
            owner: None,
            scope,
            enabled,
            recipients,
            rule,
            version: 1,
            changed_at: at,
            changed_by: by,
        }
    }

    fn mounted(mac: &str, pid: u8, kind: &str) -> (DeviceId, Device) {
        let (model, kind, protocol) = ("m".to_owned(), kind.to_owned(), "p".to_owned());
        (DeviceId { mac: mac.parse().unwrap(), pid }, Device { pid, model, kind, protocol, min_interval_ms: 0 })
    }

    #[test]
    fn a_device_is_concerned_by_the_enabled_rules_of_its_scopes() {
        let (device, one) = mounted("AABBCCDDEE01", 1, "th");
        let mac = device.mac.clone();
        let rules = AlertRules::of(vec![
            Ok(rule("all", true, Scope::Everywhere)),
            Ok(rule("off", false, Scope::Everywhere)),
            Ok(rule("kind", true, Scope::DeviceType { device_type: "th".to_owned() })),
            Ok(rule("terminal", true, Scope::Terminal { mac })),
            Ok(rule("device", true, Scope::Device(device.clone()))),
            Err(TableError::Damaged("a rule".to_owned())),
        ]);
        let names = |device: &DeviceId, mounted: &Device| -> Vec<&str> {
            let places = rules.concerning(device, mounted).collect::<Vec<_>>();
            places.into_iter().map(|place| rules.at(place).unwrap().rule.id.as_str()).collect()
        };
        assert_eq!(names(&device, &one), ["rule:all", "rule:kind", "rule:terminal", "rule:device"]);
        let (other, ups) = mounted("AABBCCDDEE02", 1, "ups");
        assert_eq!(names(&other, &ups), ["rule:all"]);
    }

    #[test]
    fn what_is_watched_alike_is_made_once() {
        let rules = AlertRules::of(vec![Ok(rule("all", true, Scope::Everywhere))]);
        let watched =
            |places: &[usize]| Watched { protocol: "p".to_owned(), rules: places.to_vec(), setups: Vec::new() };
        let mut made = 0;
        for places in [&[0][..], &[0], &[], &[0]] {
            rules.set(watched(places), None, |_| {
                made += 1;
                RuleSet::default()
            });
        }
        assert_eq!(made, 2);
    }
}
