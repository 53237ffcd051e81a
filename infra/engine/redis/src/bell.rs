//! What is called out over a channel. Nobody keeps it: who was away looks for himself.

use std::time::Duration;

use futures::StreamExt;

use crate::{Redis, RedisError};

/// How long to wait before listening again.
const PAUSE: Duration = Duration::from_millis(200);

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// This was said.
    Said(String),
    /// It listens from now on; what was said before may have been missed.
    Listening,
}

/// Gives `heard` what is said on `channel`, for as long as it is polled.
pub async fn listen(redis: Redis, channel: String, heard: impl Fn(Heard) + Send) {
    loop {
        if let Err(error) = listen_once(&redis, &channel, &heard).await {
            tracing::debug!(%error, "the bells of redis are not heard");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(redis: &Redis, channel: &str, heard: &(impl Fn(Heard) + Send)) -> Result<(), RedisError> {
    let mut subscription = redis.subscription().await?;
    subscription.subscribe(channel).await?;
    heard(Heard::Listening);
    let mut said = subscription.into_on_message();
    while let Some(message) = said.next().await {
        heard(Heard::Said(message.get_payload()?));
    }
    Ok(())
}
