//! The `Table` suite: on memory, on the embedded store and on DynamoDB as moto plays it; on DynamoDB Local and on DynamoDB
//! itself where the person who runs the tests says so (`tests/run --help`).

mod differential;
mod expiry;
mod owner;
mod prefetched;
mod races;
mod reads;
mod rules;
mod writes;

use std::sync::Arc;

use engine_embedded::Engine;
use records::{Condition, Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::{EmbeddedTable, MemoryTable, RemoteTable, TableServer};
use telltale_tests::{Apart, Aws, ManualClock};
use tempfile::TempDir;
use tokio::{runtime::Handle, task::block_in_place};
use tokio_util::sync::CancellationToken;

use self::{expiry::*, races::*, reads::*, rules::*, writes::*};

macro_rules! table_suite {
    ($adapters:tt) => {
        suite!($adapters; [
            what_was_put_is_read_back,
            a_put_replaces_what_was_there,
            a_put_if_absent_is_refused_where_something_is,
            an_update_is_done_on_the_version_it_read_and_no_other,
            a_condition_on_nothing_is_refused_with_nothing,
            a_delete_is_done_on_its_version_only,
            deleting_nothing_is_fine,
            of_racing_increments_every_one_counts,
            a_transaction_is_done_whole_or_not_at_all,
            racing_transfers_keep_the_sum,
            of_writers_that_race_for_a_place_exactly_one_wins,
            transactions_and_puts_that_race_lose_no_update,
            all_who_name_a_queue_at_once_agree_on_one,
            a_batch_of_many_is_all_there,
            what_no_engine_could_hold_is_refused,
            the_largest_item_is_taken,
            a_transaction_of_more_than_4_mb_is_refused,
            many_are_got_at_once_each_one_time,
            a_partition_is_read_in_the_order_of_its_bytes,
            partitions_do_not_mix,
            a_range_includes_both_its_ends,
            a_range_turned_round_is_empty,
            a_prefix_ends_where_it_ends,
            newest_first_is_the_reverse,
            pages_join_without_gap_or_repeat,
            a_full_last_page_says_it_is_the_last,
            a_page_goes_on_where_an_item_was_removed,
            a_page_goes_on_from_outside_the_range,
            an_expired_item_is_not_read,
            an_expired_item_counts_as_absent_for_conditions,
            expired_items_do_not_use_up_a_page,
            an_item_lives_as_its_last_writing_says,
            as_many_rules_as_may_be_are_changed_at_once_all_or_none,
        ]);
    };
}

table_suite!([memory, apart, embedded, remote, dynamodb]);
#[cfg(dynamodb_local)]
table_suite!([dynamodb_local]);
#[cfg(dynamodb_on_aws)]
table_suite!([dynamodb_on_aws]);

/// A table, the time it goes by, and where it lies.
pub(super) struct Fixture {
    table: Arc<dyn Table>,
    clock: Arc<ManualClock>,
    folder: Option<TempDir>,
    _aws: Option<Aws>,
}

impl Fixture {
    fn memory() -> Self {
        let clock = Arc::new(ManualClock::new());
        Self { table: Arc::new(MemoryTable::new(clock.clone())), clock, folder: None, _aws: None }
    }

    /// A part of a table in memory in which something lies already.
    fn apart() -> Self {
        let mut fixture = Self::memory();
        let others = ["p", "q", "accounts"].map(|pk| Write::Put(item(pk, "s"), Condition::Always));
        let written = block_in_place(|| Handle::current().block_on(fixture.table.write_batch(others.to_vec())));
        written.unwrap();
        fixture.table = Arc::new(Apart::new(fixture.table));
        fixture
    }

    fn embedded() -> Self {
        let clock = Arc::new(ManualClock::new());
        let folder = TempDir::new().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        let table = EmbeddedTable::new(engine, clock.clone()).unwrap();
        Self { table: Arc::new(table), clock, folder: Some(folder), _aws: None }
    }

    /// The embedded table of another process, as far as a test can have one: over its socket.
    fn remote() -> Self {
        let fixture = Self::embedded();
        let socket = fixture.folder.as_ref().unwrap().path().join("table.sock");
        let server = TableServer::listen(Arc::clone(&fixture.table), &socket).unwrap();
        tokio::spawn(server.run(CancellationToken::new()));
        Self { table: Arc::new(RemoteTable::new(&socket)), ..fixture }
    }

    fn dynamodb() -> Self {
        let clock = Arc::new(ManualClock::new());
        let start = async {
            let aws = Aws::start().await.unwrap();
            let table = aws.table(clock.clone()).await.unwrap();
            (aws, table)
        };
        let (aws, table) = block_in_place(|| Handle::current().block_on(start));
        Self { table: Arc::new(table), clock, folder: None, _aws: Some(aws) }
    }

    #[cfg(dynamodb_local)]
    fn dynamodb_local() -> Self {
        Self::shared(telltale_tests::dynamodb_local)
    }

    #[cfg(dynamodb_on_aws)]
    fn dynamodb_on_aws() -> Self {
        Self::shared(telltale_tests::dynamodb_on_aws)
    }

    /// A part of a table that all tests use, on an engine that removes what has expired by its own clock. By ours it never gets
    /// there.
    #[cfg(any(dynamodb_local, dynamodb_on_aws))]
    fn shared(open: impl AsyncFnOnce(Arc<dyn records::Clock>) -> anyhow::Result<Apart>) -> Self {
        let clock = Arc::new(ManualClock::new());
        clock.advance(std::time::Duration::from_hours(100 * 365 * 24));
        let table = block_in_place(|| Handle::current().block_on(open(clock.clone()))).unwrap();
        Self { table: Arc::new(table), clock, folder: None, _aws: None }
    }

    async fn put(&self, item: Item) {
        assert_eq!(self.table.write(Write::Put(item, Condition::Always)).await.unwrap(), Outcome::Applied);
    }

    async fn put_if(&self, item: Item, condition: Condition) -> Outcome {
        self.table.write(Write::Put(item, condition)).await.unwrap()
    }

    /// Puts an item at each of these places of one partition.
    async fn fill(&self, pk: &str, places: &[&str]) {
        for sk in places {
            self.put(item(pk, sk)).await;
        }
    }

    async fn get(&self, pk: &str, sk: &str) -> Option<Item> {
        self.table.get(&Key::new(pk, sk)).await.unwrap()
    }

    async fn query(&self, range: Range) -> Page {
        self.table.query(&range).await.unwrap()
    }

    /// The places of a whole range, in the order given, read in pages of the range's limit.
    async fn places(&self, range: Range) -> Vec<String> {
        let mut places = Vec::new();
        let mut after = None;
        loop {
            let page = self.query(range.clone().after(after)).await;
            assert!(page.items.len() <= range.limit, "a page holds no more than was asked for");
            places.extend(page.items.into_iter().map(|item| item.key.sk));
            match page.next {
                Some(next) => after = Some(next),
                None => return places,
            }
        }
    }

    async fn refuses(&self, write: Write) {
        let refused = self.table.write(write.clone()).await;
        assert!(matches!(refused, Err(TableError::Invalid(_))), "{:?}: {refused:?}", write.key());
    }
}

/// Version 1 of an item whose body is its place.
pub(super) fn item(pk: &str, sk: &str) -> Item {
    Item { key: Key::new(pk, sk), version: 1, expires: None, body: sk.to_owned().into() }
}
