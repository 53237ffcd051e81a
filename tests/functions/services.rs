//! Text messages by Alibaba Cloud and messages of a WeChat official account, each set up by a secret that one function may read.

use std::sync::Arc;

use anyhow::{Context, Result};
use jobs::{DeliverNotice, Job};
use records::users;
use serde_json::Value;
use telltale_tests::{QUEUES, Services};

use super::{cloud::Cloud, path::batch};

/// Tells `deliver_notice` of the accounts, beside what the template tells it.
async fn has_accounts(cloud: &mut Cloud, services: &Services) -> Result<()> {
    let settings = services.settings();
    let sms = cloud.aws.keep_secret("AliyunSmsSecretArn", &settings["aliyun_sms"].to_string()).await?;
    let wechat = cloud.aws.keep_secret("WeChatSecretArn", &settings["wechat"].to_string()).await?;
    let nets = settings["webhook"]["allowed_nets"].to_string();
    let told = [
        ("TELLTALE_ALIYUN_SMS_SECRET", sms.as_str()),
        ("TELLTALE_WECHAT_SECRET", wechat.as_str()),
        ("TELLTALE_WEBHOOK__ALLOWED_NETS", nets.as_str()),
    ];
    let place = QUEUES.iter().position(|(job, _)| *job == DeliverNotice::NAME).context("it has a queue")?;
    cloud.functions[place].0 = Arc::new(cloud.aws.function(DeliverNotice::NAME, &told).await?);
    Ok(())
}

#[tokio::test]
async fn an_alarm_is_told_by_both_once() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    let mut services = Services::start(None).await?;
    has_accounts(&mut cloud, &services).await?;
    let mut technician = users::get(&cloud.table, "tech").await?.context("the technician is there")?;
    technician.phone = Some("+8613800138000".to_owned());
    technician.wechat = Some("openid-ann".to_owned());
    users::put(&cloud.table, &technician).await?;
    cloud.enqueue(vec![batch("b1", 40.0)]).await?;
    cloud.settle().await?;
    let (sms, wechat) = (services.taken("aliyun").await?, services.taken("wechat").await?);
    let numbers: Vec<&Value> = sms.iter().map(|taken| &taken["to"]).collect();
    assert_eq!(numbers, ["13800138000"], "{sms:?}");
    assert_eq!(wechat.len(), 1, "{wechat:?}");
    assert_eq!(services.tokens().await?, (1, 0));
    Ok(())
}
