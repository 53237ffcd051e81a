//! Who sees what in a browser.

use anyhow::Result;

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
async fn new_data_is_pushed_when_the_api_shows_it() -> Result<()> {
    let mut field = Field::start().await?;
    let of_sensor = format!("{HALL}{SENSOR}");
    let browser = field.browser("ann", &[&of_sensor]).await?;
    browser.until(&of_sensor).await?;

    field.slave.set(SENSOR, &[278, 600, 1]).await?;
    field.until_sensor_shows("temperature", "27.8").await?;
    let pushed = browser.received(&of_sensor).len();
    browser.until_more(&of_sensor, pushed).await?;
    Ok(())
}
