//! The forms in which gateway programs post what they have.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{Habits, Variant};

use super::{
    field::until_latest,
    site::{CELLAR, PASSWORD, TOKEN, UPS},
    stand::Stand,
};

#[tokio::test]
async fn a_date_as_javascript_writes_it_in_any_zone_is_the_time_of_the_reading() -> Result<()> {
    let habits = Habits { time_zone: "Asia/Shanghai", ..Habits::default() };
    let stand = Stand::with(Variant::OneSocket, habits).await?;
    let readings = stand.until_stored(3).await?;
    let told = stand.gateway.until_posted("queryData", 1).await?;
    assert!(told.body["data"]["time"].as_str().is_some_and(|time| time.contains("GMT+0800")), "{}", told.body);
    // The text has whole seconds; our own clock hardly ever does, three times in a row.
    for reading in readings {
        assert!(reading["at"].as_str().is_some_and(|at| at.contains(".000")), "{reading}");
    }
    Ok(())
}

#[tokio::test]
async fn a_query_that_comes_back_as_a_text_is_read_by_its_replies() -> Result<()> {
    let stand = Stand::start(Variant::OneSocket).await?;
    let ben = stand.server.sign_in("ben", PASSWORD).await?;
    let words = b"(220.5 50.0 031\r";
    let asked = stand.gateway.until_posted("queryData", 1).await?.body["data"]["timeStamp"].clone();
    let body = json!({ "data": {
        "mac": CELLAR, "type": 232, "mountDev": "peisv", "protocol": "ups", "pid": UPS, "timeStamp": asked,
        "content": "pesiv", "Interval": 600_000, "useTime": 600_000, "useBytes": 0,
        "contents": [{ "content": "QGS", "buffer": { "type": "Buffer", "data": words }, "useTime": 1, "useByte": 1 }],
        "time": "Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)",
    } });
    let (status, answer) = stand.server.post_as_node("queryData", body.to_string()).await?;
    assert_eq!(status, 200, "{answer}");
    until_latest(&ben, CELLAR, UPS, "input voltage", "220.5").await
}

#[tokio::test]
async fn a_post_that_its_program_sends_again_byte_for_byte_is_stored_once() -> Result<()> {
    let stand = Stand::start(Variant::TwoSockets).await?;
    let first = stand.gateway.until_posted("queryData", 1).await?.body.to_string();
    for _ in 0..2 {
        let (status, answer) = stand.server.post_with_token("queryData", TOKEN, first.clone()).await?;
        assert_eq!(status, 200, "{answer}");
    }
    let (status, _) = stand.server.post_with_token("queryData", "wrong", first).await?;
    assert_eq!(status, 401);
    let history = stand.until_stored(3).await?;
    let asked: BTreeSet<String> = history.iter().map(|reading| reading["asked"].to_string()).collect();
    assert_eq!(asked.len(), history.len(), "{history:?}");
    assert_eq!(stand.counted("results_repeated").await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_both_programs_find_out_about_a_terminal_is_understood() -> Result<()> {
    for (variant, model) in [(Variant::OneSocket, "USR-LTE-7S4\r\n"), (Variant::TwoSockets, "USR-LTE-7S4")] {
        let stand = Stand::start(variant).await?;
        let posted = stand.gateway.until_posted("dtuinfo", 1).await?;
        assert_eq!((posted.status, &posted.body["info"]["PID"]), (200, &json!(model)), "{variant:?}");
        let found = |terminal: &Value| {
            let info = &terminal["info"];
            let expected = [
                ("model", "USR-LTE-7S4"),
                ("uart", "9600,8,1,NONE,NFC"),
                ("location", "114.301234,30.591234"),
                ("signal", "25"),
                ("ver", "V1.0.18"),
            ];
            expected.iter().all(|(name, value)| info[name] == *value).then_some(())
        };
        stand.ann.until("/api/terminals/98D863CC870D", "what was found out", found).await?;
    }
    Ok(())
}
