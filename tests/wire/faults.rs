//! A UPS that says that it has a fault, asked by a real gateway.

use anyhow::Result;
use telltale_tests::Session;

use super::{
    field::{Field, items, until_latest},
    site::{CELLAR, PASSWORD, UPS},
};

fn status(bits: &str) -> String {
    format!("220.0 50.0 030 50.0 001.0 030 370.0 370.0 054.6 000.0 029.0 {bits}")
}

async fn until_faults(ben: &Session, state: &str, count: usize) -> Result<Vec<serde_json::Value>> {
    let of_ups = |list: &serde_json::Value| {
        let alarms: Vec<_> = items(list).into_iter().filter(|alarm| alarm["rule"] == "ups_fault").collect();
        (alarms.len() == count).then_some(alarms)
    };
    ben.until(&format!("/api/alarms?state={state}"), &format!("{count} faults of the UPS"), of_ups).await
}

#[tokio::test]
async fn a_fault_of_a_ups_is_raised_with_its_code_and_cleared_when_it_is_gone() -> Result<()> {
    let mut field = Field::start().await?;
    let ben = field.server.sign_in("ben", PASSWORD).await?;
    field.ups.set(&status("1000000000")).await?;
    until_latest(&ben, CELLAR, UPS, "ups_fault", "OK").await?;

    field.ups.answers("QFS", "44 0 0").await?;
    field.ups.set(&status("1000010000")).await?;
    until_latest(&ben, CELLAR, UPS, "ups_fault", "0x44 风扇异常").await?;
    let raised = until_faults(&ben, "active", 1).await?;
    assert_eq!(raised[0]["severity"], "critical");
    assert!(raised[0]["detail"].as_str().is_some_and(|detail| detail.contains("0x44 风扇异常")), "{raised:?}");

    field.ups.set(&status("1000000000")).await?;
    until_faults(&ben, "active", 0).await?;
    assert_eq!(until_faults(&ben, "cleared", 1).await?.len(), 1, "it was one alarm");
    Ok(())
}
