//! AWS as it is deployed: a gateway at the broker's socket, the functions between the queues, SNS to people, and the API
//! behind API Gateway. No worker of ours runs but what Lambda runs.

use anyhow::{Context, Result};
use boot::SystemClock;
use records::{Clock, users};
use serde_json::{Value, json};
use telltale_tests::{Sent, Slave, eventually, flow::MAC, lambda_events};

use crate::functions::{
    asked::Asked,
    cloud::Cloud,
    whole::{HOT, MILD, SENSOR, gateway},
};

const TELEPHONE: &str = "+8613800138000";

/// Takes from the queues until what left for people is this many text messages and as many messages to topics.
async fn until_told(cloud: &mut Cloud, times: usize) -> Result<Sent> {
    eventually(&format!("{times} text messages"), async || {
        cloud.settle().await.ok()?;
        let sent = cloud.aws.sent().await.ok()?;
        (sent.sms.len() >= times && sent.published.len() >= times).then_some(())
    })
    .await;
    // Whatever would come twice has come by then.
    cloud.settle().await?;
    cloud.aws.sent().await
}

/// The active alarms, as the API lists them.
async fn active(asked: &Asked) -> Result<Vec<Value>> {
    let (status, alarms) = asked.get("/api/alarms", "state=active").await?;
    assert_eq!(status, 200, "{alarms}");
    Ok(alarms["items"].as_array().context("a list has items")?.clone())
}

#[tokio::test]
async fn a_device_over_its_threshold_is_published_and_texted_once_and_the_api_shows_it() -> Result<()> {
    let mut cloud = Cloud::told(&[("TELLTALE_SMS__ENABLED", "true")]).await?;
    let mut technician = users::get(&cloud.table, "tech").await?.context("the technician is there")?;
    (technician.webhook, technician.phone) = (None, Some(TELEPHONE.to_owned()));
    users::put(&cloud.table, &technician).await?;
    let asked = Asked::start(&cloud.aws).await?;
    let mut slave = Slave::start([(SENSOR, &MILD[..])]).await?;
    let broker = cloud.aws.broker().await?;
    let _gateway = gateway(&broker, &slave)?;
    slave.set(SENSOR, &HOT).await?;
    for job in ["plan_window", "sweep"] {
        let ticked =
            cloud.aws.function(job, &[]).await?.invoke(lambda_events::tick(&SystemClock.now().rfc3339())).await?;
        assert_eq!(ticked, Ok(Value::Null), "{job}");
    }

    let sent = until_told(&mut cloud, 1).await?;
    assert_eq!(sent.sms.iter().map(|sms| sms.to.as_str()).collect::<Vec<_>>(), [TELEPHONE]);
    assert!(sent.sms[0].text.starts_with("Alarm: Cold store"), "{:?}", sent.sms[0]);
    let published: Vec<&str> = sent.published.iter().map(|told| told.topic.as_str()).collect();
    assert_eq!(published, ["WarningAlarmTopic"]);
    assert_eq!(sent.published[0].attributes["severity"], "warning");
    let alarms = active(&asked).await?;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((&alarms[0]["severity"], &alarms[0]["source"]["mac"]), (&json!("warning"), &json!(MAC)), "{alarms:?}");

    slave.set(SENSOR, &MILD).await?;
    let sent = until_told(&mut cloud, 2).await?;
    assert_eq!((sent.sms.len(), sent.published.len()), (2, 2));
    assert!(sent.sms[1].text.starts_with("Recovered: Cold store"), "{:?}", sent.sms[1]);
    assert_eq!(active(&asked).await?, Vec::<Value>::new());
    Ok(())
}
