//! The world outside a request: clock, chance, environment, output; and what of it is fixed while one request runs.
//! Here because a request that clashed is run again and must then see the same time and the same random bytes.
//! Must stay true: nothing a program printed leaves before its transaction has been committed, except under `run`.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flin_vm::{HostResponse, HostValue, HttpProblem, HttpRequest, LogLevel};

/// What programs can learn from and say to the outside.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> i64;
    /// Fills `bytes` with unpredictable bytes.
    fn random(&self, bytes: &mut [u8]);
    /// A value of the environment.
    fn env(&self, name: &str) -> Option<String>;
    /// A line that the program printed, without its newline.
    fn print(&self, line: &str);
    /// A line that the program logged.
    fn log(&self, level: LogLevel, line: &str);
    /// Sends a request to another server and waits for its answer, at most so long.
    ///
    /// # Errors
    /// When there is none.
    fn http(&self, request: &HttpRequest, within: Duration) -> Result<HostResponse, HttpProblem> {
        let _ = (request, within);
        Err(HttpProblem::Network("there is no network here".to_owned()))
    }
}

/// The machine: its clock, its random source, the process environment, stdout, and the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWorld;

impl World for SystemWorld {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn print(&self, line: &str) {
        use std::io::Write;
        // Nobody reads stdout any more: there is no one left to tell.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    fn log(&self, level: LogLevel, line: &str) {
        match level {
            LogLevel::Info => tracing::info!(target: "flin::program", "{line}"),
            LogLevel::Warning => tracing::warn!(target: "flin::program", "{line}"),
            LogLevel::Error => tracing::error!(target: "flin::program", "{line}"),
        }
    }
}

/// What a program said; it leaves after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// `print`
    Printed(String),
    /// `log_info` and its sisters
    Logged(LogLevel, String),
}

/// Most bytes of output kept until the commit of a request.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What a request said so far. A loop that prints must not fill the memory: beyond a limit only that is told.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    said: Vec<Said>,
    bytes: usize,
}

impl Kept {
    /// Keeps a line, as long as there is room for it.
    pub(crate) fn push(&mut self, said: Said) {
        if self.bytes > KEPT_BYTES_MAX {
            return;
        }
        let (Said::Printed(line) | Said::Logged(_, line)) = &said;
        // A line takes memory even if it is empty.
        self.bytes += line.len() + size_of::<Said>();
        if self.bytes > KEPT_BYTES_MAX {
            let note = format!(
                "one request prints more than {} MiB; the rest is left out",
                KEPT_BYTES_MAX >> 20
            );
            self.said.push(Said::Logged(LogLevel::Warning, note));
        } else {
            self.said.push(said);
        }
    }

    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// All of it.
    pub(crate) fn into_lines(self) -> Vec<Said> {
        self.said
    }
}

/// Bytes of answers of other servers that are kept for further runs of a request. Who has got so many asks no more.
pub(crate) const ANSWERS_BYTES_MAX: usize = 32 << 20;

/// What one request saw of the world: asked once, then repeated to every further run of the same request.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    // A script is never run again: it sees the clock move, and its random bytes need no keeping.
    live: bool,
    now_ms: Option<i64>,
    tape: Vec<u8>,
    read: usize,
    env: HashMap<String, Option<String>>,
    answers: Vec<(HttpRequest, Result<HostResponse, HttpProblem>)>,
    asked: usize,
}

impl Seen {
    /// For code that runs once only.
    pub(crate) fn live() -> Seen {
        Seen {
            live: true,
            ..Seen::default()
        }
    }

    /// Starts from the beginning again.
    pub(crate) fn rewind(&mut self) {
        self.read = 0;
        self.asked = 0;
    }

    /// Whether nothing of the world was asked for: the same request would see the same.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.live
            && self.now_ms.is_none()
            && self.tape.is_empty()
            && self.env.is_empty()
            && self.answers.is_empty()
    }

    /// What another server answered to this request in an earlier run, if it is the next one of that run too: nothing is
    /// sent twice.
    pub(crate) fn answer(
        &mut self,
        request: &HttpRequest,
    ) -> Option<Result<HostResponse, HttpProblem>> {
        let (known, answer) = self.answers.get(self.asked)?;
        if known != request {
            // The run goes another way than the one before.
            self.answers.truncate(self.asked);
            return None;
        }
        self.asked += 1;
        Some(answer.clone())
    }

    /// Whether no more answers can be kept.
    pub(crate) fn is_full(&self) -> bool {
        let bytes = self.answers.iter().map(|(request, answer)| {
            let sent = request.body.as_ref().map_or(0, |(body, _)| body.len());
            let got = match answer {
                Ok(HostResponse {
                    headers,
                    body: HostValue::Text(body),
                    ..
                }) => {
                    let headers = headers.iter();
                    body.len()
                        + headers
                            .map(|(name, value)| name.len() + value.len())
                            .sum::<usize>()
                }
                Ok(_) | Err(_) => 0,
            };
            // What is short takes memory, too.
            size_of::<HttpRequest>() + size_of::<HostResponse>() + request.url.len() + sent + got
        });
        bytes.sum::<usize>() >= ANSWERS_BYTES_MAX
    }

    /// Keeps an answer for further runs.
    pub(crate) fn keep(
        &mut self,
        request: &HttpRequest,
        answer: &Result<HostResponse, HttpProblem>,
    ) {
        if !self.live {
            self.answers.push((request.clone(), answer.clone()));
            self.asked += 1;
        }
    }

    pub(crate) fn now_ms(&mut self, world: &dyn World) -> i64 {
        if self.live {
            return world.now_ms();
        }
        *self.now_ms.get_or_insert_with(|| world.now_ms())
    }

    pub(crate) fn random(&mut self, world: &dyn World, bytes: &mut [u8]) {
        if self.live {
            return world.random(bytes);
        }
        let end = self.read + bytes.len();
        if self.tape.len() < end {
            let known = self.tape.len();
            self.tape.resize(end, 0);
            world.random(&mut self.tape[known..]);
        }
        bytes.copy_from_slice(&self.tape[self.read..end]);
        self.read = end;
    }

    pub(crate) fn env(&mut self, world: &dyn World, name: &str) -> Option<String> {
        if let Some(known) = self.env.get(name) {
            return known.clone();
        }
        let value = world.env(name);
        self.env.insert(name.to_owned(), value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_prints_is_bounded() {
        let mut kept = Kept::default();
        for _ in 0..10_000 {
            kept.push(Said::Printed("x".repeat(1000)));
        }
        let lines = kept.into_lines();
        assert!(lines.len() < 4200, "{}", lines.len());
        assert!(matches!(
            lines.last(),
            Some(Said::Logged(LogLevel::Warning, _))
        ));
    }

    // A loop that asked another server kept all its answers, without end.
    #[test]
    fn answers_that_are_kept_are_bounded() {
        let request = HttpRequest {
            method: flin_vm::HttpMethod::Get,
            url: "http://flin.example/".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        let answer = Ok(HostResponse {
            status: 200,
            headers: Vec::new(),
            body: HostValue::Text("x".repeat(8 << 20)),
            redirect: None,
        });
        let mut seen = Seen::default();
        for _ in 0..4 {
            assert!(!seen.is_full());
            seen.keep(&request, &answer);
        }
        assert!(seen.is_full());
        let mut live = Seen::live();
        live.keep(&request, &answer);
        assert!(!live.is_full() && live.answers.is_empty());
    }

    #[test]
    fn a_second_run_sees_the_same() {
        let world = SystemWorld;
        let mut seen = Seen::default();
        let now = seen.now_ms(&world);
        let (mut first, mut again) = ([0; 40], [0; 40]);
        seen.random(&world, &mut first[..16]);
        seen.random(&world, &mut first[16..]);
        seen.rewind();
        seen.random(&world, &mut again);
        assert_eq!(first, again);
        assert_eq!(seen.now_ms(&world), now);
    }
}
