//! Several processes that meet over Redis, of which any may die: what was acknowledged is there afterwards, and nobody is
//! told twice.

use anyhow::Result;
use telltale_tests::Cluster;

use super::{ACKNOWLEDGED, DELIVERED, check, load::Load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_do_what_one_does() -> Result<()> {
    let mut load = Load::<Cluster>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED * 4).await?;
    load.until_delivered(DELIVERED * 2).await;
    check(load.end().await, &[]).await
}
