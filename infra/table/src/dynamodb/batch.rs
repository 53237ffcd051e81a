//! Many items at once. What the engine leaves undone is asked for again, after a wait.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest};
use engine_aws::Backoff;
use records::{TableError, Write};

use super::{
    DynamoDbTable,
    attributes::{Attributes, of_item, of_key},
    capacity::Cost,
    error::{build_error, table_error},
};

/// The most keys of one read and the most writes of one call (DynamoDB's limits).
const MOST_KEYS: usize = 100;
const MOST_WRITES: usize = 25;

impl DynamoDbTable {
    /// What is there at these keys, expired or not, in no particular order.
    pub(super) async fn get_batches(&self, keys: Vec<Attributes>) -> Result<Vec<Attributes>, TableError> {
        let mut found = Vec::with_capacity(keys.len());
        for call in reads(&keys)? {
            let mut left = Some(call);
            let mut backoff = Backoff::default();
            while let Some(asked) = left {
                let wanted = asked.keys().len();
                let request = self.client.batch_get_item().request_items(&self.name, asked);
                let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
                let answer = answer.map_err(|error| table_error(&error))?;
                let here = answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default();
                left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
                let done = wanted - left.as_ref().map_or(0, |left| left.keys().len());
                self.consumed.got_many(done, &here, &answer.consumed_capacity.unwrap_or_default());
                found.extend(here);
                if left.is_some() {
                    self.pause(&mut backoff, "a batch of reads was done in part").await?;
                }
            }
        }
        Ok(found)
    }

    /// Does writes, whatever is there.
    pub(super) async fn write_batches(&self, writes: &[Write]) -> Result<(), TableError> {
        for (call, done) in self::writes(writes)?.into_iter().zip(writes.chunks(MOST_WRITES)) {
            let mut left = call;
            let mut backoff = Backoff::default();
            loop {
                let request = self.client.batch_write_item().request_items(&self.name, left);
                let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
                let answer = answer.map_err(|error| table_error(&error))?;
                self.consumed.told_of_writes(answer.consumed_capacity());
                left = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                self.pause(&mut backoff, "a batch of writes was done in part").await?;
            }
            self.consumed.wrote(done, Cost::Once);
        }
        Ok(())
    }
}

/// What is asked for in each call.
pub(super) fn reads(keys: &[Attributes]) -> Result<Vec<KeysAndAttributes>, TableError> {
    let read =
        |keys: &[Attributes]| KeysAndAttributes::builder().set_keys(Some(keys.to_vec())).consistent_read(true).build();
    keys.chunks(MOST_KEYS).map(|keys| read(keys).map_err(|error| build_error(&error))).collect()
}

/// What is written in each call.
pub(super) fn writes(writes: &[Write]) -> Result<Vec<Vec<WriteRequest>>, TableError> {
    writes.chunks(MOST_WRITES).map(|writes| writes.iter().map(request).collect()).collect()
}

fn request(write: &Write) -> Result<WriteRequest, TableError> {
    let request = WriteRequest::builder();
    let request = match write {
        Write::Put(item, _) => request.put_request(
            PutRequest::builder().set_item(Some(of_item(item))).build().map_err(|error| build_error(&error))?,
        ),
        Write::Delete(key, _) => request.delete_request(
            DeleteRequest::builder().set_key(Some(of_key(key))).build().map_err(|error| build_error(&error))?,
        ),
    };
    Ok(request.build())
}
