//! A plain HTTP/1.1 client over one TCP connection per request. Here because tests must be able to send what no library
//! would send. Must stay true: it adds nothing but what it is told, `Host`, `Connection: close` and the length.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers with lower-case names, in order.
    pub headers: Vec<(String, String)>,
    /// Body, decoded from chunks if it was chunked.
    pub body: String,
}

impl Answer {
    /// The value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// Sends a request to `url` (`http://127.0.0.1:PORT`) and reads the answer.
///
/// # Panics
/// When there is no answer.
pub fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let host = url.trim_start_matches("http://");
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method != "GET" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body;
    raw(url, text.as_bytes())
}

/// `GET path`.
pub fn get(url: &str, path: &str) -> Answer {
    request(url, "GET", path, &[], "")
}

/// `POST path` with a JSON body.
pub fn post_json(url: &str, path: &str, body: &str) -> Answer {
    request(
        url,
        "POST",
        path,
        &[("Content-Type", "application/json")],
        body,
    )
}

/// Sends bytes as they are and reads the answer to the end of the connection.
///
/// # Panics
/// When the connection fails or the answer is no HTTP.
pub fn raw(url: &str, bytes: &[u8]) -> Answer {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap_or_else(|e| panic!("{host}: {e}"));
    stream
        .set_read_timeout(Some(ANSWER_DEADLINE))
        .expect("a read time limit");
    // The server may refuse and close before it has read everything; the answer decides.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(_) if !answer.is_empty() => break,
            Err(error) => panic!("no answer from {host}: {error}"),
        }
    }
    parse(&answer)
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no HTTP answer: {text}"));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|l| l.split(' ').nth(1))
        .and_then(|s| s.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(n, v)| n == "transfer-encoding" && v.contains("chunked"));
    Answer {
        status: status.unwrap_or_else(|| panic!("no HTTP answer: {head}")),
        headers,
        body: if chunked {
            unchunk(body)
        } else {
            body.to_string()
        },
    }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || size > after.len() {
            break;
        }
        body.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    body
}
