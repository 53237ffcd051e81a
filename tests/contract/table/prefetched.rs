//! A table that knows what a run will need: it reads as the table under it, only less often.

use std::sync::Arc;

use domain::{Mac, Source};
use records::{Outcome, Prefetched, Table, alarms, terminals};
use table::MemoryTable;
use telltale_tests::{ManualClock, flow::mac};

/// A table, and one that was told of a terminal before.
async fn both() -> (Arc<dyn Table>, Prefetched) {
    let table: Arc<dyn Table> = Arc::new(MemoryTable::new(Arc::new(ManualClock::new())));
    let prefetched = Prefetched::of_terminals(Arc::clone(&table), [&mac()]).await.unwrap();
    (table, prefetched)
}

/// Writes how a terminal stands, with so many misses of its first device, in place of what `seen` shows.
async fn stands(table: &dyn Table, seen: &dyn Table, misses: u32) -> Outcome {
    let mut standing = terminals::standing(seen, &mac()).await.unwrap();
    standing.value.misses.insert(1, misses);
    table.write(terminals::put_standing(&mac(), &standing).unwrap()).await.unwrap()
}

async fn misses(table: &dyn Table) -> Option<u32> {
    terminals::standing(table, &mac()).await.unwrap().value.misses.get(&1).copied()
}

#[tokio::test]
async fn what_it_knows_is_not_read_again_until_it_is_written() {
    let (table, prefetched) = both().await;
    assert!(stands(table.as_ref(), table.as_ref(), 1).await.applied());
    assert_eq!(misses(&prefetched).await, None, "it knows that nothing is there");
    assert!(!stands(&prefetched, &prefetched, 7).await.applied(), "somebody else wrote it");
    assert_eq!(misses(&prefetched).await, Some(1), "what was refused is read anew");
    assert!(stands(&prefetched, &prefetched, 2).await.applied());
    assert_eq!((misses(&prefetched).await, misses(table.as_ref()).await), (Some(2), Some(2)));
}

#[tokio::test]
async fn what_it_does_not_know_is_read_where_it_lies() {
    let (table, prefetched) = both().await;
    let other: Mac = "AABBCCDDEE09".parse().unwrap();
    let standing = terminals::standing(table.as_ref(), &other).await.unwrap();
    assert!(table.write(terminals::put_standing(&other, &standing).unwrap()).await.unwrap().applied());
    assert_eq!(terminals::standing(&prefetched, &other).await.unwrap().version, 1);
    let macs = [mac(), other.clone()];
    assert_eq!(terminals::standings(&prefetched, &macs).await.unwrap().into_keys().collect::<Vec<_>>(), [other]);
}

#[tokio::test]
async fn evidence_finds_its_source_and_what_is_remembered_of_it() {
    let (table, _) = both().await;
    let source = Source::Terminal(mac());
    let prefetched = Prefetched::of_sources(Arc::clone(&table), [&source]).await.unwrap();
    let watch = alarms::watch(table.as_ref(), &source).await.unwrap();
    assert!(table.transact(alarms::put_watch(&source, &watch, None).unwrap()).await.unwrap().applied());
    assert_eq!(alarms::watch(&prefetched, &source).await.unwrap().version, 0, "as it was when it was read");
    assert!(!prefetched.transact(alarms::put_watch(&source, &watch, None).unwrap()).await.unwrap().applied());
    assert_eq!(alarms::watch(&prefetched, &source).await.unwrap().version, 1);
}
