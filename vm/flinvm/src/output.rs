//! What scripts print: line by line on a terminal and for the first lines, then kept together until it is worth a write. Must
//! stay true: everything printed has left before the program ends or says why it failed, and soon also while it runs on, so
//! that whoever reads (or ends) a script that takes long sees how far it came; when nobody reads any more, the run ends.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::Duration;

use flin_runtime::vm::LogLevel;
use flin_runtime::{SystemWorld, World};

/// Exit code of a program whose reader is gone, as shells know it.
const NOBODY_READS: i32 = 141;
/// Longest that printed lines are kept while the script runs on.
const KEPT_AT_MOST: Duration = Duration::from_millis(100);
/// So many lines leave at once: most scripts that end soon print no more, and need no thread that lets out what is kept.
const FIRST_LINES: u32 = 16;

/// The system's world with an output of its own.
pub(crate) struct ScriptWorld {
    out: Arc<Mutex<Out>>,
    /// Lets out what is kept, from the first kept line on.
    flusher: Once,
}

enum Out {
    Lines(LineWriter<Stdout>),
    Blocks {
        out: BufWriter<Stdout>,
        /// Of the first lines, those that are still to come.
        first: u32,
    },
}

impl ScriptWorld {
    pub(crate) fn new() -> ScriptWorld {
        let out = match io::stdout().is_terminal() {
            true => Out::Lines(LineWriter::new(io::stdout())),
            false => Out::Blocks {
                out: BufWriter::with_capacity(64 << 10, io::stdout()),
                first: FIRST_LINES,
            },
        };
        ScriptWorld {
            out: Arc::new(Mutex::new(out)),
            flusher: Once::new(),
        }
    }

    /// Lets out what is still kept.
    pub(crate) fn flush(&self) {
        write_to(&self.out, |out| {
            out.flush().and_then(|()| io::stdout().flush())
        });
    }

    // The thread ends with the output; if there can be none, lines leave at the end.
    fn flush_now_and_then(&self) {
        let out = Arc::downgrade(&self.out);
        let thread = std::thread::Builder::new().name("output".to_owned());
        if let Err(error) = thread.spawn(move || flush_while_there(&out)) {
            tracing::warn!(%error, "what is printed is shown late: no thread for it");
        }
    }
}

fn flush_while_there(out: &Weak<Mutex<Out>>) {
    loop {
        std::thread::sleep(KEPT_AT_MOST);
        match out.upgrade() {
            Some(out) => write_to(&out, Out::flush),
            None => return,
        };
    }
}

impl Out {
    /// Prints a line; whether it is kept.
    fn line(&mut self, line: &str) -> io::Result<bool> {
        match self {
            Out::Lines(out) => writeln!(out, "{line}")?,
            Out::Blocks { out, first: 0 } => {
                writeln!(out, "{line}")?;
                return Ok(true);
            }
            Out::Blocks { out, first } => {
                *first -= 1;
                writeln!(out, "{line}")?;
                out.flush()?;
            }
        }
        Ok(false)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Lines(out) => out.flush(),
            Out::Blocks { out, .. } => out.flush(),
        }
    }
}

// None if it could not be written.
fn write_to<T>(out: &Mutex<Out>, work: impl FnOnce(&mut Out) -> io::Result<T>) -> Option<T> {
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    match work(&mut out) {
        Ok(done) => Some(done),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => {
            tracing::error!(%error, "stdout cannot be written");
            None
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
        let is_kept = write_to(&self.out, |out| out.line(line));
        if is_kept == Some(true) {
            self.flusher.call_once(|| self.flush_now_and_then());
        }
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
