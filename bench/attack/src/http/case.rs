//! A case of the HTTP suite: the bytes of one connection, the answers to them in order, and what becomes of the connection.
//! Here because what a server does after a strange request matters as much as what it answers. Must stay true: `{host}`
//! and `{tag}` are the only things in a case that are put in later; each end is judged.

use crate::peer::{Answer, End, Peer};

/// A request without a body, of a path that is there.
pub(crate) fn get(path: &str) -> String {
    asking(&format!("GET {path} HTTP/1.1"), "")
}

/// A request with this first line and these further header lines, which end with CR LF.
pub(crate) fn asking(line: &str, headers: &str) -> String {
    format!("{line}\r\nHost: {{host}}\r\n{headers}\r\n")
}

/// A `POST` with its length.
pub(crate) fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    let headers = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
    asking(&format!("POST {path} HTTP/1.1"), &headers) + body
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    Drip(Vec<u8>),
    HalfClose,
    Answered(Expected),
    Silence,
}

/// What an answer must be.
#[derive(Clone, Debug, Default)]
struct Expected {
    status: u16,
    // To a `HEAD`.
    is_bare: bool,
    headers: Vec<(String, Option<String>)>,
    body: Option<String>,
    part: Option<String>,
    // Its `ETag` is what `{tag}` stands for from now on.
    is_kept: bool,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about.
    pub name: String,
    steps: Vec<Step>,
    ends: bool,
}

/// A case on a new connection.
pub(crate) fn case(name: impl Into<String>) -> Case {
    Case {
        name: name.into(),
        steps: Vec::new(),
        ends: false,
    }
}

/// The whole of a case that sends one thing, and is answered once on a connection that goes on.
pub(crate) fn answered(name: impl Into<String>, sent: impl AsRef<[u8]>, status: u16) -> Case {
    case(name).sends(sent).gets(status)
}

/// The same, and the server closes.
pub(crate) fn refused(name: impl Into<String>, sent: impl AsRef<[u8]>, status: u16) -> Case {
    answered(name, sent, status).closes()
}

impl Case {
    /// The client sends this in one go.
    pub(crate) fn sends(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.steps.push(Step::Send(bytes.as_ref().to_vec()));
        self
    }

    /// The client sends this byte by byte.
    pub(crate) fn drips(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.steps.push(Step::Drip(bytes.as_ref().to_vec()));
        self
    }

    /// The client says that it will send nothing more.
    pub(crate) fn half_closes(mut self) -> Case {
        self.steps.push(Step::HalfClose);
        self
    }

    /// Nothing has come so far.
    pub(crate) fn gets_nothing(mut self) -> Case {
        self.steps.push(Step::Silence);
        self
    }

    /// The next answer.
    pub(crate) fn gets(mut self, status: u16) -> Case {
        self.steps.push(Step::Answered(Expected {
            status,
            ..Expected::default()
        }));
        self
    }

    /// The next answer, to a `HEAD`.
    pub(crate) fn gets_bare(self, status: u16) -> Case {
        self.gets(status).that(|expected| expected.is_bare = true)
    }

    fn that(mut self, set: impl FnOnce(&mut Expected)) -> Case {
        if let Some(Step::Answered(expected)) = self.steps.last_mut() {
            set(expected);
        }
        self
    }

    /// That answer has this header.
    pub(crate) fn with(self, name: &str, value: &str) -> Case {
        let pair = (name.to_owned(), Some(value.to_owned()));
        self.that(|expected| expected.headers.push(pair))
    }

    /// That answer does not have this header.
    pub(crate) fn without(self, name: &str) -> Case {
        let pair = (name.to_owned(), None);
        self.that(|expected| expected.headers.push(pair))
    }

    /// That answer has exactly this body.
    pub(crate) fn saying(self, body: &str) -> Case {
        self.that(|expected| expected.body = Some(body.to_owned()))
    }

    /// That answer has this in its body.
    pub(crate) fn naming(self, part: &str) -> Case {
        self.that(|expected| expected.part = Some(part.to_owned()))
    }

    /// `{tag}` is the `ETag` of that answer from now on.
    pub(crate) fn keeping_its_tag(self) -> Case {
        self.that(|expected| expected.is_kept = true)
    }

    /// After that the server closes in order, without another word.
    pub(crate) fn closes(mut self) -> Case {
        self.ends = true;
        self
    }

    /// Tries it against the server at `HOST:PORT`.
    ///
    /// # Errors
    /// What came instead of what must come.
    pub fn run(&self, host: &str) -> Result<(), String> {
        let mut peer = Peer::connect(host)?;
        let mut tag = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            take(&mut peer, step, host, &mut tag)
                .map_err(|error| format!("step {}: {error}", number + 1))?;
        }
        if self.ends {
            return match peer.end()? {
                End::Closed => Ok(()),
                End::Reset => Err("the connection was reset, so the answer may be lost".to_owned()),
            };
        }
        peer.send(get("/still-here").replace("{host}", host).as_bytes());
        let after = |error: String| format!("a request afterwards: {error}");
        let answer = peer.answer(false).map_err(after)?;
        if answer.status != 200 || answer.text() != "\"yes\"" {
            let told = format!("{} {}", answer.status, answer.text());
            return Err(after(told));
        }
        peer.silent()
    }
}

fn take(peer: &mut Peer, step: &Step, host: &str, tag: &mut String) -> Result<(), String> {
    match step {
        Step::Send(bytes) => peer.send(&filled(bytes, host, tag)),
        Step::Drip(bytes) => peer.drip(&filled(bytes, host, tag)),
        Step::HalfClose => peer.half_close(),
        Step::Silence => peer.silent()?,
        Step::Answered(expected) => {
            let answer = peer.answer(expected.is_bare)?;
            judge(expected, &answer, tag)?;
            if expected.is_kept {
                let kept = answer.header("etag").ok_or("there is no tag")?;
                *tag = kept.trim_start_matches("W/").to_owned();
            }
        }
    }
    Ok(())
}

fn filled(bytes: &[u8], host: &str, tag: &str) -> Vec<u8> {
    let put = |bytes: Vec<u8>, name: &str, value: &str| -> Vec<u8> {
        let Some(at) = bytes
            .windows(name.len())
            .position(|part| part == name.as_bytes())
        else {
            return bytes;
        };
        let (before, behind) = (&bytes[..at], &bytes[at + name.len()..]);
        [before, value.as_bytes(), behind].concat()
    };
    let mut bytes = bytes.to_vec();
    // Several requests may stand in one piece.
    while bytes.windows(6).any(|part| part == b"{host}") {
        bytes = put(bytes, "{host}", host);
    }
    put(bytes, "{tag}", tag)
}

fn judge(expected: &Expected, answer: &Answer, tag: &str) -> Result<(), String> {
    let (status, text) = (answer.status, answer.text());
    let shown: String = text.chars().take(200).collect();
    if status != expected.status {
        return Err(format!("{status} instead of {}: {shown}", expected.status));
    }
    for (name, value) in &expected.headers {
        let found = answer.header(name);
        let wanted = value.as_ref().map(|value| value.replace("{tag}", tag));
        if found != wanted.as_deref() {
            return Err(format!("{name} is {found:?} instead of {wanted:?}"));
        }
    }
    if let Some(body) = &expected.body
        && *body != text
    {
        return Err(format!("the body is {shown:?} instead of {body:?}"));
    }
    match &expected.part {
        Some(part) if !text.contains(part) => Err(format!("no {part:?} in {shown:?}")),
        _ => Ok(()),
    }
}
