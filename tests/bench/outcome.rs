//! What became of the answers, as the API tells it.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use telltale_tests::{Session, eventually};

use crate::{sensor::PID, site::mac};

/// The most that a page holds.
const PAGE: u32 = 200;
const ASKED_AT_A_TIME: usize = 16;

/// Waits until so many sensors' last answer, which is too warm, has raised its alarm.
pub(crate) async fn until_evaluated(admin: &Session, sensors: u32) {
    let wanted = "an active alarm for each sensor that is too warm";
    let every_sensor = async || active_alarms(admin).await.is_ok_and(|alarms| alarms == sensors).then_some(());
    eventually(wanted, every_sensor).await;
}

async fn active_alarms(admin: &Session) -> Result<u32> {
    count(admin, "/api/alarms?state=active").await
}

/// How many readings the history holds.
pub(crate) async fn stored(admin: &Session, terminals: u32) -> Result<u32> {
    let histories = (0..terminals).map(async |terminal| {
        let path = format!("/api/terminals/{}/devices/{PID}/history?", mac(terminal));
        count(admin, &path).await
    });
    stream::iter(histories).buffer_unordered(ASKED_AT_A_TIME).try_fold(0, async |all, one| Ok(all + one)).await
}

/// How many items there are on all pages of a list.
async fn count(admin: &Session, path: &str) -> Result<u32> {
    let mut items = 0;
    let mut page = admin.get(&format!("{path}&limit={PAGE}")).await?;
    loop {
        items += u32::try_from(page["items"].as_array().context("a page has items")?.len())?;
        let Some(next) = page["next"].as_str() else { return Ok(items) };
        page = admin.get(&format!("{path}&limit={PAGE}&after={next}")).await?;
    }
}
