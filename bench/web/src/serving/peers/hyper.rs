//! Hyper and nothing else: the same bytes for everybody. Here because it is the floor: what HTTP itself takes on this machine.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers every request with `page`.
pub(super) async fn serve(port: u16, page: Vec<u8>) -> Result<(), super::super::Failure> {
    let page = Bytes::from(page);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let page = page.clone();
        tokio::spawn(async move {
            let answer = service_fn(|_: hyper::Request<Incoming>| {
                let page = page.clone();
                async move {
                    let mut response = Response::new(Full::new(page));
                    let html = hyper::header::HeaderValue::from_static("text/html; charset=utf-8");
                    response
                        .headers_mut()
                        .insert(hyper::header::CONTENT_TYPE, html);
                    Ok::<_, Infallible>(response)
                }
            });
            // A client that hangs up is the end of its connection.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}
