//! The client's address, behind the operator's proxies.

use std::net::IpAddr;

use http::HeaderMap;

use crate::config::Network;

/// Returns the address that made the request: `peer`, or, when `peer` is a trusted proxy, the last
/// address in `X-Forwarded-For` that is not a trusted proxy. Entries that a client writes into the
/// header itself are further left and are never reached.
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut seen = peer.to_canonical();
    if !trusted(seen) {
        return seen;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        seen = address.to_canonical();
        if !trusted(seen) {
            break;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn from(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(value).expect("header"));
        }
        let proxies: Vec<Network> = proxies.iter().map(|p| p.parse().expect("network")).collect();
        client(peer.parse().expect("address"), &headers, &proxies).to_string()
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(from("203.0.113.7", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.7");
        assert_eq!(from("203.0.113.7", &["198.51.100.1"], &[]), "203.0.113.7");
    }

    #[test]
    fn behind_proxies_the_last_untrusted_address_counts() {
        assert_eq!(from("10.0.0.2", &["1.1.1.1, 203.0.113.7, 10.0.0.9"], &["10.0.0.0/8"]), "203.0.113.7");
        assert_eq!(from("::ffff:10.0.0.2", &["1.1.1.1", "203.0.113.7"], &["10.0.0.2"]), "203.0.113.7");
        assert_eq!(from("10.0.0.2", &["garbage"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(from("10.0.0.2", &[], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(from("fd00::1", &["2001:db8::5"], &["fd00::/8"]), "2001:db8::5");
    }
}
