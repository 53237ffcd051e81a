//! What makes no sense, on every socket: whoever sends it may lose the connection, and nobody anything else.

use anyhow::Result;
use serde_json::json;
use telltale_tests::{Browser, Socket, Variant};

use super::{
    site::{HALL, PASSWORD, SENSOR},
    stand::Stand,
};

#[tokio::test]
async fn events_that_make_no_sense_leave_a_gateway_connected_and_served() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    let connected = stand.gateway.sent("register").len();
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    for socket in [Socket::First, Socket::Second] {
        for event in ["terminalOn", "terminalOff", "busy", "terminalMountDevTimeOut", "instructTimeOut", "result", "x"]
        {
            for arguments in
                [json!([]), json!([null, null, null]), json!([{ "mac": HALL }]), json!([deep]), json!([-1, "x"])]
            {
                stand.gateway.say(socket, event, arguments).await?;
            }
        }
        for event in ["deviceopratesuccess", "dtuopratesuccess"] {
            for arguments in
                [json!([]), json!([[]]), json!([7, 8]), json!(["nobody's", { "upserted": { "_placeholder": true } }])]
            {
                stand.gateway.say(socket, event, arguments).await?;
            }
        }
    }
    stand.serves_the_next(261).await?;
    assert_eq!(stand.gateway.sent("register").len(), connected, "it was disconnected");
    // Seven kinds of events in five forms, six of them strange in all; replies to operations without a name; twice.
    assert!(stand.counted("node_events_strange").await? >= 60);
    assert_eq!(stand.counted("operation_replies").await?, 4);
    Ok(())
}

#[tokio::test]
async fn packets_that_make_no_sense_cost_a_gateway_its_transport_at_most() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    for (index, packet) in
        ["2/node,[7]", "2/node,{", "9", "2/nowhere,[\"x\"]", "451-/node,[\"x\"]", ""].into_iter().enumerate()
    {
        for socket in [Socket::First, Socket::Second] {
            stand.gateway.packet(socket, packet).await?;
        }
        stand.serves_the_next(262 + u16::try_from(index)?).await?;
    }
    assert!(stand.gateway.lives()?);
    Ok(())
}

#[tokio::test]
async fn what_a_browser_says_out_of_turn_costs_it_its_transport_at_most() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    let of_sensor = format!("{HALL}{SENSOR}");
    let session = stand.server.sign_in("ann", PASSWORD).await?;
    let mut browser = Browser::start(stand.server.url(), "ann", session.token(), &[&of_sensor]).await?;
    for event in ["subscribe", "unSubscribe", "register", "terminalOn", "x"] {
        for arguments in [json!([]), json!([7]), json!([[[]]]), json!([{}]), json!([{ "event": 7, "user": 7 }])] {
            browser.say(event, arguments).await?;
        }
    }
    browser.until_more(&of_sensor, browser.received(&of_sensor).len()).await?;
    assert!(stand.counted("browser_events_strange").await? >= 10);
    for packet in ["2/web,[7]", "9", "451-/web,[\"x\"]"] {
        browser.packet(packet).await?;
        browser.until_more(&of_sensor, browser.received(&of_sensor).len() + 1).await?;
    }
    stand.serves_the_next(261).await
}
