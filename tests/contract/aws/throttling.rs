//! What DynamoDB leaves undone is tried again, a few times.

use std::sync::Arc;

use records::{Condition, Key, Outcome, Range, Table, TableError, Write};
use table::DynamoDbTable;
use telltale_tests::{Aws, LoadedDice, ManualClock};

use crate::contract::table::item;

/// More often than any call is tried.
const FOR_LONG: u32 = 100;

struct Busy {
    aws: Aws,
    table: Box<dyn Table>,
}

impl Busy {
    async fn new() -> Self {
        let aws = Aws::start().await.unwrap();
        let table = aws.table(Arc::new(ManualClock::new())).await.unwrap();
        Self { aws, table: Box::new(table) }
    }

    async fn times(&mut self, times: u32) -> &dyn Table {
        self.aws.be_busy(times).await.unwrap();
        self.table.as_ref()
    }
}

fn put(sk: &str, condition: Condition) -> Write {
    Write::Put(item("p", sk), condition)
}

#[tokio::test]
async fn a_batch_is_written_and_read_whole_even_when_it_takes_several_tries() {
    let mut busy = Busy::new().await;
    let places: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
    let writes = places.iter().map(|sk| put(sk, Condition::Always)).collect();
    busy.times(3).await.write_batch(writes).await.unwrap();
    let keys: Vec<Key> = places.iter().map(|sk| Key::new("p", sk)).collect();
    assert_eq!(busy.times(3).await.get_many(&keys).await.unwrap().len(), 30);
}

#[tokio::test]
async fn a_write_waits_for_a_transaction_that_is_at_the_same_item() {
    let mut busy = Busy::new().await;
    let table = busy.times(2).await;
    assert_eq!(table.write(put("s", Condition::Absent)).await.unwrap(), Outcome::Applied);
    let table = busy.times(2).await;
    let both = vec![put("s", Condition::Version(1)), put("t", Condition::Absent)];
    assert_eq!(table.transact(both).await.unwrap(), Outcome::Applied);
    let table = busy.times(2).await;
    let delete = Write::Delete(Key::new("p", "s"), Condition::Version(1));
    assert_eq!(table.write(delete).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn a_table_that_stays_busy_is_away_and_nothing_was_done() {
    let mut busy = Busy::new().await;
    let table = busy.times(FOR_LONG).await;
    let both = || vec![put("s", Condition::Always), put("t", Condition::Always)];
    let failures = [
        table.write(put("s", Condition::Always)).await.err(),
        table.transact(both()).await.err(),
        table.write_batch(both()).await.err(),
        table.get_many(&[Key::new("p", "s")]).await.err(),
        table.query(&Range::all("p", 9)).await.err(),
    ];
    for failure in failures {
        assert!(matches!(failure, Some(TableError::Away(_))), "{failure:?}");
    }
    assert_eq!(busy.times(0).await.query(&Range::all("p", 9)).await.unwrap().items, []);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_away_and_says_so() {
    let aws = Aws::start().await.unwrap();
    let why = why_away(aws.endpoint()).await;
    assert!(why.contains("ResourceNotFoundException"), "{why}");
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_away_and_says_so() {
    let why = why_away("http://127.0.0.1:9").await;
    assert!(why.contains("Connection refused"), "{why}");
}

/// Why a table that nobody made is away.
async fn why_away(endpoint: &str) -> String {
    let config = engine_aws::emulated(endpoint).await;
    let table = DynamoDbTable::new(&config, "nowhere", Arc::new(ManualClock::new()), Arc::new(LoadedDice(1)));
    match table.get(&Key::new("p", "s")).await {
        Err(TableError::Away(why)) => why,
        other => panic!("not away: {other:?}"),
    }
}
