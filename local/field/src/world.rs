//! What all nodes of one field share.

use std::{sync::Arc, time::Duration};

use reqwest::Url;
use tokio::time::Instant;

use crate::{FieldError, FieldSettings, counters::Tally, truth::Truth};

/// How long a post may take.
const POST_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) settings: FieldSettings,
    pub(crate) tally: Tally,
    pub(crate) truth: Truth,
    pub(crate) http: reqwest::Client,
    /// The field's birth: its signals are functions of its age.
    pub(crate) started: Instant,
}

impl World {
    pub(crate) fn new(settings: FieldSettings) -> Result<Self, FieldError> {
        let truth = Truth::open(settings.truth.as_ref())?;
        Ok(Self { truth, settings, tally: Tally::default(), http: http_client()?, started: Instant::now() })
    }

    /// The address of one of the server's calls for nodes.
    pub(crate) fn address(&self, call: &str) -> Url {
        let mut address = self.settings.server.clone();
        address.set_path(&format!("{}/api/node/{call}", self.settings.server.path().trim_end_matches('/')));
        address
    }
}

/// Plain http goes straight to the server, past any proxy. The client wants a TLS backend all the same; this one
/// trusts nobody.
fn http_client() -> Result<reqwest::Client, FieldError> {
    let problem = |error: &dyn std::error::Error| FieldError::Http(error.to_string());
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(&error))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .tcp_nodelay(true)
        .timeout(POST_TIMEOUT)
        .build()
        .map_err(|error| problem(&error))
}
