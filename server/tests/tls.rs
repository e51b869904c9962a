//! TLS and HTTP/2: what a client with rustls and one with h2 see. The certificate in tests/tls is for this test alone and trusted by
//! nobody. Must stay true: both protocols give the same answers under the same checks.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flin_runtime::RuntimeOptions;
use flin_server::{ServerLimits, Tls};
use support::{Running, serve_options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const CERTIFICATE: &[u8] = include_bytes!("tls/cert.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");
const OTHER_KEY: &[u8] = include_bytes!("tls/other_key.pem");

fn serve(limits: ServerLimits) -> Running {
    let tls = Tls::of_pem(CERTIFICATE, KEY).expect("a pair");
    serve_options(RuntimeOptions::default(), move |options| {
        options.limits = limits;
        options.tls = Some(tls);
    })
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let threads = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("threads");
    let limited = async { tokio::time::timeout(Duration::from_secs(20), work).await };
    threads.block_on(limited).expect("in time")
}

async fn connect(address: SocketAddr, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    roots.add(certificate).expect("it can be trusted");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocols");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.expect("the port is open");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
    stream
}

#[test]
fn certificates_and_keys_are_checked_at_the_start() {
    let refused =
        |certificate: &[u8], key: &[u8]| Tls::of_pem(certificate, key).expect_err("refused");
    assert!(refused(b"", KEY).contains("has none in it"));
    assert!(refused(b"junk", KEY).contains("has none in it"));
    assert!(refused(CERTIFICATE, b"junk").contains("private key cannot be read"));
    assert!(refused(CERTIFICATE, OTHER_KEY).contains("cannot be used"));
    let broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
    assert!(refused(broken, KEY).contains("certificates cannot be read"));
}

#[test]
fn http1_over_tls() {
    let server = serve(ServerLimits::default());
    let text = run(async {
        let mut stream = connect(server.address, b"http/1.1").await;
        let ask = "GET /_flin/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(ask.as_bytes()).await.expect("sent");
        let mut text = String::new();
        // Some servers end without a word; ours says that it closes.
        stream
            .read_to_string(&mut text)
            .await
            .expect("an answer with its end");
        text
    });
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(
        text.contains("strict-transport-security: max-age=31536000"),
        "{text}"
    );
    // Plain text is no handshake, and harms nobody.
    assert_eq!(
        server
            .raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .status,
        0
    );
    let silent = ServerLimits {
        head_time: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let server = serve(silent);
    assert_eq!(support::read_answer(&mut server.connect()).status, 0);
}

#[test]
fn http2_asks_many_things_over_one_connection() {
    let server = serve(ServerLimits::default());
    run(async {
        let stream = connect(server.address, b"h2").await;
        let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(async move { drop(connection.await) });
        let mut answers = Vec::new();
        for path in ["/", "/_flin/health", "/nowhere"] {
            let request = hyper::Request::get(format!("https://localhost{path}"));
            let request = request.body(()).expect("a request");
            client = client.ready().await.expect("room");
            answers.push(client.send_request(request, true).expect("sent").0);
        }
        let mut statuses = Vec::new();
        for answer in answers {
            statuses.push(answer.await.expect("an answer").status().as_u16());
        }
        assert_eq!(statuses, [200, 200, 404]);
        // The same checks: a foreign host, another site, an action by hand, a body that is too big.
        let ask = |uri: &str, method: &str, headers: &[(&str, &str)]| {
            let mut request = hyper::Request::builder().method(method).uri(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.body(()).expect("a request")
        };
        client = client.ready().await.expect("room");
        let foreign = ask("https://evil.example/", "GET", &[]);
        let (answer, _) = client.send_request(foreign, true).expect("sent");
        assert_eq!(answer.await.expect("an answer").status(), 421);
        client = client.ready().await.expect("room");
        let site = ask(
            "https://localhost/_action",
            "POST",
            &[("origin", "https://evil.example")],
        );
        let (answer, _) = client.send_request(site, true).expect("sent");
        assert_eq!(answer.await.expect("an answer").status(), 403);
        client = client.ready().await.expect("room");
        let big = ask(
            "https://localhost/_action",
            "POST",
            &[("content-length", "9000000")],
        );
        let (answer, _body) = client.send_request(big, false).expect("sent");
        assert_eq!(answer.await.expect("an answer").status(), 413);
        client = client.ready().await.expect("room");
        let head = "a".repeat(20_000);
        let long = ask("https://localhost/", "GET", &[("x-long", &head)]);
        let (answer, _) = client.send_request(long, true).expect("sent");
        assert!(answer.await.is_ok_and(|answer| answer.status() == 431));
    });
}

#[test]
fn a_pause_of_http2_ends_the_connection() {
    let server = serve(ServerLimits {
        idle_time: Duration::from_millis(200),
        ..ServerLimits::default()
    });
    run(async {
        let stream = connect(server.address, b"h2").await;
        let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let ended = tokio::spawn(connection);
        let mut client = client.ready().await.expect("room");
        let request = hyper::Request::get("https://localhost/")
            .body(())
            .expect("a request");
        let (answer, _) = client.send_request(request, true).expect("sent");
        assert_eq!(answer.await.expect("an answer").status(), 200);
        // However it is told, the connection is over.
        drop(ended.await.expect("a task"));
    });
}
