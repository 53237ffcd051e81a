//! The rules of one scope, found by the values that they look at.

use std::collections::{BTreeSet, HashMap};

use domain::alarm::Condition;

/// The places of the rules of one scope.
#[derive(Debug, Default)]
pub(super) struct Scoped {
    all: Vec<usize>,
    by_value: HashMap<String, Vec<usize>>,
    /// Those that look at silence or absence, whatever else they look at.
    of_any_fact: Vec<usize>,
}

impl Scoped {
    pub(super) fn add(&mut self, place: usize, condition: &Condition) {
        self.all.push(place);
        let names: BTreeSet<&str> = condition.names().into_iter().collect();
        if names.is_empty() || condition.is_of_any_fact() {
            self.of_any_fact.push(place);
        }
        for name in names {
            self.by_value.entry(name.to_owned()).or_default().push(place);
        }
    }

    /// Those that look at one of these values, in their order; all where nobody knows which there are.
    pub(super) fn looking_at(&self, values: Option<&[&str]>) -> Vec<usize> {
        let Some(values) = values else { return self.all.clone() };
        let by_value = values.iter().filter_map(|value| self.by_value.get(*value)).flatten();
        let places: BTreeSet<usize> = by_value.chain(&self.of_any_fact).copied().collect();
        places.into_iter().collect()
    }
}
