//! Writes that hang on conditions, one or several together.

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{CancellationReason, ConsumedCapacity, Delete, Put, ReturnConsumedCapacity, TransactWriteItem},
};
use domain::Timestamp;
use engine_aws::Backoff;
use records::{Condition, Item, Key, Outcome, TableError, Write};

use super::{
    DynamoDbTable,
    attributes::{self, Attributes},
    capacity::Cost,
    error::{build_error, table_error},
    guard::Guard,
};
use crate::rules;

/// How one attempt at writes ended.
enum Attempt {
    Ended(Outcome),
    /// Somebody else writes there, or too much is written: worth another attempt.
    Busy(String),
}

impl DynamoDbTable {
    /// All the writes or none of them. One alone is no transaction, which would cost twice as much.
    pub(super) async fn apply(&self, writes: &[Write]) -> Result<Outcome, TableError> {
        let mut backoff = Backoff::default();
        loop {
            let attempt = match writes {
                [] => return Ok(Outcome::Applied),
                [Write::Put(item, condition)] => self.put(item, *condition).await?,
                [Write::Delete(key, condition)] => self.delete(key, *condition).await?,
                several => self.transact_once(several).await?,
            };
            self.consumed.wrote(writes, if writes.len() == 1 { Cost::Once } else { Cost::Twice });
            match attempt {
                Attempt::Ended(outcome) => return Ok(outcome),
                Attempt::Busy(why) => self.pause(&mut backoff, &why).await?,
            }
        }
    }

    /// All is written, and cost this.
    fn done<'a>(&self, told: impl IntoIterator<Item = &'a ConsumedCapacity>) -> Attempt {
        self.consumed.told_of_writes(told);
        Attempt::Ended(Outcome::Applied)
    }

    async fn put(&self, item: &Item, condition: Condition) -> Result<Attempt, TableError> {
        let now = self.clock.now();
        let guard = Guard::new(condition, now);
        let request = self.client.put_item().table_name(&self.name).set_item(Some(attributes::of_item(item)));
        let answer = request
            .set_condition_expression(guard.expression)
            .set_expression_attribute_values(guard.values)
            .set_return_values_on_condition_check_failure(guard.on_failure)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match answer {
            Ok(done) => return Ok(self.done(&done.consumed_capacity)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => refused_at(0, refused.item(), now),
            Some(PutItemError::TransactionConflictException(busy)) => Ok(Attempt::Busy(busy.to_string())),
            _ => Err(table_error(&error)),
        }
    }

    async fn delete(&self, key: &Key, condition: Condition) -> Result<Attempt, TableError> {
        let now = self.clock.now();
        let guard = Guard::new(condition, now);
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(attributes::of_key(key)));
        let answer = request
            .set_condition_expression(guard.expression)
            .set_expression_attribute_values(guard.values)
            .set_return_values_on_condition_check_failure(guard.on_failure)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match answer {
            Ok(done) => return Ok(self.done(&done.consumed_capacity)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(refused)) => refused_at(0, refused.item(), now),
            Some(DeleteItemError::TransactionConflictException(busy)) => Ok(Attempt::Busy(busy.to_string())),
            _ => Err(table_error(&error)),
        }
    }

    async fn transact_once(&self, writes: &[Write]) -> Result<Attempt, TableError> {
        let now = self.clock.now();
        let actions = writes.iter().map(|write| self.action(write, now)).collect::<Result<_, _>>()?;
        let request = self.client.transact_write_items().set_transact_items(Some(actions));
        let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
        let error = match answer {
            Ok(done) => return Ok(self.done(done.consumed_capacity())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                why_cancelled(cancelled.cancellation_reasons(), now)
            }
            _ => Err(table_error(&error)),
        }
    }

    fn action(&self, write: &Write, now: Timestamp) -> Result<TransactWriteItem, TableError> {
        let guard = Guard::new(write.condition(), now);
        let action = TransactWriteItem::builder();
        let action = match write {
            Write::Put(item, _) => action.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(attributes::of_item(item)))
                    .set_condition_expression(guard.expression)
                    .set_expression_attribute_values(guard.values)
                    .set_return_values_on_condition_check_failure(guard.on_failure)
                    .build()
                    .map_err(|error| build_error(&error))?,
            ),
            Write::Delete(key, _) => action.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes::of_key(key)))
                    .set_condition_expression(guard.expression)
                    .set_expression_attribute_values(guard.values)
                    .set_return_values_on_condition_check_failure(guard.on_failure)
                    .build()
                    .map_err(|error| build_error(&error))?,
            ),
        };
        Ok(action.build())
    }
}

/// A refused condition is an answer even when other writes of the transaction met somebody else's.
fn why_cancelled(reasons: &[CancellationReason], now: Timestamp) -> Result<Attempt, TableError> {
    let refused = reasons.iter().position(|reason| reason.code() == Some("ConditionalCheckFailed"));
    if let Some(index) = refused {
        return refused_at(index, reasons[index].item(), now);
    }
    let cause = reasons.iter().find(|reason| reason.code().is_some_and(|code| code != "None"));
    let code = cause.and_then(CancellationReason::code).unwrap_or("no reason given");
    let why =
        format!("{code}: {}", cause.and_then(CancellationReason::message).unwrap_or("the transaction was cancelled"));
    match code {
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => Ok(Attempt::Busy(why)),
        "ValidationError" => Err(TableError::Invalid(why)),
        _ => Err(TableError::Away(why)),
    }
}

fn refused_at(index: usize, found: Option<&Attributes>, now: Timestamp) -> Result<Attempt, TableError> {
    let found = found.filter(|found| !found.is_empty()).map(|found| attributes::to_item(found.clone())).transpose()?;
    Ok(Attempt::Ended(Outcome::Refused { index, found: found.and_then(|item| rules::live(item, now)) }))
}
