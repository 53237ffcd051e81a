//! What an earlier notice was to tell, told by a later one.

use domain::alarm::Change;

use super::{Facts, Kind, Part};

impl Facts {
    /// All that both tell, each thing once, as the later one is to be understood; of at most so many sources. `place`: what people call
    /// the place of all of them.
    #[must_use]
    pub fn with_earlier(self, earlier: Self, place: Option<String>, most: usize) -> Self {
        let mut parts = earlier.parts;
        for part in self.parts {
            match parts.iter_mut().find(|known| known.source == part.source) {
                Some(known) => known.goes_on_with(part.changes),
                None => parts.push(part),
            }
        }
        let kind = kind_of(self.kind, &parts);
        if parts.len() > most {
            // What stands is not cut for what is over.
            parts.sort_by_key(Part::is_over);
        }
        let cut = u32::try_from(parts.len().saturating_sub(most)).unwrap_or(u32::MAX);
        parts.truncate(most);
        let more = self.more.max(earlier.more).saturating_add(cut);
        let mut rules = earlier.rules;
        rules.extend(self.rules);
        let mut joined = Self {
            kind,
            parts,
            more,
            rules,
            place: place.or(self.place).or(earlier.place),
            count: self.count.or(earlier.count),
            since: self.since.or(earlier.since),
            before: if self.before.is_empty() { earlier.before } else { self.before },
            ..self
        };
        joined.has_a_place_of_several();
        joined
    }
}

impl Part {
    /// What begins is told as it is by now.
    fn goes_on_with(&mut self, later: Vec<Change>) {
        let is_same = |one: &Change, other: &Change| {
            one.alarm == other.alarm && one.kind == other.kind && (one.begins() || one.at == other.at)
        };
        self.changes.retain(|known| !later.iter().any(|change| is_same(known, change)));
        self.changes.extend(later);
    }
}

fn kind_of(later: Kind, parts: &[Part]) -> Kind {
    if matches!(later, Kind::Repeat | Kind::Escalated) {
        return later;
    }
    let changes: Vec<Change> = parts.iter().flat_map(|part| part.changes.iter().cloned()).collect();
    match Kind::of(&changes) {
        Kind::Recovered if later == Kind::PartlyRecovered => later,
        kind => kind,
    }
}
