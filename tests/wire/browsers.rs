//! Who sees what in a browser.

use anyhow::Result;
use serde_json::json;

use super::{
    field::Field,
    site::{CELLAR, HALL, SENSOR, UPS},
};

#[tokio::test]
async fn a_browser_is_shown_new_data_of_its_own_terminals_and_of_no_others() -> Result<()> {
    let mut field = Field::start().await?;
    let (of_sensor, of_ups) = (format!("{HALL}{SENSOR}"), format!("{CELLAR}{UPS}"));
    let everything = [of_sensor.as_str(), of_ups.as_str(), "MacUpdate", "alarm"];
    let ann = field.browser("ann", &everything).await?;
    let ben = field.browser("ben", &everything).await?;

    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    ann.until("alarm").await?;
    ann.until_more(&of_sensor, 3).await?;
    ben.until_more(&of_ups, 3).await?;
    assert_eq!((ann.received(&of_ups), ben.received(&of_sensor), ben.received("alarm")), (vec![], vec![], vec![]));
    Ok(())
}

#[tokio::test]
async fn what_is_pushed_is_what_the_device_holds_when_the_api_shows_it() -> Result<()> {
    let mut field = Field::start().await?;
    let of_sensor = format!("{HALL}{SENSOR}");
    let browser = field.browser("ann", &[&of_sensor]).await?;
    browser.until(&of_sensor).await?;

    for tenths in [278, 291] {
        field.slave.set(SENSOR, &[tenths, 600, 1]).await?;
        field.until_sensor_shows("temperature", &(f64::from(tenths) / 10.0).to_string()).await?;
        // What is pushed from now on is what the slave holds.
        let pushed = browser.received(&of_sensor).len();
        browser.until_more(&of_sensor, pushed).await?;
        let shown = browser.received(&of_sensor)[pushed].clone();
        let value = |name: &str| {
            let mut values = shown[0]["values"].as_array().into_iter().flatten();
            values.find(|value| value["name"] == name).and_then(|value| value["value"].as_f64())
        };
        assert_eq!(value("temperature"), Some(f64::from(tenths) / 10.0), "{shown}");
        assert_eq!(value("humidity"), Some(60.0), "{shown}");
        assert_eq!(shown[0]["device"], json!({ "mac": HALL, "pid": SENSOR }), "{shown}");
    }
    Ok(())
}
