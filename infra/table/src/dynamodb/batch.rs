//! Many items at once. What the engine leaves undone is asked for again, after a wait.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use engine_aws::Backoff;
use records::{TableError, Write};

use super::{
    DynamoDbTable,
    attributes::{Attributes, of_item, of_key},
    error::{build_error, table_error},
};

/// The most keys of one read and the most writes of one call (DynamoDB's limits).
const MOST_KEYS: usize = 100;
const MOST_WRITES: usize = 25;

impl DynamoDbTable {
    /// What is there at these keys, expired or not, in no particular order.
    pub(super) async fn get_batches(&self, keys: Vec<Attributes>) -> Result<Vec<Attributes>, TableError> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            let request = KeysAndAttributes::builder().set_keys(Some(keys.to_vec())).consistent_read(true).build();
            let mut left = Some(request.map_err(|error| build_error(&error))?);
            let mut backoff = Backoff::default();
            while let Some(asked) = left {
                let answer = self.client.batch_get_item().request_items(&self.name, asked).send().await;
                let answer = answer.map_err(|error| table_error(&error))?;
                found.extend(answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default());
                left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
                if left.is_some() {
                    self.pause(&mut backoff, "a batch of reads was done in part").await?;
                }
            }
        }
        Ok(found)
    }

    /// Does writes, whatever is there.
    pub(super) async fn write_batches(&self, writes: &[Write]) -> Result<(), TableError> {
        for writes in writes.chunks(MOST_WRITES) {
            let mut left: Vec<WriteRequest> = writes.iter().map(request).collect::<Result<_, _>>()?;
            let mut backoff = Backoff::default();
            loop {
                let answer = self.client.batch_write_item().request_items(&self.name, left).send().await;
                let answer = answer.map_err(|error| table_error(&error))?;
                left = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                self.pause(&mut backoff, "a batch of writes was done in part").await?;
            }
        }
        Ok(())
    }
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
