//! A write was done and its answer lost, so the SDK tries it again, on an engine that knows no transaction tokens. Nothing is
//! done twice, and who would be hurt by a refusal finds that what stands in the way is their own.

use std::{sync::Arc, time::Duration};

use domain::Source;
use records::{
    Clock, Condition, Item, Key, Outcome, Table, Write, brokers,
    ledger::{self, Claim},
    operations::{self, Operation, What},
};
use telltale_tests::{Aws, ManualClock};

use crate::contract::table::item;

struct Lossy {
    aws: Aws,
    clock: Arc<ManualClock>,
    table: Box<dyn Table>,
}

impl Lossy {
    async fn new() -> Self {
        let aws = Aws::start().await.unwrap();
        let clock = Arc::new(ManualClock::new());
        let table = aws.table(clock.clone()).await.unwrap();
        Self { aws, clock, table: Box::new(table) }
    }

    /// The table, when the answer to the next write gets lost.
    async fn once(&mut self) -> &dyn Table {
        self.aws.lose_answers(1).await.unwrap();
        self.table.as_ref()
    }

    async fn get(&self, sk: &str) -> Option<Item> {
        self.table.get(&Key::new("p", sk)).await.unwrap()
    }
}

fn second(sk: &str) -> Item {
    Item { version: 2, ..item("p", sk) }
}

#[tokio::test]
async fn a_put_is_refused_with_what_it_put() {
    let mut lossy = Lossy::new().await;
    let first = lossy.once().await.write(Write::Put(item("p", "s"), Condition::Absent)).await.unwrap();
    assert_eq!(first, Outcome::Refused { index: 0, found: Some(item("p", "s")) });
    let update = lossy.once().await.write(Write::Put(second("s"), Condition::Version(1))).await.unwrap();
    assert_eq!(update, Outcome::Refused { index: 0, found: Some(second("s")) });
    assert_eq!(lossy.get("s").await, Some(second("s")));
}

#[tokio::test]
async fn a_delete_is_refused_with_nothing() {
    let mut lossy = Lossy::new().await;
    assert!(lossy.table.write(Write::Put(item("p", "s"), Condition::Always)).await.unwrap().applied());
    let delete = Write::Delete(Key::new("p", "s"), Condition::Version(1));
    assert_eq!(lossy.once().await.write(delete).await.unwrap(), Outcome::Refused { index: 0, found: None });
}

#[tokio::test]
async fn a_transaction_is_done_once_and_refused_with_what_it_put() {
    let mut lossy = Lossy::new().await;
    assert!(lossy.table.write(Write::Put(item("p", "s"), Condition::Always)).await.unwrap().applied());
    let writes = vec![
        Write::Put(item("p", "log"), Condition::Always),
        Write::Put(second("s"), Condition::Version(1)),
        Write::Put(item("p", "t"), Condition::Absent),
    ];
    let outcome = lossy.once().await.transact(writes).await.unwrap();
    assert_eq!(outcome, Outcome::Refused { index: 1, found: Some(second("s")) });
    assert_eq!((lossy.get("s").await, lossy.get("t").await), (Some(second("s")), Some(item("p", "t"))));
}

#[tokio::test]
async fn what_has_no_condition_is_done_once_more_and_acknowledged() {
    let mut lossy = Lossy::new().await;
    let put = |sk| Write::Put(item("p", sk), Condition::Always);
    assert!(lossy.once().await.write(put("s")).await.unwrap().applied());
    assert!(lossy.once().await.transact(vec![put("t"), put("u")]).await.unwrap().applied());
    lossy.once().await.write_batch(vec![put("v"), put("w")]).await.unwrap();
}

#[tokio::test]
async fn a_broker_is_not_taken_for_dead() {
    let mut lossy = Lossy::new().await;
    let now = lossy.clock.now();
    let later = now.plus(Duration::from_secs(15));
    brokers::begin(lossy.once().await, "b1", None, now).await.unwrap();
    assert!(brokers::live(lossy.once().await, "b1", later).await.unwrap());
    assert_eq!(brokers::all(lossy.table.as_ref()).await.unwrap()[0].at, later);
}

#[tokio::test]
async fn an_operation_begins_and_another_of_its_id_does_not() {
    let mut lossy = Lossy::new().await;
    let (about, at) = (Source::Node("n1".to_owned()), lossy.clock.now());
    let (id, node, by) = ("o1".to_owned(), "n1".to_owned(), "ann".to_owned());
    let operation = Operation { id, about, node, broker: None, what: What::Restart, by, at, ended: None };
    assert!(operations::put_new(lossy.once().await, &operation).await.unwrap());
    let another = Operation { by: "bob".to_owned(), ..operation };
    assert!(!operations::put_new(lossy.once().await, &another).await.unwrap());
}

#[tokio::test]
async fn a_claim_is_nobodys_until_its_lease_runs_out() {
    let mut lossy = Lossy::new().await;
    let (now, lease) = (lossy.clock.now(), Duration::from_secs(30));
    let claim = ledger::claim(lossy.once().await, "k", now, lease).await.unwrap();
    assert!(matches!(claim, Claim::Busy(until) if until == now.plus(lease)), "{claim:?}");
    let later = now.plus(lease);
    let claim = ledger::claim(lossy.table.as_ref(), "k", later, lease).await.unwrap();
    let Claim::Ours(claimed) = claim else { panic!("{claim:?}") };
    assert!(claimed.unfinished_before);
}
