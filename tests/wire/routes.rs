//! What is posted to us: the same again, and what makes no sense.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    field::Field,
    site::{HALL, PASSWORD, SENSOR},
};

#[tokio::test]
async fn a_result_that_is_posted_again_is_stored_once() -> Result<()> {
    let field = Field::start().await?;
    let first = field.gateway.until_posted("queryData", 1).await?;
    for _ in 0..3 {
        let (status, answer) = field.server.post_as_node("queryData", first.body.to_string()).await?;
        assert_eq!(status, 200, "{answer}");
    }

    field.three_more_readings().await?;
    let history = field.sensor_history().await?;
    let asked: BTreeSet<String> = history.iter().map(|reading| reading["asked"].to_string()).collect();
    assert_eq!(asked.len(), history.len(), "a reading is stored twice: {history:?}");
    Ok(())
}

#[tokio::test]
async fn garbage_on_a_node_route_gets_a_clear_error_and_the_next_message_is_served() -> Result<()> {
    let mut field = Field::start().await?;
    for route in ["queryData", "dtuinfo", "nodeInfo"] {
        for body in no_json() {
            is_refused(&field, route, body).await?;
        }
    }
    for route in ["queryData", "dtuinfo"] {
        for body in json_of_another_shape() {
            is_refused(&field, route, body.into_bytes()).await?;
        }
    }

    field.slave.set(SENSOR, &[261, 600, 1]).await?;
    field.until_sensor_shows("temperature", "26.1").await?;
    let root = field.server.sign_in("root", PASSWORD).await?;
    assert_eq!(
        root.get("/api/counters").await?["posts_refused"],
        3 * no_json().len() + 2 * json_of_another_shape().len()
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_with_a_flipped_bit_is_taken_and_yields_no_value() -> Result<()> {
    let field = Field::start().await?;
    let good = field.gateway.until_posted("queryData", 1).await?;
    let flipped = field.server.post_as_node("queryData", flip_a_bit(good.body).to_string()).await?;
    assert_eq!(flipped.0, 200, "{}", flipped.1);

    field.three_more_readings().await?;
    let temperatures = field.sensor_history().await?.into_iter().filter_map(|reading| {
        reading["values"]
            .as_array()?
            .iter()
            .find(|value| value["name"] == "temperature")
            .map(|value| value["value"].clone())
    });
    assert!(temperatures.into_iter().all(|temperature| temperature == json!(25.3)));
    Ok(())
}

/// The same result as of another moment, with one bit of its first reply's data turned.
fn flip_a_bit(mut body: Value) -> Value {
    let data = &mut body["data"];
    data["timeStamp"] = json!(data["timeStamp"].as_i64().unwrap_or_default() + 1);
    let byte = &mut data["contents"][0]["buffer"]["data"][3];
    *byte = json!(byte.as_u64().unwrap_or_default() ^ 1);
    body
}

async fn is_refused(field: &Field, route: &str, body: Vec<u8>) -> Result<()> {
    let shown: String = String::from_utf8_lossy(&body).chars().take(60).collect();
    let (status, answer) = field.server.post_as_node(route, body).await?;
    assert!((400..500).contains(&status), "{route} answers {status} to {shown:?}: {answer}");
    assert!(!answer.is_empty(), "{route} does not say what is wrong with {shown:?}");
    Ok(())
}

fn no_json() -> Vec<Vec<u8>> {
    let deep = "[".repeat(5000);
    vec![
        Vec::new(),
        b"not json".to_vec(),
        vec![0xff, 0xfe, 0x00],
        b"null".to_vec(),
        deep.into_bytes(),
        br#"{"data":"#.to_vec(),
    ]
}

fn json_of_another_shape() -> Vec<String> {
    let nonsense = json!({
        "data": { "mac": 7, "pid": "x", "contents": "none" },
        "info": { "mac": "../../etc/passwd" },
    });
    let no_such_pid = json!({ "data": { "mac": HALL, "pid": 99_999, "type": 485 } });
    vec!["[]".to_owned(), "{}".to_owned(), nonsense.to_string(), no_such_pid.to_string()]
}
