//! A table on DynamoDB by its name, for a program that may be built without DynamoDB.

use std::sync::Arc;

use jobs::ports::{Clock, Dice, Table};

/// Whether DynamoDB is built in.
pub const HAS_DYNAMODB: bool = cfg!(feature = "dynamodb");

/// Why a table on DynamoDB cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The feature `dynamodb` is off.
    #[error("this program was built without DynamoDB: build it with `cargo build --release --features dynamodb`")]
    NotBuilt,
    /// Nobody says in which region.
    #[error("no region is told for DynamoDB: set AWS_REGION")]
    NoRegion,
    /// There is no table of that name.
    #[error("there is no table {0} on DynamoDB, in this account and region")]
    Missing(String),
    /// It is not made as ours are, or we may not look.
    #[error("the table {name} on DynamoDB cannot be worked on: {why}")]
    Unfit {
        /// The table.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// DynamoDB does not answer, or is too busy: it may later.
    #[error("DynamoDB does not answer: {0}")]
    Away(String),
}

/// A table on DynamoDB that can be worked on.
pub struct Opened {
    /// It.
    pub table: Arc<dyn Table>,
    /// What it is known by: no other table is, not even one that has its name later.
    pub known_by: String,
}

/// The table called `name`, once it is seen to be there and made as ours are. Region, credentials and endpoint are those that
/// the AWS SDK finds.
pub async fn open_dynamodb(name: &str, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Result<Opened, OpenError> {
    #[cfg(feature = "dynamodb")]
    {
        let aws = engine_aws::load().await;
        if aws.region().is_none() {
            return Err(OpenError::NoRegion);
        }
        let table = crate::DynamoDbTable::new(&aws, name, clock, dice);
        let known_by = table.examine().await?;
        Ok(Opened { table: Arc::new(table), known_by })
    }
    #[cfg(not(feature = "dynamodb"))]
    {
        drop((name, clock, dice));
        Err(OpenError::NotBuilt)
    }
}
