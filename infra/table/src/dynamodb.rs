//! The table on DynamoDB, or on an engine that speaks its API.
//!
//! Expired items are filtered by our own clock everywhere: the engine removes them when it finds the time, which may
//! take days. All reads are strongly consistent, as every other adapter's are.

mod attributes;
mod batch;
mod capacity;
mod error;
mod guard;
mod opening;
mod span;
#[cfg(test)]
mod tests;
mod writes;

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::ReturnConsumedCapacity};
use engine_aws::{Backoff, SdkConfig};
use jobs::ports::Dice;
use records::{Clock, Item, Key, Order, Outcome, Page, Range, Table, TableError, Write};

pub use self::capacity::{Consumed, Units, item_size};
use self::{error::table_error, span::Span};
use crate::{page, rules};

/// A table whose keys are `pk` and `sk`, both strings, and whose TTL attribute is `ttl`.
pub struct DynamoDbTable {
    client: Client,
    name: String,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    consumed: Arc<Consumed>,
}

impl DynamoDbTable {
    /// The table called `name`.
    pub fn new(config: &SdkConfig, name: impl Into<String>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { client: Client::new(config), name: name.into(), clock, dice, consumed: Arc::default() }
    }

    /// What its calls cost.
    pub fn consumed(&self) -> Arc<Consumed> {
        Arc::clone(&self.consumed)
    }

    /// Waits before another try; an error when there have been enough.
    async fn pause(&self, backoff: &mut Backoff, why: &str) -> Result<(), TableError> {
        let waited = backoff.wait(self.dice.roll()).await;
        waited.map_err(|gave_up| TableError::Away(format!("{why}; {gave_up}")))
    }
}

#[async_trait]
impl Table for DynamoDbTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        rules::check_key(key)?;
        let request = self.client.get_item().table_name(&self.name).set_key(Some(attributes::of_key(key)));
        let request = request.consistent_read(true).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = request.send().await.map_err(|error| table_error(&error))?;
        self.consumed.got(answer.item.as_ref(), answer.consumed_capacity.as_ref());
        let item = answer.item.map(attributes::to_item).transpose()?;
        Ok(item.and_then(|item| rules::live(item, self.clock.now())))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        keys.iter().try_for_each(rules::check_key)?;
        let keys: HashSet<&Key> = keys.iter().collect();
        let found = self.get_batches(keys.into_iter().map(attributes::of_key).collect()).await?;
        let items: Vec<Item> = found.into_iter().map(attributes::to_item).collect::<Result<_, _>>()?;
        let now = self.clock.now();
        Ok(items.into_iter().filter_map(|item| rules::live(item, now)).collect())
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        rules::check_range(range)?;
        let Some(span) = Span::of(range) else { return Ok(Page::default()) };
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .scan_index_forward(range.order == Order::Ascending)
            // One more than is wanted tells whether the range ends here.
            .limit(i32::try_from(range.limit).unwrap_or(i32::MAX).saturating_add(1))
            .key_condition_expression(span.condition)
            .set_expression_attribute_values(Some(span.values));
        let now = self.clock.now();
        let mut start = span.start;
        let mut items = Vec::new();
        loop {
            let answer = request.clone().set_exclusive_start_key(start).send().await;
            let answer = answer.map_err(|error| table_error(&error))?;
            let found = answer.items.unwrap_or_default();
            self.consumed.queried(&found, answer.consumed_capacity.as_ref());
            for found in found {
                items.extend(rules::live(attributes::to_item(found)?, now));
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if items.len() > range.limit || start.is_none() {
                return page::cut(items.into_iter().map(Ok), range.limit, now);
            }
        }
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        rules::check_batch(&writes)?;
        self.write_batches(&writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        rules::check_transaction(&writes)?;
        self.apply(&writes).await
    }
}
