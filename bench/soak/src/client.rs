//! A client as programs are: one connection that is kept as long as it holds, a limit on every wait. Here because the soak must tell
//! what was surely not sent from what may have been done. Must stay true: whatever goes wrong is a value; an answer is only an
//! answer when it is whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::world::World;

/// How long an answer may take: longer than any limit of the server.
const ANSWER_TIME: Duration = Duration::from_secs(40);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// What the browser runtime says of itself.
pub const BY_RUNTIME: &[(&str, &str)] = &[("Content-Type", "application/json"), ("X-Flin", "1")];
/// What a program says that sends JSON.
pub const BY_HAND: &[(&str, &str)] = &[("Content-Type", "application/json")];

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Broken {
    /// Nobody listens: nothing was sent.
    Down,
    /// The connection ended: what was sent may have been done.
    Cut(String),
}

/// A client with a connection of its own.
pub struct Client<'w> {
    world: &'w World,
    connection: Option<(u64, BufReader<TcpStream>)>,
}

impl<'w> Client<'w> {
    /// A client that has no connection yet.
    pub fn new(world: &'w World) -> Client<'w> {
        Client {
            world,
            connection: None,
        }
    }

    /// Ends the connection.
    pub fn close(&mut self) {
        self.connection = None;
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When there is none, or none that is whole.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Broken> {
        let (life, host) = self.world.address().ok_or(Broken::Down)?;
        let known = self.connection.take();
        let connection = match known.filter(|(of, _)| *of == life) {
            Some((_, connection)) => connection,
            None => BufReader::new(connect(&host)?),
        };
        let request = written(&host, method, path, headers, body);
        let (answer, connection) = exchange(connection, request.as_bytes(), method == "HEAD")
            .map_err(|error| Broken::Cut(error.to_string()))?;
        if answer.header("connection") != Some("close") {
            self.connection = Some((life, connection));
        }
        Ok(answer)
    }

    /// Sends a request, or the first `bytes` of it, and goes away.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn tell(&self, path: &str, body: &str, bytes: Option<usize>) -> Result<(), Broken> {
        let (_, host) = self.world.address().ok_or(Broken::Down)?;
        let mut stream = connect(&host)?;
        let request = written(&host, "POST", path, BY_HAND, body);
        let end = bytes.unwrap_or(request.len()).min(request.len());
        // Whether it arrives is what nobody knows here.
        let _ = stream.write_all(&request.as_bytes()[..end]);
        Ok(())
    }
}

/// A connection with limits on every wait.
///
/// # Errors
/// When nobody listens.
pub fn connect(host: &str) -> Result<TcpStream, Broken> {
    let stream = TcpStream::connect(host).map_err(|_| Broken::Down)?;
    let limited = stream
        .set_read_timeout(Some(ANSWER_TIME))
        .and_then(|()| stream.set_write_timeout(Some(ANSWER_TIME)))
        .and_then(|()| stream.set_nodelay(true));
    limited.map_err(|_| Broken::Down)?;
    Ok(stream)
}

/// The bytes of a request.
pub fn written(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if method == "POST" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

type Read1 = (Answer, BufReader<TcpStream>);

fn exchange(
    mut connection: BufReader<TcpStream>,
    request: &[u8],
    is_head: bool,
) -> std::io::Result<Read1> {
    connection.get_mut().write_all(request)?;
    let answer = read_answer(&mut connection, is_head)?;
    Ok((answer, connection))
}

/// Reads one answer.
///
/// # Errors
/// When it is not whole, or no HTTP.
pub fn read_answer(from: &mut impl BufRead, is_head: bool) -> std::io::Result<Answer> {
    let first = line(from)?;
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or_else(|| broken(format!("no HTTP answer: {first:?}")))?;
    let mut headers = Vec::new();
    loop {
        let text = line(from)?;
        if text.is_empty() {
            break;
        }
        let Some((name, value)) = text.split_once(':') else {
            return Err(broken(format!("no header: {text:?}")));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: String::new(),
    };
    if !is_head && status != 304 && status != 204 {
        let bytes = body_of(&answer, from)?;
        answer.body = String::from_utf8(bytes).map_err(|_| broken("the body is no UTF-8"))?;
    }
    Ok(answer)
}

fn body_of(answer: &Answer, from: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse().map_err(broken)?;
        take(from, length, &mut body)?;
        return Ok(body);
    }
    if answer.header("transfer-encoding") != Some("chunked") {
        return Err(broken("an answer without a length"));
    }
    loop {
        let size = usize::from_str_radix(&line(from)?, 16).map_err(broken)?;
        take(from, size, &mut body)?;
        if !line(from)?.is_empty() {
            return Err(broken("a chunk without an end"));
        }
        if size == 0 {
            return Ok(body);
        }
    }
}

fn take(from: &mut impl BufRead, bytes: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
    if into.len() + bytes > ANSWER_BYTES_MAX {
        return Err(broken("an answer without end"));
    }
    let read = from.take(bytes as u64).read_to_end(into)?;
    if read < bytes {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn line(from: &mut impl BufRead) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    from.take(64 << 10).read_until(b'\n', &mut bytes)?;
    match bytes.strip_suffix(b"\r\n") {
        Some(line) => String::from_utf8(line.to_vec()).map_err(broken),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

fn broken(why: impl ToString) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::io::Result<Answer> {
        read_answer(&mut text.as_bytes(), false)
    }

    #[test]
    fn only_a_whole_answer_is_one() {
        let whole = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP").expect("whole");
        assert_eq!((whole.status, whole.body.as_str()), (200, "ok"));
        let chunks =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert_eq!(read(chunks).expect("whole").body, "abc");
        for cut in [
            "",
            "HTTP/1.1 2",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        ] {
            assert!(read(cut).is_err(), "{cut:?}");
        }
    }
}
