//! The configuration of every SDK client: one HTTP client, and bounds on how long a call may take.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// How long one attempt at a call may take before it is made again, and all attempts together. The SDK itself would
/// wait for ever.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What the environment says of the region, the credentials and the endpoints. Load it once for all clients, so that
/// they share their connections.
pub async fn load() -> SdkConfig {
    bounded().load().await
}

/// For an engine at `endpoint` that speaks like AWS and asks nobody who they are. The environment's region, credentials
/// and endpoints do not count.
pub async fn emulated(endpoint: &str) -> SdkConfig {
    bounded().endpoint_url(endpoint).region(Region::from_static("us-east-1")).test_credentials().load().await
}

fn bounded() -> ConfigLoader {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts)
}
