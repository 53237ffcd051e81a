//! The end of the workers.

use std::time::Duration;

use telltale_tests::PATIENCE;
use tokio::time;

use super::{
    Errand, Fixture,
    errands::{End, errand, open_the_gate},
};

pub(super) async fn stopping_lets_runs_end_and_claims_no_more(fixture: Fixture) {
    let workers = fixture.start::<Errand>(2);
    fixture.enqueue((0..5).map(|n| errand(n, End::DoneWhenOpen))).await;
    fixture.until_counts::<Errand>((3, 2, 0)).await;

    fixture.stop.cancel();
    assert!(!workers.is_finished());
    open_the_gate(&fixture.cx).await;
    time::timeout(PATIENCE, workers).await.expect("they stop").unwrap();
    assert_eq!(fixture.counts::<Errand>().await, (3, 0, 0));
}

pub(super) async fn stopping_idle_workers_takes_no_time(fixture: Fixture) {
    let workers = fixture.start::<Errand>(2);
    fixture.enqueue([errand("first", End::Done)]).await;
    fixture.until_counts::<Errand>((0, 0, 0)).await;
    fixture.stop.cancel();
    time::timeout(Duration::from_secs(10), workers).await.expect("there is nothing to wait for").unwrap();
}
