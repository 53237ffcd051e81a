//! The jobs in worlds without luck: a seed decides who goes on next between any two calls of a port, and what goes wrong.
//! After each stretch, when all is settled, what is remembered and what people were told is compared with what the field said.
//!
//! The scheduler is our own, over the ports in memory: one thread, no waiting, a clock that is turned by hand.

mod by_hand;
mod chance;
mod checks;
mod faults;
mod field;
mod gate;
mod life;
mod ports;
mod run;
mod says;
mod scheduler;
mod site;
mod trace;
mod truth;
mod world;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use telltale_tests::told;

use life::live;

/// What the person who runs the tests says: the one seed to live through, or the first of many.
const SEED: &str = "TELLTALE_SIMULATION_SEED";

/// In how many worlds the long test lives, unless it is to be 100,000.
const WORLDS: &str = "TELLTALE_SIMULATION_WORLDS";

#[test]
fn whatever_the_order_and_whatever_dies_what_was_said_is_stored_once_and_told_once() {
    match told::<u64>(SEED) {
        Some(seed) => all_live_well(seed..seed + 1),
        None => all_live_well(0..500),
    }
}

#[test]
#[ignore = "takes long"]
fn whatever_the_order_in_very_many_worlds_what_was_said_is_stored_once_and_told_once() {
    let (first, worlds) = (told(SEED).unwrap_or(1_000_000), told(WORLDS).unwrap_or(100_000));
    println!("{SEED}={first} {WORLDS}={worlds}");
    all_live_well(first..first + worlds);
}

#[test]
fn a_seed_is_the_same_world_each_time() {
    for seed in 0..20 {
        let (first, second) = in_a_runtime(|| (live(seed, true), live(seed, true)));
        assert!(first.trace.len() > 100, "seed {seed}: {:?}", first.trace);
        assert_eq!(first, second, "seed {seed}");
    }
}

/// How many worlds that are not well are enough to look for the cause.
const ENOUGH: usize = 40;

/// Lives through the worlds of these seeds, on all cores. Says which are not well, and everything of the first of them.
fn all_live_well(seeds: Range<u64>) {
    let (next, runs, failed) = (AtomicU64::new(seeds.start), AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let live_on = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed)) {
            let life = live(seed, false);
            runs.fetch_add(life.runs, Ordering::Relaxed);
            let mut failed = failed.lock().unwrap();
            if !life.violations.is_empty() {
                failed.insert(seed, life.violations);
            }
            if failed.len() >= ENOUGH {
                return;
            }
        }
    };
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| in_a_runtime(live_on));
        }
    });
    println!("{} runs of jobs in {:?}", runs.into_inner(), began.elapsed());
    tell(&failed.into_inner().unwrap());
}

/// What is not well where, and all that happened in the first such world.
fn tell(failed: &BTreeMap<u64, Vec<String>>) {
    let Some((seed, violations)) = failed.first_key_value() else { return };
    println!("{}", in_a_runtime(|| live(*seed, true)).trace.join("\n"));
    for (seed, violations) in failed {
        println!("seed {seed}: {}", violations[0]);
    }
    panic!(
        "{} worlds are not well, the first is that of seed {seed}:\n  {}\nto see it alone: {SEED}={seed} cargo test -p \
         telltale-tests --test suite -- simulation::whatever",
        failed.len(),
        violations.join("\n  ")
    );
}

/// Jobs are run for as long as their lease, by a clock that the runtime has. Nothing here takes as long.
fn in_a_runtime<T>(work: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    work()
}
