//! How gateway programs connect, and what is lost with which of their sockets.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{Habits, Socket, Variant};

use super::{site::HALL, stand::Stand};

#[tokio::test]
async fn a_gateway_that_can_only_poll_is_served() -> Result<()> {
    let habits = Habits { transports: Some(["polling"]), ..Habits::default() };
    let mut stand = Stand::with(Variant::OneSocket, habits).await?;
    stand.until_temperature("25.3").await?;
    stand.serves_the_next(261).await?;
    assert_eq!(stand.gateway.transports(), ["polling"]);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_goes_straight_to_websocket_is_served() -> Result<()> {
    let habits = Habits { transports: Some(["websocket"]), ..Habits::default() };
    let mut stand = Stand::with(Variant::TwoSockets, habits).await?;
    stand.until_temperature("25.3").await?;
    stand.serves_the_next(261).await?;
    assert_eq!(stand.gateway.transports(), ["websocket"]);
    Ok(())
}

#[tokio::test]
async fn a_gateway_begins_by_polling_and_is_upgraded() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    assert_eq!(stand.gateway.transports(), ["polling", "websocket"]);
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn a_path_without_its_trailing_slash_is_the_same_path() -> Result<()> {
    let habits = Habits { slash: false, ..Habits::default() };
    let mut stand = Stand::with(Variant::TwoSockets, habits).await?;
    stand.until_temperature("25.3").await?;
    assert_eq!(stand.gateway.transports(), ["polling", "websocket"]);
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn losing_the_second_socket_loses_nothing() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.leave(Socket::Second).await?;
    stand.gateway.until_disconnected(1).await?;
    stand.serves_the_next(261).await?;
    assert_eq!(stand.root.get(&terminal()).await?["presence"], "online");
    stand.until_session(Some(true)).await
}

#[tokio::test]
async fn without_the_first_socket_a_node_cannot_be_addressed_although_the_second_lives() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.leave(Socket::First).await?;
    stand.until_session(None).await?;
    let restart = "/api/nodes/hill/restart";
    assert_eq!(stand.root.post(restart, &json!({})).await?.0, 202);
    let failed = |list: &Value| (list["items"][0]["said"] == "node not connected").then_some(());
    stand.root.until("/api/nodes/hill/operations", "a failed restart", failed).await?;

    stand.gateway.come_back(Socket::First).await?;
    stand.until_session(Some(true)).await?;
    stand.serves_the_next(261).await?;
    assert!(stand.alarms().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_changed_is_shed_by_its_transport_and_comes_back_by_itself() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    let (status, answer) = stand.root.put("/api/nodes/hill", &json!({ "port": 9100 })).await?;
    assert_eq!(status, 200, "{answer}");
    let retries = stand.gateway.until_disconnected(2).await?;
    assert!(retries.iter().all(|retries| *retries), "it will never come back");
    stand.gateway.until_sent("register", 2).await?;
    stand.serves_the_next(261).await
}

fn terminal() -> String {
    format!("/api/terminals/{HALL}")
}
