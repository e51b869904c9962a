//! Who may ask, and how a request must look: checks before anything of the program is touched. Here because hyper takes a
//! request with no `Host`, with two, and with junk in it, a host in the place of a path, and encodings that it does not undo. Must
//! stay true: every request passes `check_host` and `check_form`; everything that can change something passes
//! `check_origin`; a path is decoded exactly once.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, HeaderValue, ORIGIN, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A request that is refused: status and a sentence.
pub(crate) type Refusal = (StatusCode, String);

/// Stands for a `/` that was written `%2F`, while a path is matched segment by segment.
const SLASH_IN_SEGMENT: char = '\u{1}';

/// The `Host` of a request, valid and allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Lower case, without port; IPv6 in brackets.
    name: String,
    port: Option<u16>,
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        let text = text.to_ascii_lowercase();
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (format!("[{address}]"), rest)
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name.to_owned(), &text[text.len() - port.len() - 1..]),
                None => (text.clone(), ""),
            },
        };
        let port = match port.strip_prefix(':') {
            Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            Some(_) => return None,
            None if port.is_empty() => None,
            None => return None,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let valid = name.starts_with('[')
            || (!name.is_empty() && name.len() <= 253 && name.bytes().all(plain));
        valid.then_some(Host { name, port })
    }

    fn address(&self) -> Option<IpAddr> {
        self.name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()
    }
}

/// Exactly one valid `Host`, and one that is ours: the address that the connection reached, a name of this machine
/// itself, or an allowed name. (A foreign name that was made to point here would otherwise see everything.)
pub(crate) fn check_host(
    headers: &HeaderMap,
    uri: &Uri,
    reached: SocketAddr,
    allowed: &[String],
) -> Result<Host, Refusal> {
    let bad = |message: &str| (StatusCode::BAD_REQUEST, message.to_owned());
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(bad("expected one Host header, found several"));
    }
    let host = first.ok_or_else(|| bad("expected a Host header, found none"))?;
    let host = host
        .to_str()
        .ok()
        .and_then(Host::parse)
        .ok_or_else(|| bad("the Host header is no host name"))?;
    if let Some(authority) = uri.authority()
        && Host::parse(authority.as_str()).as_ref() != Some(&host)
    {
        return Err(bad(
            "the request line and the Host header name different hosts",
        ));
    }
    let ours = match host.address() {
        Some(address) => {
            address.to_canonical() == reached.ip().to_canonical()
                || address.is_loopback() && reached.ip().to_canonical().is_loopback()
        }
        None => host.name == "localhost" || host.name.ends_with(".localhost"),
    };
    if ours
        || allowed
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&host.name))
    {
        return Ok(host);
    }
    let message = format!(
        "this server does not answer for the host {}; start it with --allow-host {0} if it should",
        host.name
    );
    Err((StatusCode::MISDIRECTED_REQUEST, message))
}

/// A host alone is the target of a tunnel only (RFC 9112, 3.2.3); and the one encoding of a body that is undone here is
/// `chunked`, once: whatever stands before us could see another body behind any other.
pub(crate) fn check_form(parts: &Parts) -> Result<(), Refusal> {
    let uri = &parts.uri;
    if uri.authority().is_some() && uri.scheme().is_none() && parts.method != Method::CONNECT {
        let message = "expected a path in the request line, found a host".to_owned();
        return Err((StatusCode::BAD_REQUEST, message));
    }
    let mut encodings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        (Some(_), _) => Err((
            StatusCode::BAD_REQUEST,
            "expected chunked as the only transfer encoding".to_owned(),
        )),
    }
}

/// Whether a request comes from a page of this server itself. `Sec-Fetch-Site` decides where there is one, else
/// `Origin`; a request with neither comes from no browser page and passes. The content type decides nothing.
pub(crate) fn is_same_origin(headers: &HeaderMap, host: &Host) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        // Two of them are nobody's honest request.
        if values.next().is_some() {
            Some(None)
        } else {
            first.map(|value: &HeaderValue| value.to_str().ok())
        }
    };
    match one("sec-fetch-site") {
        Some(Some("same-origin" | "none")) => return true,
        Some(_) => return false,
        None => {}
    }
    match one(ORIGIN.as_str()) {
        None => true,
        Some(None) => false,
        Some(Some(origin)) => {
            let (scheme, rest) = match origin.split_once("://") {
                Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
                _ => return false,
            };
            let default = if scheme == "https" { 443 } else { 80 };
            let port = |host: &Host| host.port.unwrap_or(default);
            Host::parse(rest)
                .is_some_and(|origin| origin.name == host.name && port(&origin) == port(host))
        }
    }
}

/// Refuses what comes from another site.
pub(crate) fn check_origin(headers: &HeaderMap, host: &Host) -> Result<(), Refusal> {
    if is_same_origin(headers, host) {
        return Ok(());
    }
    Err((
        StatusCode::FORBIDDEN,
        "this request comes from another site and is refused".to_owned(),
    ))
}

/// The path, decoded once, for matching. Refuses what no honest client sends: NUL and other controls, backslashes, dot
/// segments, bytes that are no UTF-8.
pub(crate) fn decode_path(uri: &Uri) -> Result<String, Refusal> {
    let bad = || {
        (
            StatusCode::BAD_REQUEST,
            "the path of the request is not valid".to_owned(),
        )
    };
    let path = if uri.path().is_empty() {
        "/"
    } else {
        uri.path()
    };
    if !path.starts_with('/') {
        return Err(bad());
    }
    let mut out = String::with_capacity(path.len());
    for segment in path[1..].split('/') {
        let decoded = percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| bad())?;
        let forbidden = |ch: char| ch.is_control() || ch == '\\';
        if decoded.contains(forbidden) || matches!(&*decoded, "." | "..") {
            return Err(bad());
        }
        out.push('/');
        out.push_str(&decoded.replace('/', "\u{1}"));
    }
    Ok(out)
}

/// A decoded path as it stands in a link.
pub(crate) fn encode_path(path: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/')
        .remove(b'@')
        .remove(b'+');
    let segments = path
        .split(SLASH_IN_SEGMENT)
        .map(|part| utf8_percent_encode(part, PLAIN).to_string());
    segments.collect::<Vec<_>>().join("%2F")
}

/// A matched part of a decoded path as the program sees it.
pub(crate) fn path_param(part: &str) -> String {
    part.replace(SLASH_IN_SEGMENT, "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn host_status(pairs: &[(&'static str, &str)]) -> Result<(), u16> {
        let reached = "127.0.0.1:3000".parse().unwrap();
        let allowed = ["flin.example".to_owned()];
        let checked = check_host(&headers(pairs), &"/x".parse().unwrap(), reached, &allowed);
        checked.map(|_| ()).map_err(|(status, _)| status.as_u16())
    }

    #[test]
    fn one_host_and_one_of_ours() {
        for good in [
            "127.0.0.1:3000",
            "localhost",
            "LOCALHOST:3000",
            "app.localhost:1",
            "[::1]:3000",
            "flin.example",
            "Flin.Example:443",
        ] {
            assert_eq!(host_status(&[("host", good)]), Ok(()), "{good}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "xlocalhost",
        ] {
            assert_eq!(host_status(&[("host", foreign)]), Err(421), "{foreign}");
        }
        for junk in [
            "",
            "a b",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "[::1",
            "[zz]",
            "a@localhost",
            "localhost/x",
            "a:1:2",
        ] {
            assert_eq!(host_status(&[("host", junk)]), Err(400), "{junk:?}");
        }
        assert_eq!(host_status(&[]), Err(400));
        assert_eq!(
            host_status(&[("host", "localhost"), ("host", "localhost")]),
            Err(400)
        );
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let host = Host::parse("localhost:3000").unwrap();
        let same = |pairs: &[(&'static str, &str)]| is_same_origin(&headers(pairs), &host);
        assert!(same(&[]));
        assert!(same(&[("origin", "http://localhost:3000")]));
        assert!(same(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "null")
        ]));
        assert!(same(&[("sec-fetch-site", "none")]));
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3001",
            "http://localhost:3000.evil.example",
            "http://evil.example",
            "localhost:3000",
            "ftp://localhost:3000",
            "http://localhost:3000/path",
            "http://x@localhost:3000",
        ] {
            assert!(!same(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "Same-Origin", ""] {
            assert!(!same(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!same(&[
            ("origin", "http://localhost:3000"),
            ("origin", "http://localhost:3000")
        ]));
    }

    #[test]
    fn paths_are_decoded_once_and_cannot_climb() {
        let decode =
            |path: &str| decode_path(&path.parse().unwrap()).map_err(|(status, _)| status.as_u16());
        assert_eq!(decode("/a%20b/%C3%A9"), Ok("/a b/é".to_owned()));
        assert_eq!(decode("/a%252e%252e"), Ok("/a%2e%2e".to_owned()));
        assert_eq!(
            decode("/a%2Fb").map(|path| path_param(&path[1..])),
            Ok("a/b".to_owned())
        );
        for bad in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/a%00",
            "/a%5Cb",
            "/%ff",
            "/.",
            "/a%0d%0ab",
            "/a/%2e",
        ] {
            assert_eq!(decode(bad), Err(400), "{bad}");
        }
    }
}
