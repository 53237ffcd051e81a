//! The gateway programs, with their habits: a wrong word from us and the real one is gone for good.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use telltale_tests::Variant;

use super::{
    field::{Field, FieldSettings},
    site::{HALL, PASSWORD, SENSOR},
};

#[tokio::test]
async fn the_gateway_with_two_sockets_is_polled_and_its_alarms_are_told() -> Result<()> {
    let mut field = Field::with(FieldSettings { variant: Variant::TwoSockets, ..FieldSettings::default() }).await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    field.until_told("Alarm").await?;
    assert!(field.gateway.lives()?);
    Ok(())
}

#[tokio::test]
async fn everything_that_a_gateway_posts_is_taken() -> Result<()> {
    for variant in [Variant::OneSocket, Variant::TwoSockets] {
        let field = Field::with(FieldSettings { variant, ..FieldSettings::default() }).await?;
        for route in ["dtuinfo", "nodeInfo", "queryData"] {
            assert_eq!(field.gateway.until_posted(route, 1).await?.status, 200, "{variant:?} posts {route}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_with_a_wrong_token_loses_its_transport_keeps_trying_and_is_listed_as_refused() -> Result<()> {
    let settings = FieldSettings { variant: Variant::TwoSockets, token: "wrong", ..FieldSettings::default() };
    let mut field = Field::with(settings).await?;

    let retries = field.gateway.until_disconnected(3).await?;
    assert!(retries.iter().all(|retries| *retries), "it was refused by the namespace, and will never come back");
    assert!(field.gateway.lives()?);
    assert!(!field.gateway.received().contains(&"registerSuccess".to_owned()));
    let root = field.server.sign_in("root", PASSWORD).await?;
    let node = &root.get("/api/nodes").await?["items"][0];
    assert_eq!((&node["name"], &node["session"]), (&json!("hill"), &json!(null)));
    let refused = &root.get("/api/nodes/refused").await?["items"][0];
    assert_eq!((&refused["address"], &refused["code"]), (&json!("127.0.0.1"), &json!("unknown_token")));
    assert!(field.sensor_history().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_has_not_registered_hears_nothing_but_accont() -> Result<()> {
    // Long enough for several windows of polling.
    let settings = FieldSettings { register_after: Duration::from_secs(4), ..FieldSettings::default() };
    let mut field = Field::with(settings).await?;

    assert_eq!(field.gateway.received_before_sending("register").await?, ["accont"]);
    field.until_sensor_shows("temperature", "25.3").await?;
    assert!(field.gateway.lives()?);
    Ok(())
}

#[tokio::test]
async fn a_gateway_whose_connection_is_cut_comes_back_and_is_polled_again() -> Result<()> {
    let mut field = Field::start().await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.gateway.cut().await?;
    field.gateway.until_sent("ready", 2).await?;
    field.slave.set(SENSOR, &[260, 600, 1]).await?;
    field.until_sensor_shows("temperature", "26").await?;
    field.was_told(0, 0);
    assert!(field.gateway.lives()?);
    Ok(())
}

#[tokio::test]
async fn a_line_of_dead_devices_is_rebooted_by_its_gateway_and_its_alarms_are_told_once() -> Result<()> {
    let mut field = Field::start().await?;
    let root = field.server.sign_in("root", PASSWORD).await?;
    field.until_sensor_shows("temperature", "25.3").await?;

    field.gateway.silence(HALL).await?;
    field.until_alarms("active", 2).await?;
    field.gateway.unsilence(HALL).await?;
    field.until_alarms("cleared", 2).await?;
    assert_eq!(root.get("/api/alarms?state=active").await?["items"], json!([]));
    Ok(())
}
