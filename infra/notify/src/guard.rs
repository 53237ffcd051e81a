//! The one client for addresses that users give.
//!
//! It calls only http and https, connects only to addresses it has checked, follows no redirect, reads no proxy from the
//! environment, and takes no more than a bounded answer in a bounded time.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

mod addresses;
mod resolver;

pub use resolver::{Resolver, SystemResolver};

use addresses::may_be_called;
use resolver::CheckedResolver;

/// Name lookup, connection, request and answer together.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How much of an answer's body is read.
const MOST_BODY_BYTES: usize = 64 * 1024;

const USER_AGENT: &str = concat!("Telltale/", env!("CARGO_PKG_VERSION"));

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The URL is none, or names no host, or is not for http.
    #[error("the URL must begin with http:// or https:// and name a host")]
    Url,
    /// The host is, or resolves to, an address that is not public. It does not say which: that is nobody's business outside.
    #[error(
        "{host} is not on the public internet; to reach it, the operator must list its network in notify.webhook.allowed_nets"
    )]
    Internal {
        /// The host as the URL names it.
        host: String,
    },
    /// The host could not be looked up or reached, or broke off, or took too long.
    #[error("{0}")]
    Transport(String),
    /// The client could not be built.
    #[error("the HTTP client cannot be built: {0}")]
    Build(String),
}

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, whatever it is: redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body: the first 64 KiB, or less if the other side broke off.
    pub body: Vec<u8>,
}

/// An HTTP client that a user cannot turn against the network it runs in.
#[derive(Clone)]
pub struct GuardedClient {
    client: Client,
    allowed: Arc<[IpNet]>,
}

impl GuardedClient {
    /// A client that reaches public addresses and, beside them, the `allowed` networks.
    pub fn new(allowed: Vec<IpNet>, resolver: Arc<dyn Resolver>) -> Result<Self, GuardError> {
        let allowed: Arc<[IpNet]> = allowed.into();
        let tls = tls_config().map_err(|error| GuardError::Build(error.to_string()))?;
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIME_LIMIT)
            .tls_backend_preconfigured(tls)
            .dns_resolver(CheckedResolver { resolver, allowed: Arc::clone(&allowed) })
            .no_proxy()
            .redirect(redirect::Policy::none())
            .http1_only()
            // Every call resolves and checks anew, and no user's server holds a connection of ours.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| GuardError::Build(chain(&error)))?;
        Ok(Self { client, allowed })
    }

    /// Posts `body` to `url`: one attempt of at most 5 s.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<Answer, GuardError> {
        let url = self.checked(url)?;
        let mut response = self.client.post(url).headers(headers).body(body).send().await.map_err(guard_error)?;
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: read_at_most(MOST_BODY_BYTES, response).await,
        })
    }

    /// The URL, if it may be called as far as one can tell without a lookup. The parser has already turned the odd forms of
    /// an IPv4 address (`127.1`, `0x7f000001`, `2130706433`) into the usual one, and an address is never looked up.
    fn checked(&self, url: &str) -> Result<Url, GuardError> {
        let url = Url::parse(url).map_err(|_| GuardError::Url)?;
        let host = match url.scheme() {
            "http" | "https" => url.host_str().ok_or(GuardError::Url)?,
            _ => return Err(GuardError::Url),
        };
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !may_be_called(address, &self.allowed) => {
                Err(GuardError::Internal { host: host.to_owned() })
            }
            _ => Ok(url),
        }
    }
}

/// TLS with the roots that browsers trust; nothing is read from this machine.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// A body that breaks off is no failure: the status has come, and that is the answer.
async fn read_at_most(most: usize, mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]);
        if body.len() == most {
            break;
        }
    }
    body
}

/// Finds our own verdict inside the client's error; the rest is told without the URL, which may hold a password.
fn guard_error(error: reqwest::Error) -> GuardError {
    let error = error.without_url();
    let ours = causes(&error).find_map(|cause| cause.downcast_ref::<GuardError>());
    ours.cloned().unwrap_or_else(|| GuardError::Transport(chain(&error)))
}

fn chain(error: &reqwest::Error) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The error and what lies beneath it, outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
}

#[cfg(test)]
mod tests;
