//! Requests that programs send to other servers. Here because the runtime knows no socket. Must stay true: whoever answers
//! cannot make this process wait or grow without bound (what is packed counts unpacked); what is said of a failure names no more of
//! an address than its server, since paths and queries hold keys; addresses that are not public are refused unless the operator
//! allowed them, at the very lookup that the connection uses, redirects included (so no name can point inside).

use std::io::Read;
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
        let asked = origin(&uri);
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
        sent.map_err(|error| problem(&asked, &error))
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
        let message = format!("what was to be asked is no address of a web server: {error}");
        HttpProblem::Request(message)
    })
}

// The server of an address: no user, path or query, which may be secret, and messages reach visitors and logs.
fn origin(uri: &http::Uri) -> String {
    let (scheme, host) = (uri.scheme_str(), uri.host());
    let port = uri.port().map_or(String::new(), |port| format!(":{port}"));
    match (scheme, host) {
        (Some(scheme), Some(host)) => format!("{scheme}://{host}{port}"),
        (None, Some(host)) => format!("{host}{port}"),
        (_, None) => "the other server".to_owned(),
    }
}

fn problem(url: &str, error: &ureq::Error) -> HttpProblem {
    let message = match error {
        ureq::Error::Timeout(_) => format!("{url} did not answer in time"),
        ureq::Error::TooManyRedirects => format!("{url} redirects more than {REDIRECTS_MAX} times"),
        ureq::Error::Other(refused) if refused.is::<NotPublic>() => format!("{url}: {refused}"),
        // It would say the whole address.
        ureq::Error::BadUri(_) => {
            format!("{url}: its address, or one it redirects to, has no scheme or no host")
        }
        error => format!("{url} gave no answer: {error}"),
    };
    HttpProblem::Network(message)
}

/// Whoever the name stands for is not to be asked.
#[derive(Debug)]
struct NotPublic;

impl std::fmt::Display for NotPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "this is an address of this machine or of a private network; start with --allow-private-http if programs may ask there",
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
                // For the operator: whoever asks learns nothing of the network inside.
                tracing::debug!(address = %inside.ip(), "an address inside was not asked");
                Err(ureq::Error::Other(Box::new(NotPublic)))
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
    // Only the well-known prefix (RFC 6052): others of 64:ff9b are local, and have the address elsewhere.
    let is_translated = ip.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
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
        let url = &origin(&address(&request.url)?);
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        let mut bytes = Vec::new();
        // The limit of the client counts packed bytes.
        let mut unpacked = body.as_reader().take(BODY_BYTES_MAX + 1);
        let read = unpacked.read_to_end(&mut bytes);
        read.map_err(|error| problem(url, &ureq::Error::from(error)))?;
        if bytes.len() as u64 > BODY_BYTES_MAX {
            let most = BODY_BYTES_MAX >> 20;
            let message = format!("the answer of {url} has more than {most} MiB");
            return Err(HttpProblem::Network(message));
        }
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
    use std::io::Write;
    use std::net::TcpListener;

    use flin_runtime::SystemWorld;

    use super::*;

    // What a server gives that answers so many bytes, packed.
    fn packed_answer(bytes: usize) -> Result<HostResponse, HttpProblem> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&vec![b'x'; bytes]).expect("room");
        let packed = packer.finish().expect("room");
        assert!(packed.len() < bytes / 100);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!(
            "http://{}/data?key=secret",
            listener.local_addr().expect("one")
        );
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let _ = stream.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                packed.len()
            );
            // Whoever has enough closes early.
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&packed);
        });
        let request = HttpRequest {
            method: HttpMethod::Get,
            url,
            headers: Vec::new(),
            body: None,
        };
        let answer = Networked::new(SystemWorld, true).http(&request, Duration::from_secs(20));
        server.join().expect("it ends");
        answer
    }

    // Eight MiB of gzip were unpacked to eight GiB.
    #[test]
    fn a_packed_answer_counts_unpacked() {
        let most = BODY_BYTES_MAX as usize;
        let HostValue::Text(body) = packed_answer(most).expect("an answer").body else {
            panic!("expected a text");
        };
        assert_eq!(body.len(), most);
        match packed_answer(most + 1) {
            Err(HttpProblem::Network(message)) => {
                assert!(message.contains("more than 8 MiB"), "{message}");
            }
            other => panic!(
                "expected a refusal, found {} bytes",
                other.map_or(0, |_| most)
            ),
        }
    }

    // Messages reach visitors and logs, and addresses hold keys.
    #[test]
    fn no_more_of_an_address_is_told_than_its_server() {
        let uri = "https://me:pass@api.example:8443/v1/tok3n?key=abc";
        let uri = address(uri).expect("an address");
        assert_eq!(origin(&uri), "https://api.example:8443");
        let error = ureq::Error::BadUri("https://api.example/tok3n".to_owned());
        let HttpProblem::Network(message) = problem(&origin(&uri), &error) else {
            panic!("expected a problem of the network");
        };
        assert!(!message.contains("tok3n"), "{message}");
    }

    #[test]
    fn addresses_inside_are_no_public_ones_in_any_spelling() {
        let inside = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 192.0.0.1 198.18.0.1 \
                      224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fc00::1 fd12::1 fe80::1 ff02::1 ::ffff:127.0.0.1 \
                      ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::808:808 64:ff9b:1:a00:1::808:808 64::808:808 2002:7f00:1:: 2001:db8::1 2001::1";
        for ip in inside.split_whitespace() {
            assert!(!is_public(ip.parse().expect("an address")), "{ip}");
        }
        let outside = "1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 64:ff9b::808:808 2002:808:808::";
        for ip in outside.split_whitespace() {
            assert!(is_public(ip.parse().expect("an address")), "{ip}");
        }
    }
}
