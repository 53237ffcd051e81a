//! Whether a table can be worked on: it is there, and made as ours are.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{
        AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription, TimeToLiveDescription,
        TimeToLiveStatus,
    },
};
use engine_aws::explain;

use super::DynamoDbTable;
use crate::open::OpenError;

/// What a service says that may say something else later.
const PASSES: [&str; 5] = [
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
];

impl DynamoDbTable {
    /// Sees that the table is there and has the keys and the TTL that every part relies on, and gives what it is known by: its
    /// ARN and, where the engine gives one, the id that a table of the same name would not have.
    pub(crate) async fn examine(&self) -> Result<String, OpenError> {
        let table = match self.client.describe_table().table_name(&self.name).send().await {
            Ok(answer) => answer.table.unwrap_or_else(|| TableDescription::builder().build()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                return Err(OpenError::Missing(self.name.clone()));
            }
            Err(error) => return Err(self.unanswered("dynamodb:DescribeTable", &error)),
        };
        let unfit = |why| OpenError::Unfit { name: self.name.clone(), why };
        keys_are_ours(table.key_schema(), table.attribute_definitions()).map_err(unfit)?;
        let expiry = self.client.describe_time_to_live().table_name(&self.name).send().await;
        let expiry = expiry.map_err(|error| self.unanswered("dynamodb:DescribeTimeToLive", &error))?;
        expiry_is_ours(expiry.time_to_live_description()).map_err(unfit)?;
        let known_by = [table.table_arn().unwrap_or(&self.name), table.table_id().unwrap_or_default()];
        Ok(known_by.join(" ").trim_end().to_owned())
    }

    fn unanswered<E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        call: &str,
        error: &SdkError<E>,
    ) -> OpenError {
        match error.code() {
            Some(code) if !PASSES.contains(&code) => {
                OpenError::Unfit { name: self.name.clone(), why: format!("{call} is refused: {}", explain(error)) }
            }
            _ => OpenError::Away(explain(error)),
        }
    }
}

/// The partition is `pk`, the place in it is `sk`, and both are strings.
fn keys_are_ours(keys: &[KeySchemaElement], attributes: &[AttributeDefinition]) -> Result<(), String> {
    let kind = |name: &str| {
        let attribute = attributes.iter().find(|attribute| attribute.attribute_name() == name);
        attribute.map_or("of no type", |attribute| match attribute.attribute_type() {
            ScalarAttributeType::S => "a string",
            ScalarAttributeType::N => "a number",
            _ => "bytes",
        })
    };
    let told = |key: &KeySchemaElement| {
        let part = if *key.key_type() == KeyType::Hash { "partition" } else { "sort" };
        format!("{part} key {} ({})", key.attribute_name(), kind(key.attribute_name()))
    };
    let mut there: Vec<String> = keys.iter().map(told).collect();
    there.sort();
    if there == ["partition key pk (a string)", "sort key sk (a string)"] {
        return Ok(());
    }
    Err(format!("its keys must be pk and sk, both strings; it has {}", there.join(", ")))
}

/// What has expired is removed by its attribute `ttl`.
fn expiry_is_ours(expiry: Option<&TimeToLiveDescription>) -> Result<(), String> {
    use TimeToLiveStatus::{Enabled, Enabling};
    let on = expiry.filter(|expiry| matches!(expiry.time_to_live_status(), Some(Enabled | Enabling)));
    match on.and_then(TimeToLiveDescription::attribute_name) {
        Some("ttl") => Ok(()),
        Some(other) => Err(format!("its TTL attribute must be ttl, and is {other}: old items would never go")),
        None => Err("TTL must be on, for its attribute ttl: old items would never go".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(told: &[(&str, KeyType, ScalarAttributeType)]) -> Result<(), String> {
        let schema: Vec<_> = told
            .iter()
            .map(|(name, part, _)| {
                KeySchemaElement::builder().attribute_name(*name).key_type(part.clone()).build().unwrap()
            })
            .collect();
        let attributes: Vec<_> = told
            .iter()
            .map(|(name, _, kind)| {
                AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone()).build().unwrap()
            })
            .collect();
        keys_are_ours(&schema, &attributes)
    }

    #[test]
    fn keys_are_pk_and_sk_and_strings_and_each_in_its_place() {
        use KeyType::{Hash, Range};
        use ScalarAttributeType::{N, S};
        assert_eq!(keys(&[("pk", Hash, S), ("sk", Range, S)]), Ok(()));
        for wrong in [
            vec![("pk", Hash, S)],
            vec![("sk", Hash, S), ("pk", Range, S)],
            vec![("pk", Hash, S), ("sk", Range, N)],
            vec![("id", Hash, S), ("sk", Range, S)],
        ] {
            let why = keys(&wrong).unwrap_err();
            assert!(why.contains(wrong[0].0), "{why}");
        }
    }

    #[test]
    fn expiry_goes_by_ttl_and_is_on() {
        let expiry = |status: TimeToLiveStatus, attribute: &str| {
            let told = TimeToLiveDescription::builder().time_to_live_status(status).attribute_name(attribute).build();
            expiry_is_ours(Some(&told)).is_ok()
        };
        assert!(expiry(TimeToLiveStatus::Enabled, "ttl") && expiry(TimeToLiveStatus::Enabling, "ttl"));
        assert!(!expiry(TimeToLiveStatus::Disabled, "ttl") && !expiry(TimeToLiveStatus::Enabled, "expires"));
        assert!(expiry_is_ours(None).is_err());
    }
}
