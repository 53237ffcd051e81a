//! From a host's name to its addresses, and the check between the two.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::GuardError;
use super::addresses::may_be_called;

/// Looks a host up.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Every address of `host`.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's lookup.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// What the HTTP client resolves with: it hands out checked addresses only, and the client connects to just these, so no
/// second lookup can answer differently.
pub(super) struct CheckedResolver {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) allowed: Arc<[IpNet]>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, allowed) = (Arc::clone(&self.resolver), Arc::clone(&self.allowed));
        Box::pin(async move {
            let found = checked_lookup(resolver.as_ref(), &allowed, name.as_str()).await?;
            // The client puts the URL's port in the place of 0.
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

/// One internal address among public ones condemns the host: it is not for us to guess which was meant.
async fn checked_lookup(resolver: &dyn Resolver, allowed: &[IpNet], host: &str) -> Result<Vec<IpAddr>, GuardError> {
    let found = resolver
        .lookup(host)
        .await
        .map_err(|error| GuardError::Transport(format!("{host} cannot be looked up: {error}")))?;
    if found.is_empty() {
        return Err(GuardError::Transport(format!("{host} has no address")));
    }
    if !found.iter().all(|address| may_be_called(*address, allowed)) {
        return Err(GuardError::Internal { host: host.to_owned() });
    }
    Ok(found)
}
