//! What a condition rests on, it or a part of it.

use super::Condition;

impl Condition {
    /// Whether this can be said of it, or of a part of it.
    fn has(&self, is_so: fn(&Self) -> bool) -> bool {
        is_so(self) || self.parts().iter().any(|part| part.has(is_so))
    }

    /// Whether it is concluded from what did not come, which says nothing once the way there is lost.
    pub(in crate::alarm) fn rests_on_silence(&self) -> bool {
        self.has(|part| matches!(part, Self::Missed { .. } | Self::NoData { .. }))
    }

    /// Whether it is concluded from more than one reading.
    pub(in crate::alarm) fn rests_on_several(&self) -> bool {
        let is_of_several = |part: &Self| {
            matches!(part, Self::Rate { .. } | Self::Count { .. } | Self::Window { .. } | Self::Stuck { .. })
        };
        self.has(is_of_several) || self.rests_on_silence()
    }

    /// Whether it looks at something else than values of a name.
    pub fn is_of_any_fact(&self) -> bool {
        self.has(|part| matches!(part, Self::NoData { .. } | Self::Missed { .. } | Self::Lost | Self::Away))
    }

    /// Whether it counts what was not answered.
    pub fn rests_on_misses(&self) -> bool {
        self.has(|part| matches!(part, Self::Missed { .. }))
    }

    /// Whether it may say how much it matters.
    pub(in crate::alarm) fn says_severity(&self) -> bool {
        self.has(|part| matches!(part, Self::Levels { .. }))
    }

    /// Whether it looks at links and at the platform, of which no device knows.
    pub fn is_of_links(&self) -> bool {
        self.has(|part| matches!(part, Self::Lost | Self::Away))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_counts_what_was_not_answered_if_a_part_of_it_does() {
        let missed = Condition::Missed { more_than: 3 };
        assert!(missed.rests_on_misses());
        assert!(Condition::All { of: vec![Condition::Lost, Condition::Any { of: vec![missed] }] }.rests_on_misses());
        assert!(!Condition::Any { of: vec![Condition::Lost, Condition::Away] }.rests_on_misses());
    }
}
