//! Random sequences of calls get the same answers from every adapter: one in memory and one on the embedded store stand
//! beside the one that is tested.
//!
//! A sequence that does not is made as short as it gets, and its seed is kept in `differential.regressions`, to be tried
//! first from then on. `PROPTEST_CASES` sets how many sequences there are, `PROPTEST_RNG_SEED` which.

mod answers;
mod calls;

use std::sync::Arc;

use boot::SystemDice;
use domain::Timestamp;
use engine_embedded::Engine;
use jobs::ports::Dice;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestCaseResult, TestRunner};
use records::{Clock, Range};
use table::{EmbeddedTable, MemoryTable};
use telltale_tests::{Apart, told};
use tempfile::TempDir;
use tokio::{runtime::Handle, task::block_in_place};

use self::{
    answers::ask,
    calls::{Call, sequence},
};
use super::Fixture;

/// How many sequences there are if nobody says otherwise.
const SEQUENCES: u32 = 24;
const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contract/table/differential.regressions");

suite!([dynamodb, remote]; [random_calls_are_answered_alike]);
#[cfg(dynamodb_local)]
suite!([dynamodb_local]; [random_calls_are_answered_alike]);
#[cfg(dynamodb_on_aws)]
suite!([dynamodb_on_aws]; [random_calls_are_answered_alike]);

async fn random_calls_are_answered_alike(fixture: Fixture) {
    let seed = told("PROPTEST_RNG_SEED").unwrap_or_else(|| SystemDice.roll());
    let cases = told("PROPTEST_CASES").unwrap_or(SEQUENCES);
    eprintln!("{cases} sequences of PROPTEST_RNG_SEED={seed}");
    let three = Three::beside(fixture);
    let mut runner = TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        max_shrink_iters: 1000,
        ..Config::default()
    });
    let play = |calls: Vec<Call>| Handle::current().block_on(three.play(&calls));
    let ended = block_in_place(|| runner.run(&sequence(three.start), play));
    ended.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Tables that go by one clock.
struct Three {
    tested: Fixture,
    embedded: Arc<EmbeddedTable>,
    start: Timestamp,
    _folder: TempDir,
}

impl Three {
    fn beside(tested: Fixture) -> Self {
        let folder = TempDir::new().unwrap();
        let embedded = EmbeddedTable::new(Engine::open(folder.path()).unwrap(), tested.clock.clone()).unwrap();
        Self { start: tested.clock.now(), tested, embedded: Arc::new(embedded), _folder: folder }
    }

    /// Asks all three the same, from where nothing is written.
    async fn play(&self, calls: &[Call]) -> TestCaseResult {
        let clock = &self.tested.clock;
        clock.set_back(clock.now().since(self.start));
        let memory = MemoryTable::new(clock.clone());
        let others = [self.tested.table.clone(), self.embedded.clone()].map(Apart::new);
        for call in calls {
            match call {
                Call::Wait(time) => clock.advance(*time),
                Call::RemoveExpired => drop(self.embedded.remove_expired(1000).await.unwrap()),
                _ => same_answer(&memory, &others, call).await?,
            }
        }
        for partition in ["p", "q"] {
            same_answer(&memory, &others, &Call::Query(Range::all(partition, 3))).await?;
        }
        Ok(())
    }
}

async fn same_answer(memory: &MemoryTable, [tested, embedded]: &[Apart; 2], call: &Call) -> TestCaseResult {
    let expected = ask(memory, call).await;
    for (name, table) in [("embedded store", embedded), ("tested adapter", tested)] {
        let answer = ask(table, call).await;
        if answer != expected {
            let said = format!("{call:?}\nmemory says {expected:?}\nthe {name} says {answer:?}");
            return Err(TestCaseError::fail(said));
        }
    }
    Ok(())
}
