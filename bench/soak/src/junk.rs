//! Clients that mean no good, or are broken: requests that are none, sockets that speak nonsense, readers that never read. Must stay
//! true: whatever they are told is a refusal; they may be cut off, but nobody else may notice them.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flin_testkit::rng::Rng;

use crate::client::{Broken, connect, read_answer, written};
use crate::world::{Group, World};

/// Requests that are none; `{host}` stands for the server's own name.
const MALFORMED: &[&str] = &[
    "\r\n\r\n\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\nHost: {host}\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : {host}\r\n\r\n",
    "GET /%zz%00/../.. HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[[[[[[[[[",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n{}",
    "POST /_action HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}",
    "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n",
    "PUT /api/visits HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n",
    "BREW /pot HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "GET /_ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// Bytes of a socket that are no messages, or none that it may say.
const FRAMES: &[&[u8]] = &[
    &[0x81, 0x05, b'h', b'e', b'l', b'l', b'o'],
    &[0x83, 0x80, 0, 0, 0, 0],
    &[0xf1, 0x80, 0, 0, 0, 0],
    &[
        0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
    ],
    &[0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0],
    &[0x80, 0x81, 0, 0, 0, 0, b'x'],
    &[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    &[0x88, 0x81, 0, 0, 0, 0, 1],
    &[0x82, 0x81, 0, 0, 0, 0, 1],
    &[0x81, 0x82, 0, 0, 0, 0, b'{', b'}'],
];

const HANDSHAKE: &str = "GET /_ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Such a client.
pub struct Junk<'w> {
    world: &'w World,
    rng: Rng,
    // Those that never read what they asked for, with the time when they go away.
    stalled: Vec<(Instant, TcpStream)>,
}

impl<'w> Junk<'w> {
    /// The client of this number.
    pub fn new(world: &'w World, number: u64) -> Junk<'w> {
        Junk {
            world,
            rng: Rng::new(world.seed ^ (number + 401).wrapping_mul(0x1b87_3593)),
            stalled: Vec::new(),
        }
    }

    /// Goes on until all end.
    pub fn run(mut self) {
        let world = self.world;
        while world.goes_on(|| self.stalled.clear()) {
            let now = Instant::now();
            self.stalled.retain(|(until, _)| *until > now);
            let Some((_, host)) = world.address() else {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            if let Err(wrong) = self.step(&host) {
                world.wrong(format!("junk: {wrong}"));
            }
            std::thread::sleep(Duration::from_millis(self.rng.bits() % 20));
        }
    }

    fn step(&mut self, host: &str) -> Result<(), String> {
        match self.rng.below(10) {
            0..=4 => self.malformed(host),
            5 => self.bytes(host),
            6 | 7 => self.frames(host),
            _ => self.stall(host),
        }
    }

    fn malformed(&mut self, host: &str) -> Result<(), String> {
        let text = self.rng.pick(MALFORMED).replace("{host}", host);
        self.send(host, text.as_bytes(), &text)
    }

    // A good request with some bytes that are others.
    fn bytes(&mut self, host: &str) -> Result<(), String> {
        let mut bytes = written(host, "POST", "/api/divide", &[], "{\"a\":1}").into_bytes();
        for _ in 0..1 + self.rng.below(5) {
            let at = self.rng.below(bytes.len());
            bytes[at] = self.rng.bits() as u8;
        }
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        self.send(host, &bytes, &shown)
    }

    fn send(&mut self, host: &str, bytes: &[u8], shown: &str) -> Result<(), String> {
        self.world.count(Group::Requests, "malformed");
        let Ok(mut stream) = connect(host) else {
            return Ok(());
        };
        // It may refuse before it has read all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        match read_answer(&mut BufReader::new(stream), false) {
            Ok(answer) if matches!(answer.status, 400..=499 | 501 | 503 | 505) => {
                self.world.count(Group::Answers, &answer.status.to_string());
                Ok(())
            }
            Ok(answer) => Err(format!("{} to {shown:?}", answer.status)),
            // Closed without a word.
            Err(_) => Ok(()),
        }
    }

    fn socket(&self, host: &str) -> Result<TcpStream, Broken> {
        let mut stream = connect(host)?;
        let _ = stream.write_all(HANDSHAKE.replace("{host}", host).as_bytes());
        Ok(stream)
    }

    fn frames(&mut self, host: &str) -> Result<(), String> {
        self.world.count(Group::Requests, "malformed frames");
        let Ok(mut stream) = self.socket(host) else {
            return Ok(());
        };
        for _ in 0..1 + self.rng.below(4) {
            // It may be closed already.
            let frame: &[u8] = FRAMES[self.rng.below(FRAMES.len())];
            let _ = stream.write_all(frame);
        }
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut heard = Vec::new();
        // Whatever it says, it must end.
        let patience = Instant::now() + Duration::from_secs(30);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let ended = stream.take(1 << 20).read_to_end(&mut heard);
        if ended.is_err() && Instant::now() >= patience {
            return Err("a socket that was spoken nonsense to was kept for 30 s".to_owned());
        }
        Ok(())
    }

    // Asks for much and reads nothing.
    fn stall(&mut self, host: &str) -> Result<(), String> {
        if self.stalled.len() >= 8 {
            return Ok(());
        }
        self.world.count(Group::Faults, "readers that never read");
        let stream = if self.rng.one_in(2) {
            self.socket(host).map(|mut stream| {
                let text = b"{\"action\":\"subscribe\",\"type\":\"Book\"}";
                let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
                frame.extend_from_slice(text);
                let _ = stream.write_all(&frame);
                stream
            })
        } else {
            connect(host).map(|mut stream| {
                let _ = stream.set_write_timeout(Some(Duration::from_millis(200)));
                let request = written(host, "GET", "/", &[], "");
                // Until nothing more is taken.
                let _ = stream.write_all(request.repeat(2000).as_bytes());
                stream
            })
        };
        if let Ok(stream) = stream {
            let until = Instant::now() + Duration::from_millis(500 + self.rng.bits() % 4000);
            self.stalled.push((until, stream));
        }
        Ok(())
    }
}
