//! The channels to people, as the environment names them.

use std::sync::Arc;

use engine_aws::SdkConfig;
use jobs::ports::Clock;
use notify::{AwsChannels, NotifySettings, Post, SmtpSettings, SystemResolver};

use crate::config::Config;

/// Sets up every channel that `config` names. Reads the secret of the server that takes mail, if there is one.
pub(crate) async fn post(aws: &SdkConfig, config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Post> {
    let ses = config.ses.clone().filter(|ses| !ses.from.is_empty());
    let smtp = match &config.smtp_url_secret {
        Some(_) if ses.is_some() => anyhow::bail!("mail goes by SES or by an SMTP server, and both are configured"),
        Some(secret) => {
            Some(SmtpSettings { url: engine_aws::secret(aws, secret).await?.into(), from: config.smtp_from.clone() })
        }
        None => None,
    };
    let settings = NotifySettings { smtp, webhook: config.webhook.clone(), ..NotifySettings::default() };
    let channels = AwsChannels { ses, sms: config.sms.clone(), topics: config.topics.clone() };
    let post = Post::new(settings, Arc::clone(clock), Arc::new(SystemResolver))?;
    Ok(post.with_aws(aws, channels)?)
}
