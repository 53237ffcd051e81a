//! What a device says is what people see.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    field::{Field, until_latest},
    site::{CELLAR, HALL, METER, PASSWORD, SENSOR, UPS},
};

#[tokio::test]
async fn the_values_of_485_devices_are_their_registers_and_follow_them() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;
    field.until_sensor_shows("fan", "running").await?;
    until_latest(&field.ann, HALL, METER, "voltage", "230").await?;

    field.slave.set(SENSOR, &[200, 451, 0]).await?;
    field.slave.set(METER, &[231]).await?;
    field.until_sensor_shows("temperature", "20").await?;
    field.until_sensor_shows("fan", "stopped").await?;
    until_latest(&field.ann, HALL, METER, "voltage", "231").await?;

    let latest = field.ann.get(&format!("/api/terminals/{HALL}/devices/{SENSOR}/latest")).await?;
    assert_eq!(named(&latest, "temperature"), (json!(20.0), json!("℃")));
    assert_eq!(named(&latest, "humidity"), (json!(45.1), json!("%")));
    Ok(())
}

#[tokio::test]
async fn the_values_of_a_232_device_are_its_words_and_follow_them() -> Result<()> {
    let mut field = Field::start().await?;
    let ben = field.server.sign_in("ben", PASSWORD).await?;
    until_latest(&ben, CELLAR, UPS, "input voltage", "220").await?;
    until_latest(&ben, CELLAR, UPS, "load", "30").await?;

    field.ups.set("231.5 49.9 055").await?;
    until_latest(&ben, CELLAR, UPS, "input voltage", "231.5").await?;
    until_latest(&ben, CELLAR, UPS, "load", "55").await
}

/// A value's machine form and unit.
fn named(latest: &Value, name: &str) -> (Value, Value) {
    let mut values = latest["values"].as_array().into_iter().flatten();
    let value = values.find(|value| value["name"] == name).cloned().unwrap_or_default();
    (value["value"].clone(), value["unit"].clone())
}
