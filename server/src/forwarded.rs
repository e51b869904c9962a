//! Who really asks, where a proxy stands between: `X-Forwarded-For`, `-Proto`, `-Host`. Must stay true: these headers count only
//! from a peer that the operator trusts; from everybody else they are taken away before the program can see them.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};

use crate::settings::Network;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const NAMED: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Others of the kind, which FLIN does not read; a program must not believe them either.
const OTHERS: [&str; 4] = [
    "forwarded",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
];
/// Addresses in a chain of proxies.
const CHAIN_MAX: usize = 32;

/// Reads the headers of a trusted peer into what they stand for; takes away those of others. Gives who asks, and whether they
/// asked by https.
pub(crate) fn settle(
    headers: &mut HeaderMap,
    peer: SocketAddr,
    secure: bool,
    trusted: &[Network],
) -> (SocketAddr, bool) {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer.ip()) {
        for name in [FOR, PROTO, NAMED] {
            headers.remove(name);
        }
        for name in OTHERS {
            headers.remove(name);
        }
        return (peer, secure);
    }
    let remote = chain(headers)
        .into_iter()
        .rev()
        .take(CHAIN_MAX)
        .try_fold(peer, |nearer, hop| {
            // Whoever is not trusted is the last one of whom a trusted one tells.
            if is_trusted(nearer.ip()) {
                hop.map(|address| SocketAddr::new(address, 0)).ok_or(nearer)
            } else {
                Err(nearer)
            }
        });
    let (Ok(remote) | Err(remote)) = remote;
    let secure = match one(headers, &PROTO).as_deref() {
        Some("https") => true,
        Some("http") => false,
        _ => secure,
    };
    if let Some(host) = one(headers, &NAMED).and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(HOST, host);
    }
    (remote, secure)
}

// All addresses, the nearest last; one that is none ends the chain there.
fn chain(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(FOR).iter();
    let texts = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    texts.map(|text| address_of(text.trim())).collect()
}

// `10.0.0.1`, `10.0.0.1:80`, `[::1]`, `[::1]:80`, `::1`
fn address_of(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().ok().or_else(with_port)
}

// The value of a header that stands there once.
fn one(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim().to_owned();
    (values.next().is_none() && !value.contains(',')).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(
        peer: &str,
        pairs: &[(&'static str, &str)],
    ) -> (String, bool, Option<String>, usize) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("inside"));
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a value"));
        }
        let trusted = [Network::parse("10.0.0.0/8").expect("a network")];
        let peer = format!("{peer}:9").parse().expect("an address");
        let (remote, secure) = settle(&mut headers, peer, false, &trusted);
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned);
        (remote.ip().to_string(), secure, host, headers.len())
    }

    #[test]
    fn only_a_trusted_peer_speaks_for_others() {
        let all = [
            ("x-forwarded-for", "6.6.6.6, 9.9.9.9, 10.0.0.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("forwarded", "for=1.1.1.1"),
            ("x-real-ip", "1.1.1.1"),
        ];
        let (remote, secure, host, count) = settled("8.8.8.8", &all);
        assert_eq!((remote.as_str(), secure, count), ("8.8.8.8", false, 1));
        assert_eq!(host.as_deref(), Some("inside"));
        let (remote, secure, host, _) = settled("10.0.0.1", &all);
        assert_eq!((remote.as_str(), secure), ("9.9.9.9", true));
        assert_eq!(host.as_deref(), Some("shop.example"));
    }

    #[test]
    fn a_chain_ends_where_nobody_vouches_for_it() {
        let of = |text: &str| settled("10.0.0.1", &[("x-forwarded-for", text)]).0;
        assert_eq!(of("junk"), "10.0.0.1");
        assert_eq!(of("6.6.6.6, junk"), "10.0.0.1");
        assert_eq!(of("10.0.0.3"), "10.0.0.3");
        assert_eq!(of("[2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(of("9.9.9.9:1234"), "9.9.9.9");
        let twice = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "http"),
        ];
        assert!(!settled("10.0.0.1", &twice).1);
        assert_eq!(
            settled("10.0.0.1", &[("x-forwarded-host", "a, b")])
                .2
                .as_deref(),
            Some("inside")
        );
    }
}
