//! The heartbeat goes the whole way, from a device on its line to an address outside, and stays away when any part does.

use std::time::Duration;

use anyhow::Result;
use telltale_tests::eventually;
use tokio::time::Instant;

use super::field::{Field, FieldSettings};

/// Some intervals.
const SOME_SECONDS: Duration = Duration::from_secs(4);

#[tokio::test]
async fn it_beats_while_devices_are_read_and_stops_with_them() -> Result<()> {
    let field = Field::with(FieldSettings { beats: true, ..FieldSettings::default() }).await?;
    field.webhook.until_delivery("Heartbeat").await?;
    field.three_more_readings().await?;
    let beats = field.webhook.deliveries("Heartbeat");
    assert_eq!(beats[0].body["type"], "heartbeat");
    assert!(!beats[0].genuine, "it has no signature");
    let Field { gateway, webhook, .. } = field;
    drop(gateway);
    let (mut told, mut since) = (0, Instant::now());
    eventually("nothing is told for some seconds", async || {
        let now = webhook.deliveries("Heartbeat").len();
        if now > told {
            (told, since) = (now, Instant::now());
        }
        (since.elapsed() > SOME_SECONDS).then_some(())
    })
    .await;
    Ok(())
}
