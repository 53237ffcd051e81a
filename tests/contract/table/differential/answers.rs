//! What a table answers to a call, as far as the port promises it.
//!
//! Two things the port leaves open, and are evened out: the order in which many are got, and where pages end. So a range
//! is read to its end, and what its pages hold together is the answer. Of an error only its kind counts.

use records::{Item, Outcome, Range, Table, TableError};

use super::calls::Call;

/// What was answered.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// What is there, in the order of keys or of the range.
    Items(Vec<Item>),
    Ended(Outcome),
    Written,
    Invalid,
    /// What no table in these tests may say.
    Failed(String),
    /// It was no question.
    Nothing,
}

/// Asks a table.
pub(super) async fn ask(table: &dyn Table, call: &Call) -> Answer {
    let answer = match call {
        Call::Get(key) => table.get(key).await.map(|found| Answer::Items(found.into_iter().collect())),
        Call::GetMany(keys) => table.get_many(keys).await.map(|mut items| {
            items.sort_by(|one, other| one.key.cmp(&other.key));
            Answer::Items(items)
        }),
        Call::Query(range) => read_to_the_end(table, range.clone()).await.map(Answer::Items),
        Call::Write(write) => table.write(write.clone()).await.map(Answer::Ended),
        Call::WriteBatch(writes) => table.write_batch(writes.clone()).await.map(|()| Answer::Written),
        Call::Transact(writes) => table.transact(writes.clone()).await.map(Answer::Ended),
        Call::Wait(_) | Call::RemoveExpired => Ok(Answer::Nothing),
    };
    answer.unwrap_or_else(|error| match error {
        TableError::Invalid(_) => Answer::Invalid,
        other => Answer::Failed(other.to_string()),
    })
}

/// The items of a range. A page has no more than was asked for, and says that more follow only when they do.
async fn read_to_the_end(table: &dyn Table, mut range: Range) -> Result<Vec<Item>, TableError> {
    let mut items = Vec::new();
    loop {
        let page = table.query(&range).await?;
        assert!(page.items.len() <= range.limit, "{range:?} has a page of {}", page.items.len());
        let is_promised = !items.is_empty();
        items.extend(page.items.iter().cloned());
        let Some(next) = page.next else {
            assert!(!is_promised || !page.items.is_empty(), "of {range:?} more was promised and nothing followed");
            return Ok(items);
        };
        assert_ne!(range.after.as_ref(), Some(&next), "{range:?} goes on where it began");
        range.after = Some(next);
    }
}
