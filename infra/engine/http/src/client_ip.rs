//! Which address a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The client's address: the peer's, unless the peer is a trusted proxy. Then `x-real-ip`, else the right-most address
/// of `x-forwarded-for` that is no trusted proxy itself; what a proxy did not write is the client's own claim. So a
/// trusted proxy must set `x-real-ip` itself or remove it. IPv4 in IPv6 is given as IPv4.
pub fn client_ip(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let real = headers.get("x-real-ip").and_then(|value| address(value.to_str().ok()?));
    real.or_else(|| forwarded_for(headers, trusted)).unwrap_or(peer)
}

/// None when the list is absent, or holds something that is no address before a client was found.
fn forwarded_for(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let lists = headers.get_all("x-forwarded-for").iter().filter_map(|list| list.to_str().ok());
    let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).collect();
    let mut nearest = None;
    for hop in hops.into_iter().rev() {
        let hop = address(hop)?;
        nearest = Some(hop);
        if !is_trusted(hop, trusted) {
            break;
        }
    }
    nearest
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    bare.ok().map(|ip: IpAddr| ip.to_canonical())
}

fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_ip(&headers, peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed_whatever_it_says() {
        assert_eq!(seen("192.0.2.1", &[("x-real-ip", "10.0.0.9"), ("x-forwarded-for", "10.0.0.9")]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        assert_eq!(seen("10.0.0.1", &[("x-real-ip", "192.0.2.7")]), "192.0.2.7");
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "192.0.2.8")]), "192.0.2.8");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_put_in_front_of_the_list_is_ignored() {
        let spoofed = [("x-forwarded-for", "198.51.100.1, 192.0.2.8"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(seen("10.0.0.1", &spoofed), "192.0.2.8");
    }

    #[test]
    fn a_list_of_proxies_alone_gives_the_first_of_them() {
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]), "10.0.0.3");
    }

    #[test]
    fn garbage_in_the_list_gives_the_peer() {
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "192.0.2.8, unknown")]), "10.0.0.1");
    }

    #[test]
    fn ports_are_dropped_and_mapped_addresses_unwrapped() {
        assert_eq!(seen("::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(seen("::ffff:10.0.0.1", &[("x-real-ip", "[::ffff:192.0.2.7]:4711")]), "192.0.2.7");
        assert_eq!(seen("fd00::1", &[("x-forwarded-for", "192.0.2.8:4711")]), "192.0.2.8");
    }
}
