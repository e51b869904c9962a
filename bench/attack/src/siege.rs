//! Attacks by slowness and by number: heads and bodies that drip, answers that nobody reads, sockets by the thousand. Here because one
//! machine with a modem can hold a server that waits for ever. Must stay true: while an attack goes on, others are answered; when it is
//! over, everything that it held has come back.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use flin_testkit::http;

use crate::peer::{End, Peer};
use crate::target::Target;
use crate::websocket;

/// A siege.
pub struct Siege {
    /// What is tried.
    pub name: &'static str,
    attempt: fn() -> Result<(), String>,
}

impl Siege {
    /// Tries it against a server of its own.
    ///
    /// # Errors
    /// What went otherwise.
    pub fn run(&self) -> Result<(), String> {
        (self.attempt)()
    }
}

/// How long a connection may take to be ended that has half a second: machines have other things to do as well.
const SOON: Duration = Duration::from_secs(30);

/// Sockets of the attack by number.
const CROWD: usize = 5000;
/// Descriptors that the server has for them.
const DESCRIPTORS: usize = 256;

/// All sieges.
pub const SIEGES: &[Siege] = &[
    Siege {
        name: "200 heads that drip are 408, others are answered",
        attempt: dripping_heads,
    },
    Siege {
        name: "200 bodies that drip are 408, others are answered",
        attempt: dripping_bodies,
    },
    Siege {
        name: "chunks that drip are 408",
        attempt: dripping_chunks,
    },
    Siege {
        name: "a handshake that drips is 408",
        attempt: dripping_handshake,
    },
    Siege {
        name: "connections that say nothing are closed without a word",
        attempt: silent_connections,
    },
    Siege {
        name: "connections that pause too long are closed without a word",
        attempt: pausing_connections,
    },
    Siege {
        name: "answers that nobody reads end their connections",
        attempt: unread_answers,
    },
    Siege {
        name: "requests without end, answers unread, end their connection",
        attempt: unread_pipeline,
    },
    Siege {
        name: "a socket that answers no ping is closed 1001",
        attempt: silent_socket,
    },
    Siege {
        name: "a socket that reads nothing is ended",
        attempt: unread_socket,
    },
    Siege {
        name: "connections beyond the limit are 503 with Retry-After",
        attempt: too_many_connections,
    },
    Siege {
        name: "5,000 sockets, 256 descriptors: refused, logged, recovered",
        attempt: crowd,
    },
    Siege {
        name: "5,000 connections thrown away leave nothing behind",
        attempt: thrown_away,
    },
];

fn head(host: &str, headers: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\n{headers}\r\n")
}

/// Others are answered.
fn answers_others(target: &Target) -> Result<(), String> {
    let begun = Instant::now();
    let answer = http::get(&target.server().url, "/still-here");
    if answer.status != 200 {
        return Err(format!("somebody else is answered {}", answer.status));
    }
    let took = begun.elapsed();
    if took > Duration::from_secs(5) {
        return Err(format!("somebody else waits {took:?}"));
    }
    Ok(())
}

/// Connections that begin so and go on byte by byte are answered 408 and closed.
fn drip(target: &Target, count: usize, begin: &str, more: &str) -> Result<(), String> {
    let mut peers = Vec::new();
    for _ in 0..count {
        let mut peer = Peer::connect(target.host())?;
        peer.send(begin.as_bytes());
        peers.push(peer);
    }
    let until = Instant::now() + Duration::from_millis(1500);
    let mut bytes = more.bytes().cycle();
    while Instant::now() < until {
        let byte = bytes.next().unwrap_or(b'a');
        for peer in &mut peers {
            peer.send(&[byte]);
        }
        answers_others(target)?;
        std::thread::sleep(Duration::from_millis(50));
    }
    for mut peer in peers {
        let answer = peer.answer(false)?;
        if answer.status != 408 {
            return Err(format!("answered {} instead of 408", answer.status));
        }
        if peer.end()? == End::Reset {
            return Err("the connection was reset, so the answer may be lost".to_owned());
        }
    }
    answers_others(target)
}

fn dripping_heads() -> Result<(), String> {
    let target = Target::start(&["limits.header_time=500ms"]);
    drip(&target, 200, "GET / HTTP/1.1\r\nX-Slow: ", "a")
}

fn dripping_bodies() -> Result<(), String> {
    let target = Target::start(&["limits.body_time=500ms"]);
    let begin = head(target.host(), "Content-Length: 100000\r\n");
    drip(&target, 200, &begin, "a")
}

fn dripping_chunks() -> Result<(), String> {
    let target = Target::start(&["limits.body_time=500ms"]);
    let begin = head(target.host(), "Transfer-Encoding: chunked\r\n");
    drip(&target, 50, &begin, "1\r\na\r\n")
}

fn dripping_handshake() -> Result<(), String> {
    let target = Target::start(&["limits.header_time=500ms"]);
    drip(
        &target,
        20,
        "GET /_ws HTTP/1.1\r\nUpgrade: websocket\r\nX-Slow: ",
        "a",
    )
}

/// Ended in order, without a word.
fn ended_silently(peer: &mut Peer) -> Result<(), String> {
    match peer.end()? {
        End::Closed => Ok(()),
        End::Reset => Err("reset instead of closed".to_owned()),
    }
}

fn silent_connections() -> Result<(), String> {
    let target = Target::start(&["limits.header_time=500ms"]);
    let peers: Result<Vec<Peer>, String> = (0..100).map(|_| Peer::connect(target.host())).collect();
    answers_others(&target)?;
    for mut peer in peers? {
        ended_silently(&mut peer)?;
    }
    Ok(())
}

fn pausing_connections() -> Result<(), String> {
    let target = Target::start(&["limits.keep_alive=500ms"]);
    let request = format!(
        "GET /still-here HTTP/1.1\r\nHost: {}\r\n\r\n",
        target.host()
    );
    let mut peers = Vec::new();
    for _ in 0..100 {
        let mut peer = Peer::connect(target.host())?;
        peer.send(request.as_bytes());
        peer.answer(false)?;
        peers.push(peer);
    }
    for mut peer in peers {
        ended_silently(&mut peer)?;
    }
    answers_others(&target)
}

/// Waits until a server that has room for so many connections has room for them again.
fn all_come_back(target: &Target, room: usize) -> Result<(), String> {
    let until = Instant::now() + SOON;
    let mut last = String::new();
    while Instant::now() < until {
        let mut peers = Vec::new();
        for _ in 0..room {
            let mut peer = Peer::connect(target.host())?;
            let request = format!(
                "GET /still-here HTTP/1.1\r\nHost: {}\r\n\r\n",
                target.host()
            );
            peer.send(request.as_bytes());
            match peer.answer(false) {
                Ok(answer) if answer.status == 200 => peers.push(peer),
                Ok(answer) => last = format!("{}", answer.status),
                Err(error) => last = error,
            }
        }
        if peers.len() == room {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("not all of {room} connections came back: {last}"))
}

fn unread_answers() -> Result<(), String> {
    let target = Target::start(&["limits.send_time=500ms", "limits.connections=20"]);
    let request = format!("GET /huge HTTP/1.1\r\nHost: {}\r\n\r\n", target.host());
    let mut held = Vec::new();
    for _ in 0..15 {
        let mut peer = Peer::connect(target.host())?;
        // Far more than what the system keeps for a socket.
        peer.send(request.repeat(40).as_bytes());
        held.push(peer);
    }
    answers_others(&target)?;
    all_come_back(&target, 20)
}

fn unread_pipeline() -> Result<(), String> {
    let target = Target::start(&["limits.send_time=500ms", "limits.connections=20"]);
    let request = format!("GET /long HTTP/1.1\r\nHost: {}\r\n\r\n", target.host());
    floods(&target, request.as_bytes())?;
    all_come_back(&target, 20)
}

/// Sends on and reads nothing until the server has had enough.
fn floods(target: &Target, bytes: &[u8]) -> Result<(), String> {
    let stream = TcpStream::connect(target.host()).map_err(|error| error.to_string())?;
    flood_on(target, stream, bytes)
}

fn flood_on(target: &Target, mut stream: TcpStream, bytes: &[u8]) -> Result<(), String> {
    let before = memory(target)?;
    let nonblocking = stream.set_nonblocking(true);
    nonblocking.map_err(|error| error.to_string())?;
    let (until, mut at) = (Instant::now() + SOON, 0);
    let mut asked = Instant::now();
    loop {
        match stream.write(&bytes[at % bytes.len()..]) {
            Ok(sent) => at += sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
            }
            // It has ended the connection.
            Err(_) => break,
        }
        if asked.elapsed() > Duration::from_millis(100) {
            answers_others(target)?;
            asked = Instant::now();
        }
        if Instant::now() > until {
            return Err(format!("after {at} bytes the connection is still held"));
        }
    }
    let after = memory(target)?;
    if after > before + (64 << 20) {
        return Err(format!(
            "memory went from {} to {} MiB",
            before >> 20,
            after >> 20
        ));
    }
    Ok(())
}

fn socket(target: &Target) -> Result<Peer, String> {
    websocket::open(target.host())
}

fn silent_socket() -> Result<(), String> {
    let target = Target::start(&["limits.ping=200ms"]);
    let mut peer = socket(&target)?;
    let said = websocket::next_close(&mut peer)?;
    if said != Some(1001) {
        return Err(format!("closed by {said:?} instead of 1001"));
    }
    ended_silently(&mut peer)
}

fn unread_socket() -> Result<(), String> {
    let target = Target::start(&["limits.send_time=500ms", "limits.connections=20"]);
    let stream = socket(&target)?.into_stream();
    flood_on(&target, stream, &websocket::loud_messages())?;
    all_come_back(&target, 20)
}

fn too_many_connections() -> Result<(), String> {
    let target = Target::start(&["limits.connections=50"]);
    let held: Result<Vec<Peer>, String> = (0..50).map(|_| Peer::connect(target.host())).collect();
    let until = Instant::now() + SOON;
    // They are counted when the server has accepted them, which may be a moment after they connected.
    loop {
        let mut peer = Peer::connect(target.host())?;
        peer.send(b"GET / HTTP/1.1\r\n");
        if let Ok(answer) = peer.answer(false) {
            if (answer.status, answer.header("retry-after")) != (503, Some("1")) {
                return Err(format!("answered {answer:?}"));
            }
            break;
        }
        if Instant::now() > until {
            return Err("nobody was turned away".to_owned());
        }
    }
    drop(held);
    all_come_back(&target, 50)?;
    let log = target.server().log_with("too many connections");
    if log.contains("too many connections") {
        Ok(())
    } else {
        Err("the log says nothing of it".to_owned())
    }
}

fn crowd() -> Result<(), String> {
    let limit = format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\"");
    // Nobody who was let in goes before the last one has come.
    let target = Target::start_under(&["sh", "-c", &limit], &["limits.header_time=5m"]);
    let address = target
        .host()
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next());
    let address = address.ok_or("no address")?;
    let mut held = Vec::new();
    for number in 0..CROWD {
        let connected = TcpStream::connect_timeout(&address, SOON);
        let stream = connected.map_err(|error| format!("socket {number} of {CROWD}: {error}"))?;
        held.push(stream);
    }
    // Who is refused is told so when its turn has come.
    let until = Instant::now() + SOON;
    let mut refused = 0;
    let mut waiting: Vec<&TcpStream> = held.iter().collect();
    while refused < CROWD - DESCRIPTORS && Instant::now() < until {
        waiting.retain(|stream| !is_refused(stream));
        refused = CROWD - waiting.len();
    }
    if refused < CROWD - DESCRIPTORS {
        return Err(format!("only {refused} of {CROWD} sockets were refused"));
    }
    let log = target.server().log();
    for word in ["file descriptors", "too many connections"] {
        if !log.contains(word) {
            return Err(format!("the log says nothing of {word}"));
        }
    }
    drop(held);
    all_come_back(&target, 50)?;
    // What is written to disk needs descriptors, too.
    let saved = http::post_json(
        &target.server().url,
        "/notes",
        "{\"text\":\"still writing\"}",
    );
    if saved.status == 200 {
        Ok(())
    } else {
        Err(format!(
            "a note is answered {} {}",
            saved.status, saved.body
        ))
    }
}

/// The server has said 503.
fn is_refused(stream: &TcpStream) -> bool {
    let waits = stream.set_read_timeout(Some(Duration::from_millis(1)));
    let mut first = [0; 12];
    waits.is_ok()
        && (&*stream)
            .read(&mut first)
            .is_ok_and(|bytes| first[..bytes] == *b"HTTP/1.1 503")
}

fn thrown_away() -> Result<(), String> {
    let target = Target::start(&[]);
    answers_others(&target)?;
    let before = descriptors(&target)?;
    let request = format!(
        "GET /still-here HTTP/1.1\r\nHost: {}\r\n\r\n",
        target.host()
    );
    let begins: [&[u8]; 5] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: ",
        request.as_bytes(),
        b"\x16\x03\x01",
    ];
    for number in 0..CROWD {
        let mut peer = Peer::connect(target.host())?;
        peer.send(begins[number % begins.len()]);
    }
    let until = Instant::now() + SOON;
    loop {
        answers_others(&target)?;
        let after = descriptors(&target)?;
        if after <= before + 2 {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("{before} descriptors before, {after} after"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Open descriptors of the server.
fn descriptors(target: &Target) -> Result<usize, String> {
    let dir = format!("/proc/{}/fd", target.server().pid());
    let entries = std::fs::read_dir(&dir).map_err(|error| format!("{dir}: {error}"))?;
    Ok(entries.count())
}

/// Resident memory of the server, bytes.
fn memory(target: &Target) -> Result<usize, String> {
    let path = format!("/proc/{}/status", target.server().pid());
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.map(|kib| kib << 10)
        .ok_or_else(|| format!("{path} says nothing of memory"))
}
