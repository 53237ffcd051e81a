//! Writes and their conditions.

use bytes::Bytes;
use records::{Condition, Item, Key, MOST_IN_A_TRANSACTION, Outcome, Range, TableError, Write};

use super::{Fixture, item};

pub(super) async fn what_was_put_is_read_back(fixture: Fixture) {
    let odd = Item { version: u64::MAX, body: Bytes::from_static(&[0, 255, 1]), ..item("p/ü 1", "s#~é") };
    fixture.put(odd.clone()).await;
    assert_eq!(fixture.get("p/ü 1", "s#~é").await, Some(odd));
    assert_eq!(fixture.get("p/ü 1", "s#~").await, None);
}

pub(super) async fn a_put_replaces_what_was_there(fixture: Fixture) {
    fixture.put(item("p", "s")).await;
    let second = Item { version: 2, body: Bytes::new(), ..item("p", "s") };
    fixture.put(second.clone()).await;
    assert_eq!(fixture.get("p", "s").await, Some(second));
}

pub(super) async fn a_put_if_absent_is_refused_where_something_is(fixture: Fixture) {
    let first = item("p", "s");
    assert_eq!(fixture.put_if(first.clone(), Condition::Absent).await, Outcome::Applied);
    let second = Item { body: "second".into(), ..first.clone() };
    let refused = fixture.put_if(second, Condition::Absent).await;
    assert_eq!(refused, Outcome::Refused { index: 0, found: Some(first.clone()) });
    assert_eq!(fixture.get("p", "s").await, Some(first));
}

pub(super) async fn an_update_is_done_on_the_version_it_read_and_no_other(fixture: Fixture) {
    let first = item("p", "s");
    fixture.put(first.clone()).await;
    let second = Item { version: 2, ..first.clone() };
    let refused = fixture.put_if(second.clone(), Condition::Version(2)).await;
    assert_eq!(refused, Outcome::Refused { index: 0, found: Some(first) });
    assert_eq!(fixture.put_if(second.clone(), Condition::Version(1)).await, Outcome::Applied);
    assert_eq!(fixture.get("p", "s").await, Some(second));
}

pub(super) async fn a_condition_on_nothing_is_refused_with_nothing(fixture: Fixture) {
    let refused = fixture.put_if(item("p", "s"), Condition::Version(1)).await;
    assert_eq!(refused, Outcome::Refused { index: 0, found: None });
}

pub(super) async fn a_delete_is_done_on_its_version_only(fixture: Fixture) {
    let first = item("p", "s");
    fixture.put(first.clone()).await;
    let delete = |version| Write::Delete(Key::new("p", "s"), Condition::Version(version));
    let refused = fixture.table.write(delete(2)).await.unwrap();
    assert_eq!(refused, Outcome::Refused { index: 0, found: Some(first) });
    assert!(fixture.table.write(delete(1)).await.unwrap().applied());
    assert_eq!(fixture.get("p", "s").await, None);
}

pub(super) async fn deleting_nothing_is_fine(fixture: Fixture) {
    let delete = Write::Delete(Key::new("p", "s"), Condition::Always);
    assert!(fixture.table.write(delete).await.unwrap().applied());
}

pub(super) async fn a_transaction_is_done_whole_or_not_at_all(fixture: Fixture) {
    fixture.fill("p", &["there"]).await;
    let writes = |condition| {
        vec![
            Write::Put(item("p", "a"), Condition::Absent),
            Write::Delete(Key::new("p", "there"), Condition::Version(1)),
            Write::Put(item("q", "b"), condition),
        ]
    };
    let refused = fixture.table.transact(writes(Condition::Version(7))).await.unwrap();
    assert_eq!(refused, Outcome::Refused { index: 2, found: None });
    assert_eq!(fixture.places(Range::all("p", 9)).await, ["there"]);

    assert!(fixture.table.transact(writes(Condition::Absent)).await.unwrap().applied());
    assert_eq!(fixture.places(Range::all("p", 9)).await, ["a"]);
    assert_eq!(fixture.places(Range::all("q", 9)).await, ["b"]);
}

pub(super) async fn a_batch_of_many_is_all_there(fixture: Fixture) {
    let count = 3 * MOST_IN_A_TRANSACTION;
    let places: Vec<String> = (0..count).map(|n| format!("{n:04}")).collect();
    fixture.put(item("p", "9999")).await;
    let mut writes: Vec<Write> = places.iter().map(|sk| Write::Put(item("p", sk), Condition::Always)).collect();
    writes.push(Write::Delete(Key::new("p", "9999"), Condition::Always));
    fixture.table.write_batch(writes).await.unwrap();
    assert_eq!(fixture.places(Range::all("p", 1000)).await, places);
}

pub(super) async fn what_no_engine_could_hold_is_refused(fixture: Fixture) {
    let put = |item| Write::Put(item, Condition::Always);
    for (pk, sk) in
        [("", "s"), ("p", ""), ("p\0", "s"), ("p", "\0s"), (&"p".repeat(2049), "s"), ("p", &"s".repeat(1025))]
    {
        fixture.refuses(put(item(pk, sk))).await;
        fixture.refuses(Write::Delete(Key::new(pk, sk), Condition::Always)).await;
        assert!(matches!(fixture.table.get(&Key::new(pk, sk)).await, Err(TableError::Invalid(_))));
    }
    fixture.refuses(put(Item { body: vec![0; 350 * 1024 + 1].into(), ..item("p", "s") })).await;

    let numbered = |count: usize| (0..count).map(|n| put(item("p", &n.to_string()))).collect::<Vec<_>>();
    let too_many = fixture.table.transact(numbered(MOST_IN_A_TRANSACTION + 1)).await;
    assert!(matches!(too_many, Err(TableError::Invalid(_))), "{too_many:?}");
    let twice = fixture.table.transact(vec![put(item("p", "s")), put(item("p", "s"))]).await;
    assert!(matches!(twice, Err(TableError::Invalid(_))), "{twice:?}");
    let conditional = fixture.table.write_batch(vec![Write::Put(item("p", "s"), Condition::Absent)]).await;
    assert!(matches!(conditional, Err(TableError::Invalid(_))), "{conditional:?}");
    let no_limit = fixture.table.query(&Range::all("p", 0)).await;
    assert!(matches!(no_limit, Err(TableError::Invalid(_))), "{no_limit:?}");

    assert_eq!(fixture.places(Range::all("p", 9)).await, [""; 0]);
    assert!(fixture.table.transact(numbered(MOST_IN_A_TRANSACTION)).await.unwrap().applied());
}

pub(super) async fn the_largest_item_is_taken(fixture: Fixture) {
    let largest = Item { body: vec![7; 350 * 1024].into(), ..item(&"p".repeat(2048), &"s".repeat(1024)) };
    fixture.put(largest.clone()).await;
    assert_eq!(fixture.table.get(&largest.key).await.unwrap(), Some(largest));
}

pub(super) async fn a_transaction_of_more_than_4_mb_is_refused(fixture: Fixture) {
    let put = |n: usize| {
        Write::Put(Item { body: vec![7; 350 * 1024].into(), ..item("p", &format!("{n:02}")) }, Condition::Absent)
    };
    let refused = fixture.table.transact((0..12).map(put).collect()).await;
    assert!(matches!(refused, Err(TableError::Invalid(_))), "{refused:?}");
    assert!(fixture.table.transact((0..11).map(put).collect()).await.unwrap().applied());
    assert_eq!(fixture.places(Range::all("p", 20)).await.len(), 11);
}
