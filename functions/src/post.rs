//! The channels to people, as the environment names them.

use std::sync::Arc;

use engine_aws::SdkConfig;
use jobs::ports::Clock;
use notify::{AwsChannels, NotifySettings, Post, SmtpSettings, SystemResolver};
use serde::de::DeserializeOwned;

use crate::config::Config;

/// Sets up every channel that `config` names. Reads the secrets of those that have one.
pub(crate) async fn post(aws: &SdkConfig, config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Post> {
    let ses = config.ses.clone().filter(|ses| !ses.from.is_empty());
    let smtp = match &config.smtp_url_secret {
        Some(_) if ses.is_some() => anyhow::bail!("mail goes by SES or by an SMTP server, and both are configured"),
        Some(secret) => {
            Some(SmtpSettings { url: engine_aws::secret(aws, secret).await?.into(), from: config.smtp_from.clone() })
        }
        None => None,
    };
    let aliyun_sms = kept(aws, config.aliyun_sms_secret.as_deref()).await?;
    if aliyun_sms.is_some() && config.sms.as_ref().is_some_and(|sms| sms.enabled) {
        anyhow::bail!("text messages go by SNS or by Alibaba Cloud, and both are configured");
    }
    let wechat = kept(aws, config.wechat_secret.as_deref()).await?;
    let settings = NotifySettings { smtp, webhook: config.webhook.clone(), aliyun_sms, wechat };
    let channels = AwsChannels { ses, sms: config.sms.clone(), topics: config.topics.clone() };
    let post = Post::new(settings, Arc::clone(clock), Arc::new(SystemResolver))?;
    Ok(post.with_aws(aws, channels)?)
}

/// The settings that a secret holds as JSON; none without a secret.
async fn kept<T: DeserializeOwned>(aws: &SdkConfig, secret: Option<&str>) -> anyhow::Result<Option<T>> {
    let Some(id) = secret.filter(|id| !id.is_empty()) else { return Ok(None) };
    read(id, &engine_aws::secret(aws, id).await?).map(Some)
}

/// The error's own words may quote what the secret holds, so they are not told.
fn read<T: DeserializeOwned>(id: &str, text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        anyhow::anyhow!("the secret {id} is not the JSON that it should be, from line {line}, column {column} on")
    })
}

#[cfg(test)]
mod tests {
    use notify::{AliyunSmsSettings, WeChatSettings};

    use super::*;

    #[test]
    fn a_secret_that_is_wrong_is_refused_by_its_name_and_place_and_not_shown() {
        let wrong = read::<WeChatSettings>("arn:x", "{\"app_id\": 7, \"app_secret\": \"hunter2\"}").unwrap_err();
        assert_eq!(wrong.to_string(), "the secret arn:x is not the JSON that it should be, from line 1, column 12 on");
        let other = read::<AliyunSmsSettings>("arn:x", "\"hunter2\"").unwrap_err();
        assert!(!format!("{other:?}").contains("hunter2"), "{other:?}");
    }
}
