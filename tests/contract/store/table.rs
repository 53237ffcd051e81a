//! The table in a folder.

use std::{sync::Arc, time::Duration};

use engine_embedded::Engine;
use records::{Clock, Condition, Item, Key, Range, Table, Write};
use table::EmbeddedTable;
use telltale_tests::ManualClock;
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_mins(1);

fn item(sk: &str) -> Item {
    Item { key: Key::new("p", sk), version: 1, expires: None, body: sk.to_owned().into() }
}

async fn put(table: &EmbeddedTable, item: Item) {
    assert!(table.write(Write::Put(item, Condition::Always)).await.unwrap().applied());
}

async fn places(table: &EmbeddedTable) -> Vec<String> {
    table.query(&Range::all("p", 100)).await.unwrap().items.into_iter().map(|item| item.key.sk).collect()
}

#[tokio::test]
async fn items_are_there_again_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new());
    let kept = Item { version: 7, expires: Some(clock.now().plus(MINUTE)), ..item("kept") };
    {
        let table = EmbeddedTable::new(Engine::open(folder.path()).unwrap(), clock.clone()).unwrap();
        put(&table, kept.clone()).await;
        put(&table, item("removed")).await;
        assert!(table.write(Write::Delete(Key::new("p", "removed"), Condition::Version(1))).await.unwrap().applied());
    }
    let table = EmbeddedTable::new(Engine::open(folder.path()).unwrap(), clock.clone()).unwrap();
    assert_eq!(table.query(&Range::all("p", 100)).await.unwrap().items, [kept]);
}

#[tokio::test]
async fn expired_items_are_removed_and_no_others() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let clock = Arc::new(ManualClock::new());
    let table = EmbeddedTable::new(engine.clone(), clock.clone()).unwrap();
    // A clock that stays behind sees what is stored, expired or not.
    let everything = EmbeddedTable::new(engine, Arc::new(ManualClock::new())).unwrap();

    let until = |wait| Some(clock.now().plus(wait));
    put(&table, Item { expires: until(MINUTE), ..item("brief") }).await;
    put(&table, Item { expires: until(MINUTE), ..item("prolonged") }).await;
    put(&table, Item { expires: until(MINUTE * 2), ..item("prolonged") }).await;
    put(&table, Item { expires: until(MINUTE), ..item("made lasting") }).await;
    put(&table, item("made lasting")).await;
    put(&table, Item { expires: until(MINUTE * 3), ..item("long") }).await;
    assert_eq!(table.remove_expired(100).await.unwrap(), 0);

    clock.advance(MINUTE);
    assert_eq!(table.remove_expired(100).await.unwrap(), 3);
    assert_eq!(places(&everything).await, ["long", "made lasting", "prolonged"]);
    clock.advance(MINUTE);
    assert_eq!(table.remove_expired(100).await.unwrap(), 1);
    assert_eq!(places(&everything).await, ["long", "made lasting"]);
    assert_eq!(table.remove_expired(100).await.unwrap(), 0);
}

#[tokio::test]
async fn removing_goes_in_steps() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new());
    let table = EmbeddedTable::new(Engine::open(folder.path()).unwrap(), clock.clone()).unwrap();
    for n in 0..25 {
        put(&table, Item { expires: Some(clock.now()), ..item(&n.to_string()) }).await;
    }
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(table.remove_expired(10).await.unwrap());
    }
    assert_eq!(steps, [10, 10, 5]);
}
