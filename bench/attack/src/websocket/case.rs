//! A case of the WebSocket suite: what is sent, exactly what comes back, and how the connection ends. Here because one form for
//! all cases is what makes hundreds of them readable. Must stay true: each case has a connection of its own, and its end is
//! judged: whoever was not closed must still be answered.

use super::frame::{Bytes, Said, close, said, text};
use super::opening::{KEY_ANSWER, OPENING};
use crate::peer::{End, Peer};

/// What the server answers to its own sign of life, a text message.
pub(crate) const PONG_TEXT: &str = "{\"type\":\"pong\"}";
/// The wish for it.
pub(crate) const PING_TEXT: &str = "{\"action\":\"ping\"}";
/// What it answers to a text that is no JSON object.
pub(crate) const NO_OBJECT: &str = "{\"type\":\"error\",\"message\":\"expected a JSON object\"}";
/// What it answers to a binary message.
pub(crate) const NO_BINARY: &str = "{\"type\":\"error\",\"message\":\"expected a text message\"}";

/// A text message that the server repeats in its complaint (`echoed`): the wish for a type that does not exist.
pub(crate) fn echo(name: &str) -> String {
    format!("{{\"action\":\"subscribe\",\"type\":\"{name}\"}}")
}

/// The complaint.
pub(crate) fn echoed(name: &str) -> String {
    format!("{{\"type\":\"error\",\"message\":\"this page does not read the type {name}\"}}")
}

/// A wish for a sign of life of exactly so many bytes.
pub(crate) fn ping_text(bytes: usize) -> String {
    let blanks = " ".repeat(bytes - PING_TEXT.len());
    format!("{PING_TEXT}{blanks}")
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    Drip(Vec<u8>),
    Hears(Said),
    Silence,
    HalfClose,
    // An answer of HTTP.
    Answered(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    // It goes on: a further wish is answered, and a close in order.
    Lives,
    // The server has ended it in order.
    Ended,
    // The client throws it away, and the server answers others.
    Thrown,
    // The same with an answer that was not read, which is a reset.
    ThrownUnread,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about.
    pub name: String,
    opening: String,
    opening_drips: bool,
    together: Vec<u8>,
    status: u16,
    headers: Vec<(&'static str, Option<String>)>,
    steps: Vec<Step>,
    fate: Fate,
}

/// A case on a connection that was opened as usual.
pub(crate) fn case(name: impl Into<String>) -> Case {
    Case {
        name: name.into(),
        opening: OPENING.to_owned(),
        opening_drips: false,
        together: Vec::new(),
        status: 101,
        headers: Vec::new(),
        steps: Vec::new(),
        fate: Fate::Lives,
    }
}

impl Case {
    /// Opened by this request; `{host}` stands for the server's address.
    pub(crate) fn opened_by(mut self, request: impl Into<String>) -> Case {
        self.opening = request.into();
        self
    }

    /// The request is sent byte by byte.
    pub(crate) fn slowly(mut self) -> Case {
        self.opening_drips = true;
        self
    }

    /// These bytes are sent in one go with the request.
    pub(crate) fn together_with(mut self, bytes: impl Bytes) -> Case {
        self.together = bytes.bytes();
        self
    }

    /// The handshake is refused, and the connection stays one of HTTP.
    pub(crate) fn refused(mut self, status: u16) -> Case {
        self.status = status;
        self
    }

    /// The handshake is refused, and the server closes.
    pub(crate) fn refused_and_closed(mut self, status: u16) -> Case {
        self.status = status;
        self.fate = Fate::Ended;
        self
    }

    /// The answer to the handshake has this header, or has it not.
    pub(crate) fn with_header(mut self, name: &'static str, value: Option<&str>) -> Case {
        self.headers.push((name, value.map(str::to_owned)));
        self
    }

    /// The client sends this in one go.
    pub(crate) fn sends(mut self, bytes: impl Bytes) -> Case {
        self.steps.push(Step::Send(bytes.bytes()));
        self
    }

    /// The client sends this byte by byte.
    pub(crate) fn drips(mut self, bytes: impl Bytes) -> Case {
        self.steps.push(Step::Drip(bytes.bytes()));
        self
    }

    /// The server says this text next.
    pub(crate) fn hears(mut self, text: impl Into<String>) -> Case {
        self.steps.push(Step::Hears(Said::Text(text.into())));
        self
    }

    /// The server says this text so many times.
    pub(crate) fn hears_times(self, count: usize, text: &str) -> Case {
        (0..count).fold(self, |case, _| case.hears(text))
    }

    /// The server sends this pong next.
    pub(crate) fn hears_pong(mut self, payload: impl AsRef<[u8]>) -> Case {
        let pong = Said::Pong(payload.as_ref().to_vec());
        self.steps.push(Step::Hears(pong));
        self
    }

    /// The server has said nothing more so far.
    pub(crate) fn hears_nothing(mut self) -> Case {
        self.steps.push(Step::Silence);
        self
    }

    /// The client says that it will send nothing more.
    pub(crate) fn half_closes(mut self) -> Case {
        self.steps.push(Step::HalfClose);
        self
    }

    /// The server fails the connection with a code, and closes.
    pub(crate) fn failed(self, code: u16) -> Case {
        self.closed(Some(code), "")
    }

    /// The server says a close, and closes.
    pub(crate) fn closed(mut self, code: Option<u16>, reason: &str) -> Case {
        let close = Said::Close(code, reason.to_owned());
        self.steps.push(Step::Hears(close));
        self.ended()
    }

    /// The server closes in order, without another word.
    pub(crate) fn ended(mut self) -> Case {
        self.fate = Fate::Ended;
        self
    }

    /// The client throws the connection away; the server goes on for others.
    pub(crate) fn thrown_away(mut self) -> Case {
        self.fate = Fate::Thrown;
        self
    }

    /// The same as soon as an answer has come, which is not read: the server gets a reset.
    pub(crate) fn thrown_away_unread(mut self) -> Case {
        self.fate = Fate::ThrownUnread;
        self
    }

    /// After a refused handshake: these bytes are taken for a request, and answered so.
    pub(crate) fn then_answered(mut self, bytes: impl Bytes, status: u16) -> Case {
        self.steps.push(Step::Send(bytes.bytes()));
        self.steps.push(Step::Answered(status));
        self
    }

    /// Tries it against the server at `HOST:PORT`.
    ///
    /// # Errors
    /// What came instead of what must come.
    pub fn run(&self, host: &str) -> Result<(), String> {
        let mut peer = Peer::connect(host)?;
        self.open(&mut peer, host)?;
        for (number, step) in self.steps.iter().enumerate() {
            take(&mut peer, step).map_err(|error| format!("step {}: {error}", number + 1))?;
        }
        match self.fate {
            Fate::Lives if self.status == 101 => lives(&mut peer),
            Fate::Lives => lives_as_http(&mut peer, host),
            Fate::Ended => match peer.end()? {
                End::Closed => Ok(()),
                End::Reset => {
                    Err("the connection was reset, so its last words may be lost".to_owned())
                }
            },
            Fate::Thrown => {
                drop(peer);
                case("somebody else").run(host)
            }
            Fate::ThrownUnread => {
                peer.reset()?;
                case("somebody else").run(host)
            }
        }
    }

    fn open(&self, peer: &mut Peer, host: &str) -> Result<(), String> {
        let mut request = self.opening.replace("{host}", host).into_bytes();
        request.extend_from_slice(&self.together);
        if self.opening_drips {
            peer.drip(&request);
        } else {
            peer.send(&request);
        }
        let answer = peer.answer(false)?;
        if answer.status != self.status {
            let (status, text) = (answer.status, answer.text());
            return Err(format!(
                "answered {status} instead of {}: {text}",
                self.status
            ));
        }
        if self.status == 101 {
            for (name, value) in [
                ("upgrade", "websocket"),
                ("connection", "Upgrade"),
                ("sec-websocket-accept", KEY_ANSWER),
            ] {
                if answer.header(name) != Some(value) {
                    return Err(format!("{name} is {:?}", answer.header(name)));
                }
            }
        }
        for (name, value) in &self.headers {
            if answer.header(name) != value.as_deref() {
                return Err(format!("{name} is {:?}", answer.header(name)));
            }
        }
        Ok(())
    }
}

fn take(peer: &mut Peer, step: &Step) -> Result<(), String> {
    match step {
        Step::Send(bytes) => peer.send(bytes),
        Step::Drip(bytes) => peer.drip(bytes),
        Step::HalfClose => peer.half_close(),
        Step::Silence => peer.silent()?,
        Step::Answered(status) => {
            let answer = peer.answer(false)?;
            if answer.status != *status {
                return Err(format!("answered {} instead of {status}", answer.status));
            }
        }
        Step::Hears(expected) => {
            let said = said(peer)?;
            if said != *expected {
                return Err(format!("the server said {said:?} instead of {expected:?}"));
            }
        }
    }
    Ok(())
}

/// Still open: a wish is answered, a close is answered with the same, and then the server closes.
fn lives(peer: &mut Peer) -> Result<(), String> {
    let after = |what: &str, found: &dyn std::fmt::Debug| format!("afterwards, {what}: {found:?}");
    peer.send(&text(PING_TEXT).bytes());
    let answer = said(peer).map_err(|error| after("a wish", &error))?;
    if answer != Said::Text(PONG_TEXT.to_owned()) {
        return Err(after("a wish", &answer));
    }
    peer.send(&close(1000, "").bytes());
    let answer = said(peer).map_err(|error| after("a close", &error))?;
    if answer != Said::Close(Some(1000), String::new()) {
        return Err(after("a close", &answer));
    }
    match peer.end() {
        Ok(End::Closed) => Ok(()),
        other => Err(after("the end", &other)),
    }
}

fn lives_as_http(peer: &mut Peer, host: &str) -> Result<(), String> {
    peer.send(format!("GET /still-here HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    let answer = peer.answer(false)?;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(format!("afterwards, a request is {}", answer.status))
    }
}
