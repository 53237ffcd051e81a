//! How many writes at once are counted, which take several calls.

use std::sync::Arc;

use anyhow::Result;
use records::{Condition, Item, Key, Table, Write};
use telltale_tests::{Aws, ManualClock};

#[tokio::test]
async fn each_of_many_writes_is_counted_once_however_many_calls_they_take() -> Result<()> {
    let aws = Aws::start().await?;
    let table = aws.table(Arc::new(ManualClock::new())).await?;
    let consumed = table.consumed();
    for (writes, bytes, units) in [(1, 10, 1.0), (25, 10, 25.0), (26, 10, 26.0), (100, 10, 100.0), (60, 2000, 120.0)] {
        let before = consumed.reckoned();
        table.write_batch((0..writes).map(|place| put(place, bytes)).collect()).await?;
        let after = consumed.reckoned();
        assert_eq!((after.writes - before.writes, after.reads), (units, 0.0), "{writes} writes of {bytes} bytes");
    }
    Ok(())
}

fn put(place: usize, bytes: usize) -> Write {
    let key = Key::new("p", place.to_string());
    Write::Put(Item { key, version: 1, expires: None, body: "x".repeat(bytes).into() }, Condition::Always)
}
