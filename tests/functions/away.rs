//! SQS or DynamoDB is away for a broker: its operator hears at once, the administrators when they can.

use anyhow::Result;
use domain::Source;
use records::{
    alarms::{self, Alarm, Which},
    users::{self, Role, Webhook},
};
use serde_json::{Value, json};
use telltale_tests::{
    AwsBroker, Proxy, WebhookReceiver, eventually,
    flow::{CLIMATE, MAC},
    http_client,
};

use super::cloud::Cloud;

/// All of it, the broker behind proxies that can be closed.
struct Away {
    cloud: Cloud,
    sqs: Proxy,
    dynamodb: Proxy,
    operator: WebhookReceiver,
    broker: AwsBroker,
}

impl Away {
    /// With an administrator, who is told at the cloud's webhook; nobody else is told anything.
    async fn start() -> Result<Self> {
        let (cloud, operator) = tokio::try_join!(Cloud::start(), WebhookReceiver::start())?;
        let mut root = users::get(&cloud.table, "tech").await?.unwrap();
        root.role = Role::Admin;
        root.webhook = Some(Webhook { url: cloud.webhook.url(), secret: WebhookReceiver::secret() });
        users::put(&cloud.table, &root).await?;
        let aws = cloud.aws.endpoint().trim_start_matches("http://").to_owned();
        let (sqs, dynamodb) = tokio::try_join!(Proxy::start(vec![aws.clone()]), Proxy::start(vec![aws]))?;
        let told = [
            ("AWS_ENDPOINT_URL_SQS", sqs.url().to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url().to_owned()),
            ("TELLTALE_PLATFORM__AWAY_AFTER_MS", "2000".to_owned()),
            ("TELLTALE_PLATFORM__WEBHOOK__URL", operator.url()),
            ("TELLTALE_PLATFORM__WEBHOOK__SECRET", WebhookReceiver::secret()),
            ("TELLTALE_NOTIFY__WEBHOOK__ALLOWED_NETS", r#"["127.0.0.0/8"]"#.to_owned()),
        ];
        let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let broker = cloud.aws.broker_told(&told).await?;
        Ok(Self { cloud, sqs, dynamodb, operator, broker })
    }

    /// Posts results, each another one, until `wanted` is so; the statuses.
    async fn posts_until(&self, wanted: &str, is_so: impl Fn(&Self) -> bool) -> Result<Vec<u16>> {
        let (client, mut statuses) = (http_client()?, Vec::new());
        let url = format!("{}/api/node/queryData", self.broker.url());
        eventually(wanted, async || {
            let asked = 1_700_000_000_000_i64 + i64::try_from(statuses.len()).ok()? * 1000;
            let posted = client.post(&url).header("x-node-token", "t").json(&result(asked)).send().await.ok()?;
            statuses.push(posted.status().as_u16());
            is_so(self).then_some(())
        })
        .await;
        Ok(statuses)
    }

    /// Has the functions take what is in their queues, until the alarms of the platform are as wanted.
    async fn until_alarms(&mut self, wanted: &str, are_so: impl Fn(&[Alarm]) -> bool) -> Vec<Alarm> {
        let cloud = &mut self.cloud;
        eventually(wanted, async || {
            cloud.settle().await.ok()?;
            let all = alarms::list(&cloud.table, Which::All, 100, None).await.ok()?.items.into_iter();
            let platform: Vec<Alarm> = all.filter(|alarm| matches!(alarm.source, Source::Platform(_))).collect();
            are_so(&platform).then_some(platform)
        })
        .await
    }
}

fn result(asked: i64) -> Value {
    let reply = json!({ "content": CLIMATE, "buffer": { "type": "Buffer", "data": [1, 3, 4, 0, 253, 2, 88, 0, 0] } });
    json!({ "data": {
        "mac": MAC, "pid": 1, "type": 485, "protocol": "modbus", "timeStamp": asked, "content": [CLIMATE],
        "Interval": 5000, "useTime": 60, "useBytes": 17, "contents": [reply],
    } })
}

fn needs(alarm: &Alarm) -> &str {
    match &alarm.source {
        Source::Platform(need) => &need.needs,
        _ => "nothing",
    }
}

#[tokio::test]
async fn while_sqs_is_away_posts_are_refused_and_the_operator_hears_and_administrators_hear_afterwards() -> Result<()> {
    let mut away = Away::start().await?;
    away.sqs.close();
    let told = |away: &Away| !away.operator.deliveries("Alarm: broker:").is_empty();
    let statuses = away.posts_until("the operator hears that SQS is away", told).await?;
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    away.sqs.open();
    away.posts_until("the operator hears that it is back", |away| !away.operator.deliveries("Recovered").is_empty())
        .await?;
    let alarms =
        away.until_alarms("an alarm that is over", |alarms| alarms.iter().any(|a| a.cleared_at.is_some())).await;
    assert_eq!((alarms.len(), needs(&alarms[0])), (1, "queue"));
    let deliveries = away.operator.deliveries("");
    assert!(deliveries.len() == 2 && deliveries.iter().all(|delivery| delivery.genuine), "{deliveries:#?}");
    let to_root = ["Alarm", "Recovered"].map(|subject| away.cloud.webhook.deliveries(subject).len());
    assert!(to_root == [1, 1] || to_root == [1, 0], "an alarm and its end, or both in one: {to_root:?}");
    Ok(())
}

#[tokio::test]
async fn the_alarm_of_a_broker_that_dies_while_dynamodb_is_away_for_it_ends_when_another_buries_it() -> Result<()> {
    let mut away = Away::start().await?;
    away.dynamodb.close();
    away.operator.until_delivery("Alarm: broker:").await?;
    let alarms = away.until_alarms("the alarm is raised", |alarms| alarms.len() == 1).await;
    assert_eq!((needs(&alarms[0]), alarms[0].cleared_at), ("store", None));
    away.broker.kill().await?;
    let another = away.cloud.aws.broker().await?;
    let alarms = away.until_alarms("the alarm is over", |alarms| alarms.iter().all(|a| a.cleared_at.is_some())).await;
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].cleared_by.as_deref(), Some("the broker is no more; another one reaches the store"));
    drop(another);
    Ok(())
}
