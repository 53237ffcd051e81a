//! Which addresses lie on the public internet.
//!
//! From the IANA special-purpose registries, and the metadata services of clouds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What is not public in IPv4.
const CLOSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // this network, and "unspecified", which connects to this host
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT, and Alibaba's metadata
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // Azure's platform service, on a public number
    v4([169, 254, 0, 0], 16),   // link-local, and most clouds' metadata
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // protocol assignments, and Oracle's metadata
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarking
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 4),      // multicast
    v4([240, 0, 0, 0], 4),      // reserved, and broadcast
];

/// The only part of IPv6 that is routed on the internet. Loopback, unspecified, IPv4-compatible, unique local, link-local
/// and multicast addresses lie outside it.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// What is not public within that part.
const CLOSED_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0], 23),     // protocol assignments: Teredo, benchmarking, ORCHID
    v6([0x2001, 0xdb8], 32), // documentation
    v6([0x3fff, 0], 20),     // documentation
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b]: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whether a user's URL may lead there: it is public, or the operator opened it.
pub(super) fn may_be_called(address: IpAddr, allowed: &[IpNet]) -> bool {
    let address = address.to_canonical();
    allowed.iter().any(|net| net.contains(&address)) || is_public(address)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => carried_v4(v6).map_or_else(|| is_public_v6(v6), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|net| net.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    GLOBAL_V6.contains(&address) && !CLOSED_V6.iter().any(|net| net.contains(&address))
}

/// The IPv4 address that a translator or a tunnel would take out of this one: mapped, NAT64, 6to4.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<IpNet> = allowed.iter().map(|net| net.parse().unwrap()).collect();
        may_be_called(address.parse().unwrap(), &allowed)
    }

    /// Both ends of every IPv4 block; IPv6; and IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4.
    const INTERNAL: &str = "
        0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255
        127.0.0.0 127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255
        172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.255
        192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255
        198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255
        240.0.0.0 255.255.255.255
        :: ::1 100::1 2001::1 2001:2::1 2001:10::1 2001:1ff:: 2001:db8::1 2001:db8:ffff:: 3fff::1 5f00::1
        fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1
        ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8
        ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::10.0.0.1
        2002:7f00:1::1 2002:a00:1:: 2002:a9fe:a9fe::";

    /// The neighbours of those blocks.
    const PUBLIC: &str = "
        1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
        168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
        191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
        198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
        2001:200:: 2001:4860:4860::8888 2001:db7:ffff:: 2001:db9:: 2606:4700::1111 3ffe:ffff::
        ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1";

    #[test]
    fn internal_addresses_are_closed() {
        for address in INTERNAL.split_whitespace() {
            assert!(!may(address, &[]), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_open() {
        for address in PUBLIC.split_whitespace() {
            assert!(may(address, &[]), "{address}");
        }
    }

    #[test]
    fn the_operator_opens_a_network_and_nothing_beside_it() {
        let allowed = ["10.1.0.0/16", "fd12::/16"];
        for (address, open) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("fd12::1", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
            ("fd13::1", false),
        ] {
            assert_eq!(may(address, &allowed), open, "{address}");
        }
    }
}
