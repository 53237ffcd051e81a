//! A world's life, from a seed to the violations that were found in it.

use std::{sync::Arc, time::Duration};

use super::{chance::Chance, checks, faults::Faults, field::Field, scheduler::Scheduler, site, world::World};

/// How long things may go wrong after the field has said all of a stretch.
const FAULTS_LAST: Duration = Duration::from_secs(8);

/// No stretch takes as many steps, unless something goes round in circles.
const MOST_STEPS: usize = 100_000;

/// What came of a seed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// What should not be so.
    pub(super) violations: Vec<String>,
    /// What happened, if it was to be kept.
    pub(super) trace: Vec<String>,
    /// How many runs of jobs there were.
    pub(super) runs: u64,
}

/// Lives through the world of a seed.
pub(super) fn live(seed: u64, is_traced: bool) -> Life {
    let mut chance = Chance::new(seed);
    let world = match chance.below(3) {
        0 => World::that_gathers(is_traced),
        topics => World::new(is_traced, topics == 1),
    };
    let world = Arc::new(world);
    site::furnish(&world);
    let faults = Faults::some(&mut chance);
    world.trace.tell(|| format!("{faults:?}"));
    let mut field = Field::new(&world, chance.branch());
    let mut scheduler = Scheduler::new(&world, chance.branch(), faults.healed());
    let mut violations = Vec::new();
    // What everything begins with is undisturbed.
    violations.extend(settle(&mut scheduler, &mut field, &world));
    for stretch in 1..=chance.between(2, 5) {
        if !violations.is_empty() {
            break;
        }
        world.trace.tell(|| format!("--- stretch {stretch}"));
        field.begin();
        scheduler.faults = faults.clone();
        violations.extend(settle(&mut scheduler, &mut field, &world));
        field.settle();
        violations.extend(checks::all(&world, &field.truth));
    }
    Life { violations, trace: world.trace.lines(), runs: scheduler.runs_begun() }
}

/// Goes on until all that is said is worked off; says so if that does not come.
fn settle(scheduler: &mut Scheduler, field: &mut Field, world: &World) -> Option<String> {
    let mut over = None;
    for _ in 0..MOST_STEPS {
        let now = world.now();
        match field.due {
            Some(due) if due <= now => field.speak(),
            Some(_) => {}
            None if scheduler.is_idle() => return None,
            None => {
                let over = *over.get_or_insert(now);
                if now.since(over) > FAULTS_LAST {
                    scheduler.faults = scheduler.faults.healed();
                }
            }
        }
        scheduler.step(field.due);
    }
    Some("nothing ever settles".to_owned())
}
