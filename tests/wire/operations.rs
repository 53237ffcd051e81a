//! Remote operations, on both gateway programs: what is written is in the device, and what is said of it is proven.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{Habits, Session, Socket, Variant};

use super::{
    site::{HALL, SENSOR},
    stand::Stand,
};

const OF_TERMINAL: &str = "/api/terminals/98D863CC870D/operations";
const OF_NODE: &str = "/api/nodes/hill/operations";

/// Has something done, and waits for its end.
async fn done(who: &Session, path: &str, body: &Value, log: &str) -> Result<Value> {
    let (status, answer) = who.post(path, body).await?;
    assert_eq!(status, 202, "{answer}");
    let ended = |list: &Value| {
        let mut all = list["items"].as_array()?.iter();
        all.find(|operation| operation["id"] == answer["id"] && operation["state"] != "waiting").cloned()
    };
    who.until(log, "the end of the operation", ended).await
}

async fn operated(stand: &Stand, name: &str, value: f64) -> Result<Value> {
    let path = format!("/api/terminals/{HALL}/devices/{SENSOR}/operations");
    done(&stand.ann, &path, &json!({ "name": name, "value": value }), OF_TERMINAL).await
}

async fn at(stand: &Stand, command: &str) -> Result<Value> {
    let path = format!("/api/terminals/{HALL}/at");
    done(&stand.root, &path, &json!({ "command": command }), OF_TERMINAL).await
}

#[tokio::test]
async fn a_value_that_is_written_is_in_the_device_and_read_back_on_both_programs() -> Result<()> {
    for variant in [Variant::OneSocket, Variant::TwoSockets] {
        let mut stand = Stand::start(variant).await?;
        stand.until_temperature("25.3").await?;
        let end = operated(&stand, "set temperature", 27.4).await?;
        assert_eq!((&end["state"], &end["by"]), (&json!("done"), &json!("ann")), "{variant:?}: {end}");
        assert_eq!(end["reply"].as_str().map(|reply| &reply[..12]), Some("010600000112"), "{variant:?}: {end}");
        stand.until_temperature("27.4").await?;
        assert!(stand.gateway.lives()?);
    }
    Ok(())
}

#[tokio::test]
async fn the_echo_of_function_16_is_success_although_the_program_calls_it_a_failure() -> Result<()> {
    let stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    let end = operated(&stand, "set both", 55.5).await?;
    assert_eq!(end["state"], "done", "{end}");
    let told = stand.gateway.sent("deviceopratesuccess");
    assert!(told[0][1]["msg"].as_str().is_some_and(|msg| msg.contains("操作失败")), "{told:?}");
    stand.until_temperature("26.1").await
}

#[tokio::test]
async fn an_exception_is_a_failure_although_the_program_says_ok() -> Result<()> {
    let stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    let end = operated(&stand, "set what is not there", 1.0).await?;
    assert_eq!(end["state"], "failed", "{end}");
    assert!(end["said"].as_str().is_some_and(|said| said.contains("exception")), "{end}");
    assert_eq!(stand.gateway.sent("deviceopratesuccess")[0][1]["ok"], 1);
    Ok(())
}

#[tokio::test]
async fn a_device_that_does_not_answer_an_operation_fails_it_and_says_so() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    stand.slave.silence(SENSOR).await?;
    let end = operated(&stand, "set temperature", 20.0).await?;
    assert_eq!((&end["state"], &end["said"]), (&json!("failed"), &json!("the device did not answer")));
    Ok(())
}

#[tokio::test]
async fn an_operation_on_a_terminal_that_is_away_is_dropped_in_silence_and_ends_by_the_clock() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.drop_terminal(HALL).await?;
    stand.gateway.until_sent("terminalOff", 1).await?;
    let end = operated(&stand, "set temperature", 20.0).await?;
    assert_eq!((&end["state"], &end["said"]), (&json!("failed"), &json!("the node did not answer in time")));

    stand.gateway.say(Socket::First, "deviceopratesuccess", json!(["oprate1", { "ok": 1 }])).await?;
    stand.gateway.restore_terminal(HALL).await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn at_commands_are_answered_by_both_programs_as_two_arguments_or_as_one_list() -> Result<()> {
    for (variant, list_replies) in [(Variant::OneSocket, true), (Variant::TwoSockets, false)] {
        let stand = Stand::with(variant, Habits { list_replies, ..Habits::default() }).await?;
        stand.until_temperature("25.3").await?;
        let end = at(&stand, "VER").await?;
        assert_eq!((&end["state"], &end["said"]), (&json!("done"), &json!("+ok=V1.0.18")), "{variant:?}: {end}");
        let refused = at(&stand, "NONSENSE").await?;
        assert_eq!((&refused["state"], &refused["said"]), (&json!("failed"), &json!("the DTU refuses: +ERR=1")));
    }
    Ok(())
}

#[tokio::test]
async fn a_restart_is_answered_by_one_program_and_ends_by_the_clock_on_the_other() -> Result<()> {
    for (variant, state) in [(Variant::OneSocket, "done"), (Variant::TwoSockets, "failed")] {
        let mut stand = Stand::start(variant).await?;
        stand.until_temperature("25.3").await?;
        let end = done(&stand.root, "/api/nodes/hill/restart", &json!({}), OF_NODE).await?;
        assert_eq!(end["state"], state, "{variant:?}: {end}");
        stand.serves_the_next(261).await?;
    }
    Ok(())
}
