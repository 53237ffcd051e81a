//! The rules of a source, found by the names of the values that they look at.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use super::{Fact, Flapping, Observed, Rule, RuleId, SourceState};

/// The rules that are watched on a source, in their order. Cheap to clone. What a fact costs does not grow with the rules that it
/// says nothing about.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    inner: Arc<Inner>,
    flapping: Flapping,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Arc<Rule>>,
    /// What tells their conditions apart, once somebody asked.
    marks: Vec<OnceLock<String>>,
    by_id: HashMap<RuleId, usize>,
    by_name: HashMap<String, Vec<usize>>,
    /// Those that may speak of any fact: of silences, of the link.
    of_any_fact: Vec<usize>,
}

impl RuleSet {
    /// A set of rules. Of two with the same id the later one counts.
    pub fn new(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        let mut inner = Inner::default();
        for rule in rules {
            if let Some(place) = inner.by_id.get(&rule.id) {
                inner.rules[*place] = rule;
                continue;
            }
            inner.by_id.insert(rule.id.clone(), inner.rules.len());
            inner.rules.push(rule);
        }
        inner.marks.resize_with(inner.rules.len(), OnceLock::new);
        for (place, rule) in inner.rules.iter().enumerate() {
            let names: BTreeSet<&str> = rule.condition.names().into_iter().collect();
            for name in names {
                inner.by_name.entry(name.to_owned()).or_default().push(place);
            }
            if rule.condition.is_of_any_fact() {
                inner.of_any_fact.push(place);
            }
        }
        Self { inner: Arc::new(inner), flapping: Flapping::default() }
    }

    /// The same, where those that say nothing of it are damped like this.
    #[must_use]
    pub fn damped(self, flapping: Flapping) -> Self {
        Self { flapping, ..self }
    }

    /// When a rule is damped.
    pub(super) fn flapping(&self, rule: &Rule) -> Flapping {
        rule.flapping.unwrap_or(self.flapping)
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.inner.rules
    }

    /// The rule of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.inner.by_id.get(id).map(|place| &self.inner.rules[*place])
    }

    /// What tells that rule's condition from any other.
    pub(super) fn mark(&self, id: &str) -> Option<&str> {
        let place = *self.inner.by_id.get(id)?;
        Some(self.inner.marks.get(place)?.get_or_init(|| self.inner.rules[place].condition.mark()))
    }

    /// The rules that a fact may say something about, and those whose delay may have run out meanwhile, in their order.
    pub(super) fn concerned<'a>(
        &'a self,
        fact: &Fact,
        state: &SourceState,
    ) -> impl Iterator<Item = &'a Arc<Rule>> + use<'a> {
        let mut places: BTreeSet<usize> = self.inner.of_any_fact.iter().copied().collect();
        places.extend(self.places_of(fact.values()));
        let pending = state.conditions.iter().filter(|(_, condition)| condition.delay().is_some());
        places.extend(pending.filter_map(|(id, _)| self.inner.by_id.get(id).copied()));
        if matches!(fact, Fact::ParentLost { .. }) {
            places.extend(state.memories.keys().filter_map(|id| self.inner.by_id.get(id).copied()));
        }
        places.into_iter().map(|place| &self.inner.rules[place])
    }

    /// The rules that look at one of these values, in their order.
    pub(super) fn of_values(&self, values: &[Observed]) -> Vec<&Arc<Rule>> {
        let places: BTreeSet<usize> = self.places_of(values).collect();
        places.into_iter().map(|place| &self.inner.rules[place]).collect()
    }

    fn places_of(&self, values: &[Observed]) -> impl Iterator<Item = usize> {
        values.iter().filter_map(|value| self.inner.by_name.get(&value.name)).flatten().copied()
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self::new(rules.into_iter().map(Arc::new))
    }
}
