//! The rules of a source, found by the names of the values that they look at.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{ConditionState, Fact, Rule, RuleId, SourceState};

/// The rules that are watched on a source, in their order. Cheap to clone. What a fact costs does not grow with the rules that it
/// says nothing about.
#[derive(Debug, Clone, Default)]
pub struct RuleSet(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Arc<Rule>>,
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
        for (place, rule) in inner.rules.iter().enumerate() {
            let names: BTreeSet<&str> = rule.condition.names().into_iter().collect();
            for name in names {
                inner.by_name.entry(name.to_owned()).or_default().push(place);
            }
            if rule.condition.is_of_any_fact() {
                inner.of_any_fact.push(place);
            }
        }
        Self(Arc::new(inner))
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.0.rules
    }

    /// The rule of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.0.by_id.get(id).map(|place| &self.0.rules[*place])
    }

    /// The rules that a fact may say something about, and those whose delay may have run out meanwhile, in their order.
    pub(super) fn concerned<'a>(
        &'a self,
        fact: &Fact,
        state: &SourceState,
    ) -> impl Iterator<Item = &'a Arc<Rule>> + use<'a> {
        let mut places: BTreeSet<usize> = self.0.of_any_fact.iter().copied().collect();
        let named = fact.values().iter().filter_map(|value| self.0.by_name.get(&value.name));
        places.extend(named.flatten().copied());
        let pending =
            state.conditions.iter().filter(|(_, condition)| matches!(condition, ConditionState::Pending { .. }));
        places.extend(pending.filter_map(|(id, _)| self.0.by_id.get(id).copied()));
        if matches!(fact, Fact::ParentLost { .. }) {
            places.extend(state.memories.keys().filter_map(|id| self.0.by_id.get(id).copied()));
        }
        places.into_iter().map(|place| &self.0.rules[place])
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self::new(rules.into_iter().map(Arc::new))
    }
}
