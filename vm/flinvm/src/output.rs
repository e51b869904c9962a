//! What scripts print: kept together until it is worth a write, or line by line on a terminal. Must stay true: everything
//! printed has left before the program ends or says why it failed; when nobody reads any more, the run ends.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};
use std::sync::{Mutex, PoisonError};

use flin_runtime::vm::LogLevel;
use flin_runtime::{SystemWorld, World};

/// Exit code of a program whose reader is gone, as shells know it.
const NOBODY_READS: i32 = 141;

/// The system's world with an output of its own.
pub(crate) struct ScriptWorld {
    out: Mutex<Out>,
}

enum Out {
    Lines(LineWriter<Stdout>),
    Blocks(BufWriter<Stdout>),
}

impl ScriptWorld {
    pub(crate) fn new() -> ScriptWorld {
        let out = match io::stdout().is_terminal() {
            true => Out::Lines(LineWriter::new(io::stdout())),
            false => Out::Blocks(BufWriter::with_capacity(64 << 10, io::stdout())),
        };
        ScriptWorld {
            out: Mutex::new(out),
        }
    }

    /// Lets out what is still kept.
    pub(crate) fn flush(&self) {
        self.with(|out| out.flush().and_then(|()| io::stdout().flush()));
    }

    fn with(&self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match &mut *out {
            Out::Lines(out) => work(out),
            Out::Blocks(out) => work(out),
        };
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                std::process::exit(NOBODY_READS)
            }
            Err(error) => tracing::error!(%error, "stdout cannot be written"),
        }
    }
}

impl World for ScriptWorld {
    fn now_ms(&self) -> i64 {
        SystemWorld.now_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        SystemWorld.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        SystemWorld.env(name)
    }

    fn print(&self, line: &str) {
        self.with(|out| writeln!(out, "{line}"));
    }

    fn log(&self, level: LogLevel, line: &str) {
        // The two outputs stay in the order in which they were said.
        self.flush();
        SystemWorld.log(level, line);
    }
}

/// Prints a line; when nobody reads any more, there is nothing left to do.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => tracing::error!(%error, "stdout cannot be written"),
    }
}
