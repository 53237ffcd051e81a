//! What gateway programs say out of turn, twice, late, or in another form.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{Socket, Variant};

use super::{site::HALL, stand::Stand};

async fn until_presence(stand: &Stand, presence: &str) -> Result<()> {
    let shown = |terminal: &Value| (terminal["presence"] == presence).then_some(());
    stand.root.until(&format!("/api/terminals/{HALL}"), presence, shown).await
}

#[tokio::test]
async fn ready_said_twice_after_a_quick_reconnect_asks_nothing_twice() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    // One program gives the macs of its terminals with it.
    for arguments in [json!([]), json!([[HALL]])] {
        stand.gateway.say(Socket::First, "ready", arguments).await?;
    }
    let history = stand.until_stored(4).await?;
    let asked: BTreeSet<String> = history.iter().map(|reading| reading["asked"].to_string()).collect();
    assert_eq!(asked.len(), history.len(), "a device was asked twice at once: {history:?}");
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn a_reconnect_without_terminals_says_an_empty_list_and_that_is_fine() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.say(Socket::Second, "terminalOn", json!([[], false])).await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn what_was_buffered_while_disconnected_comes_before_register_and_is_understood() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.cut().await?;
    stand.gateway.until_disconnected(1).await?;
    for (event, arguments) in [
        ("terminalOff", json!([HALL, true])),
        ("busy", json!([HALL, true, 9])),
        ("terminalMountDevTimeOut", json!([HALL, 1, 1])),
        ("busy", json!([HALL, false, 0])),
        ("terminalOn", json!([HALL, false])),
    ] {
        stand.gateway.say(Socket::First, event, arguments).await?;
    }
    stand.gateway.until_sent("ready", 2).await?;
    until_presence(&stand, "online").await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn a_terminal_that_goes_is_off_whatever_active_says_and_also_without_it() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    // From here on nothing on its line answers: an answer would show that it is there.
    stand.gateway.drop_terminal(HALL).await?;
    until_presence(&stand, "offline").await?;
    for arguments in [json!([HALL, false]), json!([HALL])] {
        stand.gateway.say(Socket::First, "terminalOn", json!([HALL, false])).await?;
        until_presence(&stand, "online").await?;
        stand.gateway.say(Socket::First, "terminalOff", arguments).await?;
        until_presence(&stand, "offline").await?;
    }
    stand.gateway.restore_terminal(HALL).await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn a_busy_terminal_is_left_alone_and_its_chatter_drowns_nothing() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    for number in 0..1000 {
        stand.gateway.say(Socket::Second, "busy", json!([HALL, number % 2 == 0, number % 7])).await?;
    }
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn terminals_that_are_not_registered_are_tolerated() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    for (event, arguments) in [
        ("terminalOn", json!(["000000000000", false])),
        ("terminalOn", json!([["000000000000", HALL], false])),
        ("busy", json!(["000000000000", true, 5])),
        ("terminalMountDevTimeOut", json!(["000000000000", 1, 11])),
        ("instructTimeOut", json!(["000000000000", 1, ["0103"]])),
        ("instructTimeOut", json!([HALL, 99, ["0103"]])),
        ("terminalOff", json!(["000000000000", true])),
    ] {
        stand.gateway.say(Socket::First, event, arguments).await?;
    }
    let info = json!({ "info": { "mac": "000000000000", "AT": true } }).to_string();
    assert_eq!(stand.server.post_as_node("dtuinfo", info).await?.0, 200);
    let mut answer = stand.gateway.until_posted("queryData", 1).await?.body;
    answer["data"]["mac"] = json!("000000000000");
    assert_eq!(stand.server.post_as_node("queryData", answer.to_string()).await?.0, 200);
    stand.serves_the_next(261).await?;
    assert!(stand.alarms().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_a_gateway_tells_of_itself_and_its_dtus_is_tolerated() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    for event in ["dtuState", "dtuHealth", "dtuAlert", "alarm", "startError", "somethingNew"] {
        let told = json!([{ "mac": HALL, "type": "AT_TIMEOUT", "message": "PID", "score": 70, "timestamp": 1 }]);
        stand.gateway.say(Socket::Second, event, told).await?;
    }
    stand.gateway.say(Socket::Second, "startError", json!([])).await?;
    stand.serves_the_next(261).await?;
    assert!(stand.alarms().await?.is_empty());
    Ok(())
}
