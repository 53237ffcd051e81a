//! Who is told what, and that they are told once.

use anyhow::Result;

use super::{
    field::{Field, until_latest},
    site::{HALL, METER, SENSOR},
};

const ALARM: &str = "Alarm";
const RECOVERED: &str = "Recovered";

#[tokio::test]
async fn crossing_a_threshold_is_told_once_and_going_back_is_told_once() -> Result<()> {
    let mut field = Field::start().await?;
    let browser = field.browser("ann", &["alarm"]).await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    field.until_told(ALARM).await?;
    browser.until("alarm").await?;
    assert_eq!(field.until_alarms("active", 1).await?[0]["rule"], "threshold:temperature");
    field.three_more_readings().await?;
    field.was_told(1, 0);

    field.slave.set(SENSOR, &[253, 600, 1]).await?;
    field.until_told(RECOVERED).await?;
    field.until_alarms("cleared", 1).await?;
    field.three_more_readings().await?;
    field.was_told(1, 1);
    assert!(field.alarms("active").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_dead_device_times_out_once_and_recovers_once_beside_a_living_neighbour() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.slave.silence(SENSOR).await?;
    field.until_told(ALARM).await?;
    assert_eq!(field.until_alarms("active", 1).await?[0]["rule"], "timeout");
    field.slave.set(METER, &[231]).await?;
    until_latest(&field.ann, HALL, METER, "voltage", "231").await?;

    field.slave.unsilence(SENSOR).await?;
    field.until_told(RECOVERED).await?;
    field.three_more_readings().await?;
    field.was_told(1, 1);
    assert_eq!(field.alarms("cleared").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_terminal_that_stays_away_is_offline_once_and_back_once_and_speaks_for_its_devices() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.gateway.drop_terminal(HALL).await?;
    field.until_told(ALARM).await?;
    assert_eq!(field.until_alarms("active", 1).await?[0]["rule"], "offline");

    field.gateway.restore_terminal(HALL).await?;
    field.until_told(RECOVERED).await?;
    field.three_more_readings().await?;
    field.was_told(1, 1);
    assert!(field.alarms("active").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_terminal_that_is_away_for_a_moment_is_not_worth_a_word() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.gateway.drop_terminal(HALL).await?;
    field.gateway.restore_terminal(HALL).await?;
    field.gateway.until_sent("terminalOff", 1).await?;
    // Three intervals are longer than the debounce: by then it would have been told.
    field.three_more_readings().await?;
    field.was_told(0, 0);
    Ok(())
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_sent_later_and_once() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.mailbox.refuse(451, 1).await?;
    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    field.until_told(ALARM).await?;
    field.three_more_readings().await?;
    field.was_told(1, 0);
    Ok(())
}
