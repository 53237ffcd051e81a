//! Secrets that Secrets Manager keeps.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;

use crate::explain;

/// A secret could not be had. Says nothing of the secret.
#[derive(Debug, thiserror::Error)]
#[error("the secret {id} could not be read: {why}")]
pub struct SecretError {
    id: String,
    why: String,
}

/// The text of the secret of that name or ARN.
pub async fn secret(config: &SdkConfig, id: &str) -> Result<String, SecretError> {
    let refused = |why: String| SecretError { id: id.to_owned(), why };
    let answer = Client::new(config).get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| refused(explain(&error)))?;
    answer.secret_string.ok_or_else(|| refused("it holds no text".to_owned()))
}
