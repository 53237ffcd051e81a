//! Time and chance: `Clock` and `Dice`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use boot::{SystemClock, SystemDice};
use jobs::ports::Dice;
use records::Clock;
use telltale_tests::{ManualClock, eventually};

/// What shows the time, and what makes it go on.
pub(super) struct Fixture {
    clock: Arc<dyn Clock>,
    go_on: Box<dyn Fn() + Send + Sync>,
}

impl Fixture {
    fn system() -> Self {
        Self { clock: Arc::new(SystemClock), go_on: Box::new(|| {}) }
    }

    fn manual() -> Self {
        let clock = Arc::new(ManualClock::new());
        let hand = Arc::clone(&clock);
        Self { clock, go_on: Box::new(move || hand.advance(Duration::from_millis(1))) }
    }
}

suite!([system, manual]; [time_goes_on_and_never_back, time_is_of_this_age]);

async fn time_goes_on_and_never_back(fixture: Fixture) {
    let begun = fixture.clock.now();
    let mut last = begun;
    eventually("the time goes on", async || {
        (fixture.go_on)();
        let now = fixture.clock.now();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
        (now > begun).then_some(())
    })
    .await;
}

async fn time_is_of_this_age(fixture: Fixture) {
    let year: u32 = fixture.clock.now().rfc3339()[..4].parse().unwrap();
    assert!((2026..2100).contains(&year), "{year}");
}

#[test]
fn real_dice_never_show_the_same_twice() {
    let rolls: BTreeSet<u64> = (0..10_000).map(|_| SystemDice.roll()).collect();
    assert_eq!(rolls.len(), 10_000);
    assert!(rolls.iter().any(|roll| roll >> 63 == 1), "all 64 bits are random");
}
