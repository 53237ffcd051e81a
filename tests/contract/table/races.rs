//! What happens when many write the same at once.

use std::sync::Arc;

use futures::future::join_all;
use records::{Condition, Item, Key, Outcome, Table, Write, meeting_point};
use tokio::sync::Barrier;

use super::{Fixture, item};

const WRITERS: usize = 32;
const ROUNDS: usize = 200;

/// How many add to both counters in one transaction, how many to one of them alone, and how often each does.
const TRANSACTORS: usize = 8;
const PUTTERS: usize = 4;
const TIMES: u64 = 5;

pub(super) async fn of_racing_increments_every_one_counts(fixture: Fixture) {
    let (tasks, each) = (20, 10);
    let increments = (0..tasks).map(|_| {
        let table = fixture.table.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                loop {
                    let found = table.get(&Key::new("p", "s")).await.unwrap();
                    let (version, condition) = match found {
                        Some(found) => (found.version + 1, Condition::Version(found.version)),
                        None => (1, Condition::Absent),
                    };
                    let write = Write::Put(Item { version, ..item("p", "s") }, condition);
                    if table.write(write).await.unwrap().applied() {
                        break;
                    }
                }
            }
        })
    });
    for increment in join_all(increments).await {
        increment.unwrap();
    }
    assert_eq!(fixture.get("p", "s").await.map(|item| item.version), Some(tasks * each));
}

pub(super) async fn racing_transfers_keep_the_sum(fixture: Fixture) {
    let account =
        |name: &str, version, amount: u64| Item { version, body: amount.to_string().into(), ..item("accounts", name) };
    let amount = |item: &Item| std::str::from_utf8(&item.body).unwrap().parse::<u64>().unwrap();
    fixture.put(account("a", 1, 1000)).await;
    fixture.put(account("b", 1, 0)).await;

    let transfers = (0..100).map(|_| async {
        let from = fixture.get("accounts", "a").await.unwrap();
        let to = fixture.get("accounts", "b").await.unwrap();
        let writes = vec![
            Write::Put(account("a", from.version + 1, amount(&from) - 1), Condition::Version(from.version)),
            Write::Put(account("b", to.version + 1, amount(&to) + 1), Condition::Version(to.version)),
        ];
        u64::from(fixture.table.transact(writes).await.unwrap().applied())
    });
    let done: u64 = join_all(transfers).await.into_iter().sum();

    assert!(done > 0);
    assert_eq!(amount(&fixture.get("accounts", "a").await.unwrap()), 1000 - done);
    assert_eq!(amount(&fixture.get("accounts", "b").await.unwrap()), done);
}

pub(super) async fn of_writers_that_race_for_a_place_exactly_one_wins(fixture: Fixture) {
    for round in 0..ROUNDS {
        // Each in a partition of its own: DynamoDB bounds how much is written to one.
        let pk = format!("round {round}");
        let outcomes = at_once(WRITERS, |writer| {
            let (table, body) = (fixture.table.clone(), writer.to_string().into());
            let mine = Item { body, ..item(&pk, "s") };
            async move {
                let outcome = table.write(Write::Put(mine.clone(), Condition::Absent)).await.unwrap();
                (mine, outcome)
            }
        });
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.await.into_iter().partition(|(_, outcome)| outcome.applied());
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        let winner = Some(won[0].0.clone());
        assert_eq!(fixture.get(&pk, "s").await, winner, "round {round}");
        for (_, outcome) in lost {
            assert_eq!(outcome, Outcome::Refused { index: 0, found: winner.clone() }, "round {round}");
        }
    }
}

pub(super) async fn transactions_and_puts_that_race_lose_no_update(fixture: Fixture) {
    at_once(TRANSACTORS + PUTTERS, |writer| {
        let table = fixture.table.clone();
        // In either order, so that transactions meet head on.
        let counters = match writer {
            putter if putter >= TRANSACTORS => vec!["both"],
            even if even % 2 == 0 => vec!["both", "transactions"],
            _ => vec!["transactions", "both"],
        };
        async move {
            for _ in 0..TIMES {
                while !add(table.as_ref(), &counters, amount(writer)).await {}
            }
        }
    })
    .await;
    for (counter, writers) in [("transactions", TRANSACTORS), ("both", TRANSACTORS + PUTTERS)] {
        let found = fixture.get("counters", counter).await.map(|item| (item.version, sum(&item)));
        let times = TIMES * u64::try_from(writers).unwrap();
        assert_eq!(found, Some((times, TIMES * (0..writers).map(amount).sum::<u64>())), "{counter}");
    }
}

/// Each adds another amount, so that the sum tells whose went missing.
fn amount(writer: usize) -> u64 {
    1 << (2 * writer)
}

/// Adds to counters, all or none, as they were read; false when somebody else added to one of them meanwhile.
async fn add(table: &dyn Table, counters: &[&str], amount: u64) -> bool {
    let mut writes = Vec::new();
    for counter in counters {
        let found = table.get(&Key::new("counters", *counter)).await.unwrap();
        let (version, before) = found.map_or((0, 0), |item| (item.version, sum(&item)));
        let condition = if version == 0 { Condition::Absent } else { Condition::Version(version) };
        let body = (before + amount).to_string().into();
        writes.push(Write::Put(Item { version: version + 1, body, ..item("counters", counter) }, condition));
    }
    let outcome = match writes.as_slice() {
        [one] => table.write(one.clone()).await,
        _ => table.transact(writes).await,
    };
    outcome.unwrap().applied()
}

fn sum(counter: &Item) -> u64 {
    std::str::from_utf8(&counter.body).unwrap().parse().unwrap()
}

/// Has so many do the same, each in a task of its own that begins when all are ready.
async fn at_once<T, F>(count: usize, mut task: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(Barrier::new(count));
    let tasks = (0..count).map(|number| {
        let (ready, task) = (ready.clone(), task(number));
        tokio::spawn(async move {
            ready.wait().await;
            task.await
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(|ended| ended.unwrap()).collect()
}

pub(super) async fn all_who_name_a_queue_at_once_agree_on_one(fixture: Fixture) {
    let named = (0..WRITERS).map(|number| {
        let table = fixture.table.clone();
        tokio::spawn(async move { meeting_point::agree(table.as_ref(), &format!("redis {number}")).await.unwrap() })
    });
    let mut agreed: Vec<String> = join_all(named).await.into_iter().map(Result::unwrap).collect();
    agreed.dedup();
    assert_eq!(agreed, [meeting_point::queue(fixture.table.as_ref()).await.unwrap().unwrap()]);
}
