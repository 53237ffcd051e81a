//! What happens to answers between a device and its gateway, which takes any chunk for the answer.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{Habits, Variant};

use super::{
    site::{HALL, SENSOR},
    stand::Stand,
};

/// That nothing but the truth was ever believed.
async fn believes_only_the_truth(stand: &Stand) -> Result<()> {
    for (name, truth) in [("temperature", json!(25.3)), ("humidity", json!(60.0)), ("fan", json!(1.0))] {
        let believed = stand.believed(name).await?;
        let lies: Vec<&Value> = believed.iter().filter(|value| value.as_f64() != truth.as_f64()).collect();
        assert!(lies.is_empty(), "{name}: {lies:?}");
    }
    Ok(())
}

/// Waits until the gateway said or posted that an answer was missing or wrong.
async fn until_posted_more(stand: &Stand, more: usize) -> Result<()> {
    let posted = stand.gateway.posted("queryData").len();
    stand.gateway.until_posted("queryData", posted + more).await.map(drop)
}

#[tokio::test]
async fn a_late_answer_that_is_taken_for_the_next_instructions_is_not_believed() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    // Devices have 200 ms: each answer comes when the next one is waited for.
    stand.gateway.lag(HALL, 260).await?;
    until_posted_more(&stand, 3).await?;
    believes_only_the_truth(&stand).await?;
    stand.gateway.lag(HALL, 0).await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn an_answer_that_comes_in_two_parts_is_not_believed() -> Result<()> {
    let mut stand = Stand::start(Variant::TwoSockets).await?;
    stand.until_temperature("25.3").await?;
    stand.gateway.split(HALL, true).await?;
    until_posted_more(&stand, 4).await?;
    believes_only_the_truth(&stand).await?;
    stand.gateway.split(HALL, false).await?;
    stand.serves_the_next(261).await
}

#[tokio::test]
async fn a_device_that_missed_is_asked_less_and_what_it_then_says_counts() -> Result<()> {
    let mut stand = Stand::start(Variant::OneSocket).await?;
    stand.until_temperature("25.3").await?;
    stand.slave.silence(SENSOR).await?;
    stand.gateway.until_sent("terminalMountDevTimeOut", 1).await?;
    stand.slave.unsilence(SENSOR).await?;
    stand.serves_the_next(261).await?;
    let posted = stand.gateway.posted("queryData").into_iter();
    let of_sensor = posted.filter(|posted| posted.body["data"]["pid"] == SENSOR);
    let shrunk: Vec<_> = of_sensor
        .filter(|posted| posted.body["data"]["content"].as_array().is_some_and(|all| all.len() == 1))
        .collect();
    assert!(!shrunk.is_empty(), "the gateway never asked less");
    assert!(shrunk.iter().all(|posted| posted.status == 200), "{shrunk:?}");
    Ok(())
}

#[tokio::test]
async fn a_device_whose_script_makes_nothing_is_never_asked_with_an_empty_list() -> Result<()> {
    let only_for_one = "function (pid) { return pid === 1 ? '0103' : '' }";
    let mut stand = Stand::on(Variant::OneSocket, Habits::default(), |site| {
        let instruct = json!([{
            "name": "any", "noStandard": true, "scriptStart": only_for_one, "scriptEnd": "function () { return true }",
            "resultType": "hex",
        }]);
        let protocol = json!({ "Type": 485, "Protocol": "mute", "ProtocolType": "io", "instruct": instruct });
        let device = json!({ "Type": "io", "mountDev": "mute", "protocol": "mute", "pid": 9 });
        site["protocols"].as_array_mut().into_iter().for_each(|all| all.push(protocol.clone()));
        site["terminals"][0]["mountDevs"].as_array_mut().into_iter().for_each(|all| all.push(device.clone()));
    })
    .await?;
    stand.until_temperature("25.3").await?;
    stand.until_stored(3).await?;
    stand.serves_the_next(261).await
}
