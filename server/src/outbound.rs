//! Requests that programs send to other servers. Here because the runtime knows no socket. Must stay true: whoever answers
//! cannot make this process wait or grow without bound; addresses that are not public are refused unless the operator
//! allowed them, at the very lookup that the connection uses, redirects included (so no name can point inside).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use flin_runtime::World;
use flin_runtime::vm::{HostResponse, HostValue, HttpMethod, HttpProblem, HttpRequest, LogLevel};
use hyper::http;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

/// Most bytes of an answer's body.
const BODY_BYTES_MAX: u64 = 8 << 20;
/// Most bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Redirects that are followed.
const REDIRECTS_MAX: u32 = 5;

/// A world with a network.
pub struct Networked<W> {
    world: W,
    agent: Agent,
}

impl<W> Networked<W> {
    /// The world, with a client for other servers. `allow_private`: also those at addresses that are not public.
    pub fn new(world: W, allow_private: bool) -> Networked<W> {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(REDIRECTS_MAX)
            .max_response_header_size(HEAD_BYTES_MAX)
            .user_agent(concat!("flin/", env!("CARGO_PKG_VERSION")))
            // What the environment says of proxies is for other programs: a proxy would look addresses up itself.
            .proxy(None)
            .build();
        let resolver = Lookup {
            allow_private,
            names: DefaultResolver::default(),
        };
        Networked {
            world,
            agent: Agent::with_parts(config, DefaultConnector::new(), resolver),
        }
    }

    /// The world without its network.
    pub fn inner(&self) -> &W {
        &self.world
    }

    fn send(
        &self,
        request: &HttpRequest,
        within: Duration,
    ) -> Result<http::Response<Body>, HttpProblem> {
        let uri = address(&request.url)?;
        let method = match request.method {
            HttpMethod::Get => http::Method::GET,
            HttpMethod::Delete => http::Method::DELETE,
            HttpMethod::Post => http::Method::POST,
            HttpMethod::Put => http::Method::PUT,
            HttpMethod::Patch => http::Method::PATCH,
        };
        let mut built = http::Request::builder().method(method).uri(uri);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let has_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if let Some((_, media)) = &request.body
            && !request.headers.iter().any(has_type)
        {
            built = built.header(http::header::CONTENT_TYPE, *media);
        }
        let refused = |error: http::Error| HttpProblem::Request(format!("no header: {error}"));
        let sent = match &request.body {
            Some((body, _)) => {
                let built = built.body(body.as_str()).map_err(refused)?;
                self.within(built, within)
            }
            None => self.within(built.body(()).map_err(refused)?, within),
        };
        sent.map_err(|error| problem(&request.url, &error))
    }

    fn within<S: ureq::AsSendBody>(
        &self,
        request: http::Request<S>,
        within: Duration,
    ) -> Result<http::Response<Body>, ureq::Error> {
        let configured = self.agent.configure_request(request);
        self.agent
            .run(configured.timeout_global(Some(within)).build())
    }
}

/// A URL of another server.
fn address(url: &str) -> Result<http::Uri, HttpProblem> {
    url.parse().map_err(|error| {
        HttpProblem::Request(format!("\"{url}\" is no address of a web server: {error}"))
    })
}

fn problem(url: &str, error: &ureq::Error) -> HttpProblem {
    let message = match error {
        ureq::Error::Timeout(_) => format!("{url} did not answer in time"),
        ureq::Error::TooManyRedirects => format!("{url} redirects more than {REDIRECTS_MAX} times"),
        ureq::Error::Other(refused) if refused.is::<NotPublic>() => format!("{url}: {refused}"),
        error => format!("{url} gave no answer: {error}"),
    };
    HttpProblem::Network(message)
}

/// Whoever the name stands for is not to be asked.
#[derive(Debug)]
struct NotPublic(IpAddr);

impl std::fmt::Display for NotPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ip = self.0;
        write!(
            f,
            "{ip} is an address of this machine or of a private network; start with --allow-private-http if programs may ask there"
        )
    }
}

impl std::error::Error for NotPublic {}

#[derive(Debug)]
struct Lookup {
    allow_private: bool,
    names: DefaultResolver,
}

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        // A name that stands for an address inside, too, is refused as a whole: which one is taken is not for chance.
        match found.iter().find(|address| !is_public(address.ip())) {
            Some(inside) if !self.allow_private => {
                Err(ureq::Error::Other(Box::new(NotPublic(inside.ip()))))
            }
            Some(_) | None => Ok(found),
        }
    }
}

/// Whether an address belongs to the Internet at large (IANA special-purpose registries, RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // An address of the older kind, in one of its disguises.
    let [.., high, low] = ip.segments();
    let inner = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let is_translated = first == 0x64 && second == 0xff9b;
    if ip.to_ipv4().is_some() || is_translated {
        return is_public_v4(inner);
    }
    if first == 0x2002 {
        let [_, high, low, ..] = ip.segments();
        return is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    }
    // Only 2000::/3 is given out.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
}

impl<W: World> World for Networked<W> {
    fn now_ms(&self) -> i64 {
        self.world.now_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        self.world.env(name)
    }

    fn print(&self, line: &str) {
        self.world.print(line);
    }

    fn log(&self, level: LogLevel, line: &str) {
        self.world.log(level, line);
    }

    fn http(&self, request: &HttpRequest, within: Duration) -> Result<HostResponse, HttpProblem> {
        let (head, mut body) = self.send(request, within)?.into_parts();
        let url = &request.url;
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        let bytes = body.with_config().limit(BODY_BYTES_MAX).read_to_vec();
        let bytes = bytes.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                let most = BODY_BYTES_MAX >> 20;
                HttpProblem::Network(format!("the answer of {url} has more than {most} MiB"))
            }
            error => problem(url, &error),
        })?;
        let body = String::from_utf8(bytes).map_err(|_| {
            HttpProblem::Network(format!("the answer of {url} is no text in UTF-8"))
        })?;
        Ok(HostResponse {
            status: head.status.as_u16(),
            headers,
            body: HostValue::Text(body),
            redirect: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_no_public_ones_in_any_spelling() {
        let inside = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 192.0.0.1 198.18.0.1 \
                      224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fc00::1 fd12::1 fe80::1 ff02::1 ::ffff:127.0.0.1 \
                      ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 2001:db8::1 2001::1";
        for ip in inside.split_whitespace() {
            assert!(!is_public(ip.parse().expect("an address")), "{ip}");
        }
        let outside = "1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 64:ff9b::808:808 2002:808:808::";
        for ip in outside.split_whitespace() {
            assert!(is_public(ip.parse().expect("an address")), "{ip}");
        }
    }
}
