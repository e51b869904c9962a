//! What scripts print: kept together until it is worth a write, or line by line on a terminal. Must stay true: everything
//! printed has left before the program ends or says why it failed, and soon also while it runs on, so that whoever reads
//! (or ends) a script that takes long sees how far it came; when nobody reads any more, the run ends.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::Duration;

use flin_runtime::vm::LogLevel;
use flin_runtime::{SystemWorld, World};

/// Exit code of a program whose reader is gone, as shells know it.
const NOBODY_READS: i32 = 141;
/// Longest that printed lines are kept while the script runs on.
const KEPT_AT_MOST: Duration = Duration::from_millis(100);

/// The system's world with an output of its own.
pub(crate) struct ScriptWorld {
    out: Arc<Mutex<Out>>,
    /// Lets out what is kept, from the first line printed in blocks on.
    flusher: Once,
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
        let flusher = Once::new();
        if matches!(out, Out::Lines(_)) {
            flusher.call_once(|| ()); // lines leave at once
        }
        ScriptWorld {
            out: Arc::new(Mutex::new(out)),
            flusher,
        }
    }

    /// Lets out what is still kept.
    pub(crate) fn flush(&self) {
        self.with(|out| out.flush().and_then(|()| io::stdout().flush()));
    }

    fn with(&self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        write_to(&self.out, work);
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
            Some(out) => write_to(&out, |out| out.flush()),
            None => return,
        }
    }
}

fn write_to(out: &Mutex<Out>, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    let written = match &mut *out {
        Out::Lines(out) => work(out),
        Out::Blocks(out) => work(out),
    };
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => tracing::error!(%error, "stdout cannot be written"),
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
        self.flusher.call_once(|| self.flush_now_and_then());
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
