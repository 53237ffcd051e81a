//! What an earlier notice was to tell, told by a later one.

use std::collections::BTreeSet;

use domain::alarm::Change;

use super::{Facts, Kind, Part};

/// The most changes of one source that are told together: of what stands all are, of the rest the latest.
const MOST_CHANGES: usize = 20;

impl Facts {
    /// All that both tell, each thing once, as the later one is to be understood; of at most so many sources. `place`: what people call
    /// the place of all of them. `standing`: what stands of it, where either of both does not name all.
    #[must_use]
    pub fn with_earlier(self, earlier: Self, place: Option<String>, standing: Vec<Part>, most: usize) -> Self {
        let total = self.sources_with(&earlier);
        let before: Vec<Change> = earlier.parts.iter().flat_map(|part| part.changes.iter().cloned()).collect();
        let mut parts = earlier.parts;
        for part in self.parts {
            match parts.iter_mut().find(|known| known.source == part.source) {
                Some(known) => known.goes_on_with(part.changes),
                None => parts.push(part),
            }
        }
        let stands = self.open > 0 || !standing.is_empty();
        let may_be_unnamed = stands && (self.more > 0 || earlier.more > 0);
        let kind = kind_of(self.kind, (stands, may_be_unnamed), before, &parts);
        for part in standing {
            match parts.iter_mut().find(|known| known.source == part.source) {
                Some(known) => known.names_as_well(part.changes),
                None => parts.push(part),
            }
        }
        // What stands is not hidden by what is over.
        parts.sort_by_key(Part::is_over);
        let is_over = parts.iter().all(Part::is_over);
        let more = parts.len().max(total) - parts.len().min(most);
        parts.truncate(most);
        let mut rules = earlier.rules;
        rules.extend(self.rules);
        // How often, and since when, is said of what is said again, or comes and goes.
        let is_as_later = is_again(kind) || self.kind == kind;
        let mut joined = Self {
            kind,
            more: u32::try_from(more).unwrap_or(u32::MAX),
            rules,
            place: place.or(self.place).or(earlier.place),
            count: self.count.or(earlier.count).filter(|_| is_as_later),
            since: self.since.or(earlier.since).filter(|_| is_as_later),
            before: if self.before.is_empty() { earlier.before } else { self.before },
            lasted_ms: if is_over { lasted(&parts).or(self.lasted_ms) } else { None },
            parts,
            ..self
        };
        joined.has_a_place_of_several();
        joined
    }

    /// Of how many sources both tell. Each names some of what may be the same: what begins is another.
    fn sources_with(&self, earlier: &Self) -> usize {
        let begins = |part: &&Part| part.changes.iter().any(Change::is_first) && !part.is_over();
        let is_another = |part: &&Part| !earlier.parts.iter().any(|known| known.source == part.source);
        let others = self.parts.iter().filter(|part| begins(part) && is_another(part)).count();
        let others = if is_again(self.kind) { 0 } else { others };
        self.sources().max(earlier.sources().saturating_add(others))
    }

    /// Of how many sources it tells.
    fn sources(&self) -> usize {
        self.parts.len().saturating_add(usize::try_from(self.more).unwrap_or(usize::MAX))
    }
}

/// Whether it is said once more, or to others: it names what stands, new or not.
fn is_again(kind: Kind) -> bool {
    matches!(kind, Kind::Repeat | Kind::Escalated)
}

/// From when the first of it began until the last of it was over, in milliseconds.
fn lasted(parts: &[Part]) -> Option<u64> {
    let changes = || parts.iter().flat_map(|part| &part.changes);
    let began = changes().map(|change| change.since).min()?;
    let ended = changes().filter(|change| change.ends());
    let ended = ended.map(|change| change.lasted().map_or(change.at, |lasted| change.since.plus(lasted))).max()?;
    u64::try_from(ended.since(began).as_millis()).ok()
}

impl Part {
    /// What begins is told as it is by now.
    fn goes_on_with(&mut self, later: Vec<Change>) {
        let is_same = |one: &Change, other: &Change| {
            one.alarm == other.alarm && one.kind == other.kind && (one.begins() || one.at == other.at)
        };
        self.changes.retain(|known| !later.iter().any(|change| is_same(known, change)));
        self.changes.extend(later);
        self.forgets_what_was_long_over();
    }

    /// Other alarms that stand.
    fn names_as_well(&mut self, standing: Vec<Change>) {
        let is_known = |other: &Change| self.changes.iter().any(|known| known.alarm == other.alarm);
        let others: Vec<Change> = standing.into_iter().filter(|change| !is_known(change)).collect();
        self.changes.extend(others);
    }

    /// What came and went the whole time is told by its latest times.
    fn forgets_what_was_long_over(&mut self) {
        let surplus = self.changes.len().saturating_sub(MOST_CHANGES);
        if surplus == 0 {
            return;
        }
        let stands: BTreeSet<String> =
            super::standing(&self.changes.iter().collect::<Vec<_>>()).into_iter().map(str::to_owned).collect();
        let over = self.changes.iter().filter(|change| !stands.contains(&change.alarm));
        let forgotten: BTreeSet<String> = over.take(surplus).map(|change| change.alarm.clone()).collect();
        self.changes.retain(|change| !forgotten.contains(&change.alarm));
    }
}

/// Who did not hear that it began is not reminded of it: they are told what it is. `before`: what was to be told earlier. Whether anything
/// of the incident stands, and what of that may not be named.
fn kind_of(later: Kind, (stands, may_be_unnamed): (bool, bool), before: Vec<Change>, parts: &[Part]) -> Kind {
    let all = || parts.iter().flat_map(|part| &part.changes);
    match later {
        Kind::Escalated => return later,
        Kind::Repeat if !all().any(Change::ends) => return later,
        _ => {}
    }
    // What a reminder names is no news by itself.
    let news: Vec<Change> = if later == Kind::Repeat { before } else { all().cloned().collect() };
    match Kind::of(&news) {
        Kind::Recovered if stands || later == Kind::PartlyRecovered => Kind::PartlyRecovered,
        Kind::AlarmAndRecovery if may_be_unnamed => Kind::Raised,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Source, Timestamp,
        alarm::{About, ChangeKind, Severity},
    };

    use super::*;

    const MOST: usize = 50;

    /// That the alarms of these devices began, or ended, told at once: of so many by name.
    fn told(kind: ChangeKind, devices: impl Iterator<Item = usize>) -> Facts {
        let parts: Vec<Part> = devices.map(|device| part(device, [kind])).collect();
        let more = u32::try_from(parts.len().saturating_sub(MOST)).unwrap();
        let named = parts.into_iter().take(MOST).collect();
        Facts { more, place: Some("Cold store".to_owned()), ..Facts::of_parts(named) }
    }

    fn part(device: usize, kinds: impl IntoIterator<Item = ChangeKind>) -> Part {
        let change = |kind| {
            let (alarm, since) = (format!("a{device}"), Timestamp(1000));
            let about = About { alarm: &alarm, rule: "hot", severity: Severity::Critical, since, shadow: false };
            let at = if kind == ChangeKind::Raised { since } else { Timestamp(61_000) };
            Change::of(kind, about, at, String::new())
        };
        let source = Source::Node(format!("{device:02}"));
        Part { source, place: String::new(), changes: kinds.into_iter().map(change).collect(), became: None }
    }

    #[test]
    fn what_stands_is_named_first_and_counted_once_however_much_of_it_is_over() {
        let (all, over) = (told(ChangeKind::Raised, 0..60), told(ChangeKind::Cleared, 0..59));
        let joined = over.with_earlier(all, None, vec![part(59, [ChangeKind::Raised])], MOST);
        assert_eq!((joined.kind, joined.parts.len(), joined.more), (Kind::Raised, 50, 10));
        assert_eq!(joined.parts[0].source, Source::Node("59".to_owned()));
    }

    #[test]
    fn what_is_over_altogether_is_told_as_that_with_how_long_it_lasted() {
        let (all, over) = (told(ChangeKind::Raised, 0..60), told(ChangeKind::Cleared, 0..60));
        let joined = over.with_earlier(all, None, Vec::new(), MOST);
        assert_eq!((joined.kind, joined.more, joined.lasted_ms), (Kind::AlarmAndRecovery, 10, Some(60_000)));
    }

    #[test]
    fn what_ended_is_no_alarm_since_others_stand_that_were_told_before() {
        let standing: Vec<Part> = (80..100).map(|device| part(device, [ChangeKind::Raised])).collect();
        let (first, then) = (told(ChangeKind::Cleared, 0..60), told(ChangeKind::Cleared, 60..80));
        let joined = Facts { open: 20, ..then }.with_earlier(first, None, standing, MOST);
        assert_eq!((joined.kind, joined.parts[0].is_over()), (Kind::PartlyRecovered, false));

        let reminder = Facts { kind: Kind::Repeat, open: 1, ..told(ChangeKind::Raised, 1..2) };
        let joined = reminder.with_earlier(told(ChangeKind::Cleared, 0..1), None, Vec::new(), MOST);
        assert_eq!(joined.kind, Kind::PartlyRecovered);
    }

    #[test]
    fn others_that_begin_are_counted_beside_those_that_are_not_named() {
        let mut joined = told(ChangeKind::Raised, 0..60);
        for device in 60..70 {
            joined = told(ChangeKind::Raised, device..=device).with_earlier(joined, None, Vec::new(), MOST);
        }
        assert_eq!(joined.sources(), 70);
    }

    #[test]
    fn what_came_and_went_many_times_is_told_by_the_last_of_them() {
        let mut joined = Facts::of_parts(vec![part(0, [ChangeKind::Raised])]);
        for time in 1..500 {
            let again = part(time, [ChangeKind::Raised, ChangeKind::Cleared]).changes;
            let part = Part { changes: again, ..joined.parts[0].clone() };
            joined = Facts::of_parts(vec![part]).with_earlier(joined, None, Vec::new(), MOST);
        }
        let changes = &joined.parts[0].changes;
        assert!(changes.len() <= MOST_CHANGES && changes[0].alarm == "a0", "what stands is among {changes:?}");
        assert_eq!(changes.last().map(|change| change.alarm.as_str()), Some("a499"));
        assert_eq!(joined.kind, Kind::Raised);
    }
}
