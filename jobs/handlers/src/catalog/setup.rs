//! What single people call normal, as rules.

use std::{collections::BTreeSet, iter, sync::Arc};

use domain::{
    Timestamp,
    alarm::{Change, Rule, RuleId, owned, owner},
    protocol::ProtocolError,
};
use records::alarm_setups::AlarmSetup;

/// One person's rules for the devices of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Whose they are.
    pub user: String,
    /// Since when they have them.
    pub since: Timestamp,
    /// The protocol's rules that they put theirs in the place of.
    pub replaces: BTreeSet<RuleId>,
    /// Theirs, each named as theirs.
    pub rules: Vec<Arc<Rule>>,
}

impl Setup {
    /// The rules of a stored setup.
    pub(super) fn of(stored: AlarmSetup) -> Result<Self, ProtocolError> {
        let AlarmSetup { user, since, constants } = stored;
        let rules = constants.rules()?;
        let rules = rules.into_iter().map(|rule| Arc::new(Rule { id: owned(&user, &rule.id), ..rule })).collect();
        Ok(Self { replaces: constants.rule_ids(), user, since, rules })
    }
}

/// Whether a person is to hear of a change: of their own rule always, of another's never, of the common one unless they
/// have put their own in its place before the alarm began. What everybody's rule that stands in for a common one says, who has
/// put their own in the place of that one hears no more than before: `stood_in_for` says for which it did when the alarm began.
pub(crate) fn concerns(change: &Change, user: &str, setups: &[Setup], stood_in_for: Option<&RuleId>) -> bool {
    let is_theirs = |setup: &Setup| {
        let mut common = iter::once(&change.rule).chain(stood_in_for);
        common.any(|rule| setup.replaces.contains(rule))
    };
    let is_replaced = |setup: &Setup| setup.user == user && setup.since < change.since && is_theirs(setup);
    match owner(&change.rule) {
        Some(owner) => owner == user,
        None => !setups.iter().any(is_replaced),
    }
}
