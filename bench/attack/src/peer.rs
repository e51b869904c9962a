//! A client that sends what it is told, byte for byte, and reads what comes back without mercy. Here because a library would
//! neither send what is wrong nor notice it. Must stay true: it knows nothing of the server's code; each wait has a deadline; an
//! orderly end and a reset are two different things.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How long the server may take for anything.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// The longest answer or frame that is waited for.
const BYTES_MAX: usize = 8 << 20;

/// How the server's side of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order: everything that was sent has arrived.
    Closed,
    /// Thrown away: what was sent may be lost.
    Reset,
}

/// A connection to the server under attack.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    // Read, but not looked at yet.
    waiting: Vec<u8>,
    end: Option<End>,
}

/// An answer of HTTP/1.1, read as strictly as it must be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Its body, out of its chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header that stands there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Peer {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(host: &str) -> Result<Peer, String> {
        let stream = TcpStream::connect(host).map_err(|error| format!("{host}: {error}"))?;
        let ready = stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .and_then(|()| stream.set_nodelay(true));
        ready.map_err(|error| format!("a socket: {error}"))?;
        Ok(Peer {
            stream,
            waiting: Vec::new(),
            end: None,
        })
    }

    /// Sends bytes in one go. A server that refuses may close before it has taken everything: what it answered decides.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends bytes one by one.
    pub fn drip(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]);
        }
    }

    /// Says that nothing more will be sent.
    pub fn half_close(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The connection itself, for whoever reads nothing more.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Throws the connection away, so that the server gets a reset: an answer to it has arrived and is not read.
    ///
    /// # Errors
    /// When no answer arrives.
    pub fn reset(self) -> Result<(), String> {
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            if self.stream.peek(&mut [0]).is_ok_and(|bytes| bytes > 0) {
                return Ok(());
            }
        }
        Err("no answer arrived that could be thrown away".to_owned())
    }

    /// Reads something more; false at the end.
    fn fill(&mut self, until: Instant, what: &str) -> Result<bool, String> {
        if self.end.is_some() {
            return Ok(false);
        }
        let mut buffer = [0; 16 << 10];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.end = Some(End::Closed),
                Ok(bytes) => self.waiting.extend_from_slice(&buffer[..bytes]),
                Err(error) if is_pause(&error) && Instant::now() < until => continue,
                Err(error) if is_pause(&error) => {
                    return Err(format!("{what} did not come in {DEADLINE:?}"));
                }
                Err(_) => self.end = Some(End::Reset),
            }
            return Ok(self.end.is_none());
        }
    }

    /// The next so many bytes.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn take(&mut self, count: usize, what: &str) -> Result<Vec<u8>, String> {
        if count > BYTES_MAX {
            return Err(format!("{what}: {count} bytes are announced"));
        }
        let until = Instant::now() + DEADLINE;
        while self.waiting.len() < count {
            if !self.fill(until, what)? {
                let (have, end) = (self.waiting.len(), self.end);
                return Err(format!(
                    "{what}: the connection ended ({end:?}) after {have} of {count} bytes"
                ));
            }
        }
        let rest = self.waiting.split_off(count);
        Ok(std::mem::replace(&mut self.waiting, rest))
    }

    /// A line without its end, which must be CR and LF.
    fn line(&mut self, what: &str) -> Result<String, String> {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line = self.take(at + 1, what)?;
                let line = line
                    .strip_suffix(b"\r\n")
                    .ok_or_else(|| format!("{what}: a line without CR"))?;
                let text = std::str::from_utf8(line);
                return text
                    .map(str::to_owned)
                    .map_err(|error| format!("{what}: {error}"));
            }
            if !self.fill(until, what)? {
                let end = self.end;
                let have = String::from_utf8_lossy(&self.waiting).into_owned();
                return Err(format!(
                    "{what}: the connection ended ({end:?}) after {have:?}"
                ));
            }
        }
    }

    /// The next answer. `bare`: the request was a `HEAD`, so there is no body.
    ///
    /// # Errors
    /// When there is none, or it is not what HTTP/1.1 allows.
    pub fn answer(&mut self, bare: bool) -> Result<Answer, String> {
        let first = self.line("an answer")?;
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| first.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| format!("no status line: {first:?}"))?;
        let mut answer = Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let line = self.line("a header")?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| format!("no header: {line:?}"))?;
            let pair = (name.to_ascii_lowercase(), value.trim().to_owned());
            answer.headers.push(pair);
        }
        if !bare && status >= 200 && !matches!(status, 204 | 304) {
            answer.body = self.body(&answer)?;
        }
        Ok(answer)
    }

    fn body(&mut self, answer: &Answer) -> Result<Vec<u8>, String> {
        let chunked = answer.header("transfer-encoding") == Some("chunked");
        match answer.header("content-length") {
            Some(_) if chunked => Err("an answer with two lengths".to_owned()),
            Some(length) => {
                let length = length.parse().map_err(|_| format!("length {length:?}"))?;
                self.take(length, "a body")
            }
            None if chunked => self.chunks(),
            None => {
                let until = Instant::now() + DEADLINE;
                while self.fill(until, "the end of a body")? {}
                Ok(std::mem::take(&mut self.waiting))
            }
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let size = self.line("a chunk")?;
            let size =
                usize::from_str_radix(&size, 16).map_err(|_| format!("chunk size {size:?}"))?;
            let mut chunk = self.take(size + 2, "a chunk")?;
            if chunk.split_off(size) != b"\r\n" {
                return Err("a chunk without its end".to_owned());
            }
            if size == 0 {
                return Ok(body);
            }
            body.append(&mut chunk);
        }
    }

    /// Waits until the server has closed, and says how.
    ///
    /// # Errors
    /// When it goes on, or says something more.
    pub fn end(&mut self) -> Result<End, String> {
        let until = Instant::now() + DEADLINE;
        while self.waiting.is_empty() && self.fill(until, "the end of the connection")? {}
        if self.waiting.is_empty() {
            return Ok(self.end.unwrap_or(End::Closed));
        }
        let more = String::from_utf8_lossy(&self.waiting).into_owned();
        Err(format!("more came where nothing should: {more:?}"))
    }

    /// That the server said nothing more so far; looks for a moment only.
    ///
    /// # Errors
    /// What it said.
    pub fn silent(&mut self) -> Result<(), String> {
        let read = self.fill(Instant::now(), "nothing");
        match read {
            Err(_) if self.waiting.is_empty() => Ok(()),
            _ => Err(format!(
                "something came where nothing should: {:?} {:?}",
                String::from_utf8_lossy(&self.waiting),
                self.end
            )),
        }
    }
}

fn is_pause(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
