use engine_http::axum::{body::Body, extract::Request, response::Response};
use tokio::time::{Duration, Instant, sleep};
use tower::ServiceExt;

use super::{
    posts::result,
    site::{Site, TOKEN},
};
use crate::BrokerSettings;

const A_SECOND: Duration = Duration::from_secs(1);

async fn start(gather_ms: u64) -> Site {
    start_until(gather_ms, 200).await
}

async fn start_until(gather_ms: u64, gather_reports: usize) -> Site {
    Site::start_with(BrokerSettings { gather_ms, gather_reports, ..BrokerSettings::default() }).await
}

/// What node `n1` posts. Not by a socket: time stands still, but where somebody waits for it.
async fn post(site: &Site, asked: i64) -> Response {
    let request = Request::post("/api/node/queryData").header("x-node-token", TOKEN);
    site.router.clone().oneshot(request.body(Body::from(result(asked))).unwrap()).await.unwrap()
}

fn sizes(site: &Site) -> Vec<usize> {
    site.queue.batches().iter().map(|batch| batch.reports.len()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_post_is_answered_once_its_batch_has_gathered_for_as_long_as_is_set() {
    for (gather_ms, longest) in [(0, Duration::ZERO), (1000, A_SECOND), (2500, Duration::from_millis(2500))] {
        let site = start(gather_ms).await;
        let begun = Instant::now();
        assert_eq!(post(&site, 1).await.status(), 200);
        let waited = begun.elapsed();
        assert!(waited >= longest && waited < longest + A_SECOND / 10, "{gather_ms} ms: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_while_a_batch_gathers_goes_with_it() {
    let site = start(1000).await;
    let later = async {
        sleep(A_SECOND * 9 / 10).await;
        post(&site, 2).await
    };
    let (first, second) = tokio::join!(post(&site, 1), later);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!(sizes(&site), [2]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_enough_reports_is_written_before_its_time() {
    let site = start_until(1000, 2).await;
    let begun = Instant::now();
    let (first, second) = tokio::join!(post(&site, 1), post(&site, 2));
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!(sizes(&site), [2]);
    assert!(begun.elapsed() < A_SECOND / 10, "{:?}", begun.elapsed());
}
