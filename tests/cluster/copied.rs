//! A data folder that is copied with all that it says of itself: one of both has the jobs.

use anyhow::Result;
use serde_json::json;
use telltale_tests::{Cluster, Size, eventually, refusal_of, starts};

/// What is said to who works on the other.
const WHY: [&str; 3] = ["another copy of this store", "Stop the parts", "redis.namespace"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_copy_of_the_store_nobody_takes_its_jobs_until_those_who_did_are_gone_who_take_none_then() -> Result<()> {
    let size = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let mut cluster = Cluster::start(size, "streams", &json!({}), "").await?;
    let (copy, _owner) = cluster.copied().await?;
    let config = format!("data = '{}'\n[redis]\nurl = '{}'\n", copy.display(), cluster.redis.url());
    let refused = async |part| refusal_of(part, tempfile::tempdir()?.path(), &config, &[]).await;
    let (worker, broker, api) = tokio::try_join!(refused("worker"), refused("broker"), refused("api"))?;
    for told in [worker, broker, api] {
        assert!(WHY.iter().all(|words| told.contains(words)), "{told}");
    }

    // Nobody hears of it for longer than it is waited for.
    cluster.brokers[0].kill().await?;
    cluster.api.kill().await?;
    cluster.workers[0].hangs()?;
    starts("worker", tempfile::tempdir()?.path(), &config, &[]).await?;
    cluster.workers[0].goes_on()?;
    let ended = eventually("the worker ends", async || cluster.workers[0].ended().ok().flatten()).await;
    assert!(!ended.success(), "{ended}");

    eventually("the one of before is started again", async || cluster.workers[0].restart().await.ok()).await;
    let told = refused("worker").await?;
    assert!(WHY.iter().all(|words| told.contains(words)), "{told}");
    Ok(())
}
