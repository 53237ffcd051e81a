//! A write's condition, as DynamoDB evaluates it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::Timestamp;
use records::Condition;

use super::attributes::{Attributes, number};

/// What a request says of its condition: nothing at all when there is none.
pub(super) struct Guard {
    pub(super) expression: Option<String>,
    pub(super) values: Option<Attributes>,
    pub(super) on_failure: Option<ReturnValuesOnConditionCheckFailure>,
}

impl Guard {
    /// Holds when `condition` does at `now`. A comparison with an attribute that is not there is false.
    pub(super) fn new(condition: Condition, now: Timestamp) -> Self {
        let now = (":now".to_owned(), number(now.0));
        match condition {
            Condition::Always => Self { expression: None, values: None, on_failure: None },
            Condition::Absent => Self::of("attribute_not_exists(pk) OR expires <= :now", HashMap::from([now])),
            Condition::Version(version) => Self::of(
                "v = :version AND (attribute_not_exists(expires) OR expires > :now)",
                HashMap::from([now, (":version".to_owned(), number(version))]),
            ),
        }
    }

    fn of(expression: &str, values: Attributes) -> Self {
        Self {
            expression: Some(expression.to_owned()),
            values: Some(values),
            on_failure: Some(ReturnValuesOnConditionCheckFailure::AllOld),
        }
    }
}
