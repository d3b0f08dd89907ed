//! Who connects, when a proxy stands in front: rate limits count people, not the proxy.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// Each proxy adds whom it saw, so only the last entry is the word of the one that we trust.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose `X-Forwarded-For` is believed.
pub(super) struct Proxies(Vec<IpAddr>);

impl Proxies {
    pub(super) fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    /// The network address that a request counts for.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        match self.0.contains(&peer.to_canonical()) {
            true => last_forwarded(headers).unwrap_or(peer),
            false => peer,
        }
    }
}

/// The last entry of the last such header, with or without a port.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next()?.trim();
    let with_port = || last.parse().map(|address: SocketAddr| address.ip());
    last.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies::new(&["127.0.0.1", "2001:db8::1"].map(|ip| ip.parse().expect("an address")));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().expect("a header"));
        }
        proxies.client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_last_entry() {
        assert_eq!(client("127.0.0.1", &["192.0.2.9"]), "192.0.2.9");
        assert_eq!(
            client("127.0.0.1", &["198.51.100.1, 192.0.2.9"]),
            "192.0.2.9",
            "the rest anybody may claim"
        );
        assert_eq!(client("127.0.0.1", &["192.0.2.8", "198.51.100.1,192.0.2.9"]), "192.0.2.9");
        assert_eq!(client("::ffff:127.0.0.1", &["192.0.2.9"]), "192.0.2.9", "on a socket for both families");
        assert_eq!(client("2001:db8::1", &["2001:db8::9"]), "2001:db8::9");
        assert_eq!(client("127.0.0.1", &["192.0.2.9:4711"]), "192.0.2.9");
        assert_eq!(client("127.0.0.1", &["[2001:db8::9]:4711"]), "2001:db8::9");
    }

    #[test]
    fn nobody_else_is_believed_and_no_nonsense() {
        assert_eq!(client("192.0.2.7", &["192.0.2.9"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["192.0.2.9, unknown"]), "127.0.0.1");
    }
}
