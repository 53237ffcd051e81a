//! Rules of one person.
//!
//! A person may say for themselves what is normal. What such a rule raises is an alarm of its own, beside that of the
//! common rule, and is told to nobody else; whose it is stands in the rule's id: `user:<name>:<rule>`.

use super::RuleId;

const PREFIX: &str = "user:";

/// The id of a person's own form of a rule.
pub fn owned(user: &str, rule: &str) -> RuleId {
    // The name may hold the colon that ends it.
    format!("{PREFIX}{}:{rule}", user.replace('%', "%25").replace(':', "%3A"))
}

/// Whose rule this is; none for one that is everybody's.
pub fn owner(rule: &str) -> Option<String> {
    let (user, _) = rule.strip_prefix(PREFIX)?.split_once(':')?;
    Some(user.replace("%3A", ":").replace("%25", "%"))
}

/// The rule's id among its owner's rules: what everybody's form of it is called.
pub fn unowned(rule: &str) -> &str {
    let owned = rule.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':'));
    owned.map_or(rule, |(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_whose_it_is_whatever_they_are_called() {
        for user in ["ann", "ann@example.org", "a:b", "50%", "%3A", "%253A", ":"] {
            assert_eq!(owner(&owned(user, "threshold:a:b")).as_deref(), Some(user));
            assert_eq!(unowned(&owned(user, "threshold:a:b")), "threshold:a:b");
        }
        assert_eq!(owned("ann", "state:fan"), "user:ann:state:fan");
    }

    #[test]
    fn everybodys_rules_are_nobodys() {
        for rule in ["timeout", "offline", "threshold:user:ann", "state:x"] {
            assert_eq!((owner(rule), unowned(rule)), (None, rule));
        }
    }
}
