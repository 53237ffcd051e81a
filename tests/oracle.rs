//! The alarm machine against an oracle that nobody here wrote: `promtool test rules`.
//!
//! Prometheus looks at a series every few seconds and takes the last sample for what is; the machine is told each sample, and
//! the passing of time. On a series without gaps both must call the same alarms active at each look. Where samples are missing
//! they differ, and should: Prometheus forgets, the machine waits for good evidence.

mod machine;
mod promtool;
mod series;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use telltale_tests::told;

use self::series::{Case, case};

/// How many rules, each on a series of its own.
const CASES: usize = 2_000;

/// Series on which the two once differed, and why.
const REMEMBERED: &str = include_str!("oracle/remembered.json");

#[test]
fn the_machine_calls_active_what_prometheus_calls_firing() {
    let seed = told::<u64>("TELLTALE_ORACLE_SEED").unwrap_or(20_261_126);
    println!("TELLTALE_ORACLE_SEED={seed}");
    let mut cases: Vec<Case> = serde_json::from_str(REMEMBERED).unwrap();
    cases.extend(random(seed));
    assert!(cases.iter().map(machine::active).any(|active| active.contains(&true)));
    promtool::agrees(&cases, machine::active);
}

/// An oracle that would agree with anything proves nothing.
#[test]
fn the_oracle_notices_one_look_that_is_wrong() {
    let cases = random(1).into_iter().take(20).collect::<Vec<_>>();
    let which = cases.iter().position(|case| machine::active(case).contains(&true)).unwrap();
    let wrong = |case: &Case| {
        let mut active = machine::active(case);
        if *case == cases[which] {
            let first = active.iter().position(|active| *active).unwrap();
            active[first] = false;
        }
        active
    };
    let told = std::panic::catch_unwind(|| promtool::agrees(&cases, wrong)).unwrap_err();
    assert!(told.downcast_ref::<String>().unwrap().contains(&format!("a{which}")));
}

fn random(seed: u64) -> Vec<Case> {
    use proptest::strategy::{Strategy, ValueTree};

    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..CASES).map(|_| case().new_tree(&mut runner).unwrap().current()).collect()
}
